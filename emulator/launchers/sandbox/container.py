"""The parent of a job in a container: starts it by its engine, passes signals on, and sees that it does not outlive
the job, or the emulator.

The container exists already; here it is started, followed and removed.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from typing import Any

from . import kernel, wire
from .connection import connect

_POLL_SECONDS = 0.2
_KILLED = 128 + signal.SIGKILL
_LAST_SIGNAL = 64


def main() -> None:
    """``argv``: the numbers of the descriptors of the socket to the emulator and of the pipe for output."""
    status, output = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    del sys.path[0]
    received = wire.receive(status)
    if received is not None:
        Container(status, output, received[0]).run()


class Container:
    def __init__(self, status: socket.socket, output: int, job: dict[str, Any]) -> None:
        self._status = status
        self._output = output
        self._engine: str = job["engine"]
        self._name: str = job["name"]
        self._limited: bool = job["memory_limit_bytes"] > 0
        self._wanted: list[int] = []
        """Signals that the container has not had yet: it may not have started."""
        self._out_of_memory = False
        self._counter: tuple[str, bytes] | None = None

    def run(self) -> None:
        start = [self._engine, "start", "--attach", self._name]
        process = subprocess.Popen(start, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output)
        self._watch(process)
        code = self._exit_code(process.returncode)
        self._call("rm", "--force", "--volumes", self._name)
        os.close(self._output)
        self._report(code)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        ended = os.pidfd_open(process.pid)
        poll = select.poll()
        poll.register(ended, select.POLLIN)
        poll.register(self._status, select.POLLIN)
        while True:
            due = self._limited or self._wanted
            ready = {fd for fd, _ in poll.poll(_POLL_SECONDS * 1000 if due else None)}
            if ended in ready:
                break
            if self._status.fileno() in ready and not self._obey():
                poll.unregister(self._status)
            if self._limited and not self._out_of_memory and self._kernel_killed():
                self._out_of_memory = True
                self._wanted.append(signal.SIGKILL)
            self._pass_on()
        os.close(ended)
        process.wait()

    def _obey(self) -> bool:
        """Note what the emulator says; False once it has gone, for which the container is killed."""
        try:
            message = wire.receive(self._status)
        except (OSError, EOFError):
            message = None
        if message is not None and "connect" in message[0]:
            self._connect(message[0]["connect"], socket.socket(fileno=message[1][0]))
            return True
        self._wanted.append(signal.SIGKILL if message is None else message[0]["signal"])
        return message is not None

    def _connect(self, port: int, reply: socket.socket) -> None:
        """By a child that goes into the container's network, as this process has to stay in its own."""
        child = os.fork()
        if child:
            reply.close()
            os.waitpid(child, 0)
            return
        try:
            kernel.enter_network(self._pid())
            connect(port, reply)
        finally:
            os._exit(0)

    def _pid(self) -> int:
        """Of the container's first process; 0 while there is none."""
        return int((self._call("inspect", "--format", "{{.State.Pid}}", self._name) or "0").strip())

    def _pass_on(self) -> None:
        """Signals to the container; to one that is still starting at the next turn."""
        while self._wanted:
            if self._call("kill", "--signal", str(int(self._wanted[0])), self._name) is None:
                return
            del self._wanted[0]

    def _kernel_killed(self) -> bool:
        """Whether the kernel has killed a process of the container because it had no memory left."""
        if self._counter is None:
            self._counter = self._find_counter()
        if self._counter is None:
            return False
        path, name = self._counter
        try:
            with open(path, "rb") as file:
                return any(line.startswith(name) and int(line.split()[1]) > 0 for line in file)
        except OSError:
            return False  # it has ended

    def _find_counter(self) -> tuple[str, bytes] | None:
        """The file of the container's control group in which the kernel counts its kills."""
        try:
            with open(f"/proc/{self._pid()}/cgroup") as groups:
                lines = [line.strip().split(":", 2) for line in groups]
        except OSError:
            return None
        for _, controllers, path in lines:
            if "memory" in controllers.split(","):
                return f"/sys/fs/cgroup/memory{path}/memory.oom_control", b"oom_kill "
        for _, controllers, path in lines:
            if not controllers and os.path.exists(f"/sys/fs/cgroup{path}/memory.events"):
                return f"/sys/fs/cgroup{path}/memory.events", b"oom_kill "
        return None

    def _exit_code(self, code: int) -> int:
        """What the container ended with; ``code`` is what the engine's program did, which may not have started it."""
        state = self._call("inspect", "--format", "{{.State.OOMKilled}} {{.State.ExitCode}}", self._name)
        if state is not None:
            killed, told = state.split()
            self._out_of_memory = self._out_of_memory or (killed == "true" and told != "0")
            code = int(told) or code
        return _KILLED if self._out_of_memory else code

    def _report(self, code: int) -> None:
        number = code - 128 if 128 < code <= 128 + _LAST_SIGNAL else None
        with contextlib.suppress(OSError):  # the emulator may have gone
            wire.send(self._status, {"code": code, "signal": number, "out_of_memory": self._out_of_memory})

    def _call(self, *arguments: str) -> str | None:
        """What the engine printed, None where it refused."""
        ended = subprocess.run([self._engine, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return ended.stdout if ended.returncode == 0 else None
