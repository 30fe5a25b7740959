"""``python`` inside a sandbox: asks init for a process that has the image's libraries imported already.

Stands in for the environment's interpreter, so that ``python train.py`` in a shell script, or of a subprocess, starts
as fast as a job's own command. Arguments, environment, folder and the three standard streams go over; the exit code
comes back; signals are passed on. With anything more than that to hand over, the real interpreter is executed.

Its own start is all the time it takes, so it uses modules compiled into the interpreter only: ``import socket, json,
signal`` would triple it.
"""

# mypy: ignore-errors
# ruff: noqa: I001
import posix
import sys

import _json
import _signal
import _socket

SOCKET = "/dev/shm/.python"
PASSED_ON = {_signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT, _signal.SIGTERM, _signal.SIGUSR1, _signal.SIGUSR2}


def main(python, base):
    arguments = sys.argv[1:]
    connection = connect() if arguments and not has_more_files() else None
    if connection is None:
        posix.execv(base, [python, *arguments])
    _signal.pthread_sigmask(_signal.SIG_BLOCK, PASSED_ON)  # until there is a process to pass them on to
    pid = ask(connection, request([python, *arguments]))
    if pid == 0:
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, PASSED_ON)
        posix.execv(base, [python, *arguments])
    follow(connection, pid)


def has_more_files():
    """Open files above standard error: the program expects to find them (multiprocessing's spawn does)."""
    return len(posix.listdir("/proc/self/fd")) > 4  # the three, and the listing's own


def connect():
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(SOCKET)
    except OSError:
        return None
    return connection


def request(command):
    text = _json.encode_basestring_ascii
    words = ",".join(text(word) for word in command)
    pairs = ((name.decode("utf-8", "surrogateescape"), value) for name, value in posix.environ.items())
    env = ",".join(text(name) + ":" + text(value.decode("utf-8", "surrogateescape")) for name, value in pairs)
    return f'{{"command":[{words}],"env":{{{env}}},"workdir":{text(posix.getcwd())}}}'.encode()


def ask(connection, data):
    """The process that was made; 0 if none was."""
    fds = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    try:
        connection.sendmsg([len(data).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, fds)])
        connection.sendall(data)
        return receive(connection)
    except (OSError, EOFError):
        return 0


def follow(connection, pid):
    for number in PASSED_ON:
        if _signal.getsignal(number) != _signal.SIG_IGN:
            _signal.signal(number, lambda received, _: posix.kill(pid, received))
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, PASSED_ON)
    try:
        end(receive(connection))
    except (OSError, EOFError):
        posix.write(2, b"the sandbox's Python ended without an exit code\n")
        posix._exit(1)


def receive(connection):
    """The one number of the next message: the process's id, then its wait status."""
    length = int.from_bytes(exactly(connection, 4), "big")
    return int(exactly(connection, length).rpartition(b":")[2].rstrip(b"}"))


def exactly(connection, count):
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def end(status):
    """As the process ended, so ends its stand-in."""
    if posix.WIFSIGNALED(status):
        number = posix.WTERMSIG(status)
        if number != _signal.SIGKILL:
            _signal.signal(number, _signal.SIG_DFL)
        posix.kill(posix.getpid(), number)
    posix._exit(posix.WEXITSTATUS(status))
