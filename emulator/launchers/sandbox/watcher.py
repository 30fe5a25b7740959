"""The parent of a job without a sandbox: sees to it that nothing of the job outlives the job, or the emulator.

On Linux it adopts what the job's processes leave behind and kills by descent; elsewhere it kills the process group.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import sys
import time
from typing import Any

from . import kernel, memory, wire
from .process import execute

_MEMORY_INTERVAL = 0.2
_LINUX = sys.platform == "linux"
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def main() -> None:
    """``argv``: the numbers of the descriptors of the socket to the emulator and of the pipe for output."""
    status, output = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    del sys.path[0]
    received = wire.receive(status)
    if received is not None:
        Watcher(status, output, received[0]).run()


class Watcher:
    def __init__(self, status: socket.socket, output: int, job: dict[str, Any]) -> None:
        self._status = status
        self._output = output
        self._job = job
        self._limit: int = job["memory_limit_bytes"] if _LINUX else 0
        self._wait_status: int | None = None
        self._out_of_memory = False
        self._main = 0

    def run(self) -> None:
        wakeup, write = os.pipe()
        for fd in (wakeup, write):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write)
        if _LINUX:
            kernel.adopt_orphans()
        self._start()
        os.close(self._output)
        self._watch(wakeup)
        self._kill_all()
        self._report()

    def _start(self) -> None:
        self._main = os.fork()
        if self._main:
            return
        try:
            os.setsid()
            if _LINUX:
                kernel.die_with_parent()
                kernel.confine(self._job["cpus"])
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            null = os.open(os.devnull, os.O_RDONLY)
            for number, fd in enumerate((null, self._output, self._output)):
                os.dup2(fd, number)
            self._status.close()
            os.closerange(3, 64)
            execute(self._job["command"], self._job["env"], self._job["workdir"])
        finally:
            os._exit(1)

    def _watch(self, wakeup: int) -> None:
        poll = select.poll()
        poll.register(wakeup, select.POLLIN)
        poll.register(self._status, select.POLLIN)
        due = time.monotonic() + _MEMORY_INTERVAL
        while self._wait_status is None:
            ready = {fd for fd, _ in poll.poll(_MEMORY_INTERVAL * 1000 if self._limit else None)}
            if wakeup in ready:
                os.read(wakeup, 4096)
                self._reap()
            if self._status.fileno() in ready:
                self._obey()
            if self._limit and time.monotonic() >= due:
                due = time.monotonic() + _MEMORY_INTERVAL
                self._check_memory()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._main:
                    self._wait_status = status

    def _obey(self) -> None:
        message = wire.receive(self._status)
        if message is None or message[0]["signal"] == signal.SIGKILL:
            self._wait_status = signal.SIGKILL
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._main, message[0]["signal"])

    def _check_memory(self) -> None:
        if memory.held_bytes(memory.descendants(os.getpid())) > self._limit:
            self._out_of_memory = True
            self._wait_status = signal.SIGKILL

    def _kill_all(self) -> None:
        """Until there is none left: a process may start another while it is looked for."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._main, signal.SIGKILL)
        while _LINUX and (pids := memory.descendants(os.getpid())):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._reap()
            time.sleep(0.002)

    def _report(self) -> None:
        assert self._wait_status is not None
        number = os.WTERMSIG(self._wait_status) if os.WIFSIGNALED(self._wait_status) else None
        code = 128 + number if number else os.WEXITSTATUS(self._wait_status)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        usage = [used.ru_utime + used.ru_stime, used.ru_maxrss * _MAXRSS_UNIT]
        report = {"code": code, "signal": number, "out_of_memory": self._out_of_memory, "usage": usage}
        with contextlib.suppress(OSError):  # the emulator may have gone
            wire.send(self._status, report)
