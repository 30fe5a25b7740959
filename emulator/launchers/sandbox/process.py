"""Becoming a job's program: finding it, giving up the sandbox's power, executing it."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from typing import NoReturn

from . import kernel

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


def find_program(name: str, env: dict[str, str]) -> str | None:
    """The file that a command's first word means, as ``execvpe`` looks for it."""
    if "/" in name:
        return name
    for folder in env.get("PATH", os.defpath).split(":"):
        path = os.path.join(folder or ".", name)
        if _is_executable(path):
            return path
    return None


def _is_executable(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and os.access(path, os.X_OK)
    except OSError:
        return False


def become(fds: list[int]) -> None:
    """Take ``fds`` as standard input, output and error and nothing else, and give up the sandbox's power."""
    kept = [os.dup(fd) for fd in fds]
    for number, fd in enumerate(kept):
        os.dup2(fd, number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(int(name))
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    kernel.drop_privileges()


def execute(command: list[str], env: dict[str, str], workdir: str, program: str | None = None) -> NoReturn:
    """Turn this process into the command. What cannot be started ends as it does in a shell: 127, or 126."""
    try:
        os.chdir(workdir)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvpe(program or command[0], command, env)
    except FileNotFoundError as error:
        _refuse(command, env, error, _NOT_FOUND)
    except OSError as error:
        _refuse(command, env, error, _NOT_EXECUTABLE)


def _refuse(command: list[str], env: dict[str, str], error: OSError, code: int) -> NoReturn:
    where = "" if "/" in command[0] else f" (PATH={env.get('PATH', '')})"
    os.write(2, f"cannot start {command[0]!r} in the container: {error.strerror}{where}\n".encode(errors="replace"))
    os._exit(code)
