"""Process 1 of a job: builds its root, starts its command, watches it, reports its end. With it ends all of the job."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import time
from typing import Any, NoReturn

from . import kernel, memory, wire
from .connection import connect
from .job_tree import JobTree
from .process import become, execute, find_program
from .root import Root
from .switch import plug
from .template import Template

SHIM_SOCKET = "/dev/shm/.python"
_MEMORY_INTERVAL = 0.2
SHARED_NETWORK, PRIVATE_NETWORK = b"shared", b"private"


def run(status: socket.socket, output: int, template: Template, root: Root, zygote: socket.socket | None) -> NoReturn:
    """The whole life of an init: never returns."""
    try:
        received = wire.receive(status)
        if received is not None:
            Init(status, output, template, root, zygote, *received).run()
    except OSError as error:
        wire.send(status, {"error": str(error)})
    os._exit(0)


class Init:
    def __init__(
        self,
        status: socket.socket,
        output: int,
        template: Template,
        root: Root,
        zygote: socket.socket | None,
        job: dict[str, Any],
        fds: list[int],
    ) -> None:
        """``fds``: of a host of a job with several, the route socket of their switch."""
        self._status = status
        self._output = output
        self._template = template
        self._root = root
        self._zygote = zygote
        self._job = job
        self._limit: int = job["memory_limit_bytes"]
        self._out_of_memory = False
        self._main = 0
        self._wait_status: int | None = None
        self._forked_usage = (0.0, 0)
        self._most_held = 0
        self._reply: socket.socket | None = None
        self._shims: socket.socket | None = None
        self._outlets: list[socket.socket] = []
        self._switch = fds
        self._fork_kind = SHARED_NETWORK if job["shares_network"] else PRIVATE_NETWORK

    def run(self) -> None:
        wakeup, self._wakeup_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup_write)
        kills = memory.kernel_kills()
        self._enter_namespaces()
        self._start()
        fds = [os.pidfd_open(os.getpid()), *(outlet.fileno() for outlet in self._outlets)]
        wire.send(self._status, {"started": self._root.states}, fds)
        for outlet in self._outlets:
            outlet.close()
        self._watch(wakeup)
        self._report(kills)

    def _enter_namespaces(self) -> None:
        kernel.offer_memory()
        kernel.confine(self._job["cpus"])
        network = 0 if self._job["shares_network"] else kernel.CLONE_NEWNET
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | network)
        if network:
            kernel.loopback_up()
            for fd in self._switch:
                address = self._job["hosts"][self._job["hostname"]]
                plug(socket.socket(fileno=fd), self._job["bridge"], address, outside=self._job["outside"])
            self._outlets = [_listen(port) for port in self._job["outlets"]]
        socket.sethostname(self._job["hostname"])
        JobTree(self._template, self._root, self._job).enter()

    def _start(self) -> None:
        payload = {key: self._job[key] for key in ("command", "env", "workdir")}
        os.makedirs(payload["workdir"], exist_ok=True)
        if self._zygote is None:
            self._start_cold(payload)
            return
        self._listen_to_shims()
        is_warm = is_python(payload["command"], payload["env"], self._template.config["python_names"])
        if not is_warm or not self._start_warm(payload):
            self._start_cold(payload)

    def _start_cold(self, payload: dict[str, Any]) -> None:
        self._main = os.fork()
        if self._main == 0:
            null = os.open("/dev/null", os.O_RDONLY)
            become([null, self._output, self._output])
            os.setsid()
            execute(payload["command"], payload["env"], payload["workdir"])

    def _start_warm(self, payload: dict[str, Any]) -> bool:
        """False where the zygote has died, for instance of what it imported."""
        assert self._zygote is not None
        self._reply, theirs = socket.socketpair()
        null = os.open("/dev/null", os.O_RDONLY)
        try:
            wire.send(self._reply, payload, [null, self._output, self._output])
            wire.hand_over(self._zygote, self._fork_kind, [os.pidfd_open(os.getpid()), theirs.detach()])
            started = wire.receive(self._reply)
        except OSError:
            started = None
        finally:
            os.close(null)
        if started is None:
            self._reply = None
            return False
        self._main = started[0]["pid"]
        return True

    def _listen_to_shims(self) -> None:
        self._shims = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._shims.bind(SHIM_SOCKET)
        self._shims.listen(256)

    def _watch(self, wakeup: int) -> None:
        """Until the main process has ended, or is to be killed with everything else."""
        os.close(self._output)
        poll = select.poll()
        poll.register(wakeup, select.POLLIN)
        for connection in filter(None, (self._status, self._reply, self._shims)):
            poll.register(connection, select.POLLIN)
        due = time.monotonic() + _MEMORY_INTERVAL
        while self._wait_status is None:
            timeout = max(0.0, due - time.monotonic()) * 1000 if self._limit else None
            ready = {fd for fd, _ in poll.poll(timeout)}
            self._handle(ready, wakeup)
            if self._limit and time.monotonic() >= due:
                due = time.monotonic() + _MEMORY_INTERVAL
                self._check_memory()

    def _handle(self, ready: set[int], wakeup: int) -> None:
        if wakeup in ready:
            os.read(wakeup, 4096)
            self._reap()
        if self._status.fileno() in ready:
            self._obey()
        if self._shims is not None and self._shims.fileno() in ready:
            self._pass_on()
        if self._reply is not None and self._reply.fileno() in ready:
            ended = wire.receive(self._reply)
            self._wait_status = ended[0]["status"] if ended else signal.SIGKILL
            self._forked_usage = tuple(ended[0]["usage"]) if ended else self._forked_usage

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._main and self._reply is None:
                self._wait_status = status

    def _obey(self) -> None:
        message = wire.receive(self._status)
        if message is None:
            os._exit(0)  # the emulator has let go of the job
        request, fds = message
        if "connect" in request:
            connect(request["connect"], socket.socket(fileno=fds[0]))
            return
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself; its end is about to be read
            os.kill(self._main, request["signal"])

    def _pass_on(self) -> None:
        """A ``python`` started inside the job: let the zygote fork it. The two talk to each other from here on."""
        assert self._shims is not None
        assert self._zygote is not None
        connection, _ = self._shims.accept()
        with contextlib.suppress(OSError):  # without a zygote the shim executes a real interpreter
            wire.hand_over(self._zygote, self._fork_kind, [os.pidfd_open(os.getpid()), connection.detach()])

    def _check_memory(self) -> None:
        held = memory.held_bytes(pid for pid in memory.all_pids() if pid != 1)
        self._most_held = max(self._most_held, held)
        if held > self._limit:
            self._out_of_memory = True
            self._wait_status = signal.SIGKILL

    def _report(self, kills: int) -> None:
        assert self._wait_status is not None
        killed = os.WIFSIGNALED(self._wait_status)
        number = os.WTERMSIG(self._wait_status) if killed else None
        by_kernel = number == signal.SIGKILL and memory.kernel_kills() > kills
        code = 128 + number if number else os.WEXITSTATUS(self._wait_status)
        out_of_memory = self._out_of_memory or by_kernel
        report = {"code": code, "signal": number, "out_of_memory": out_of_memory, "usage": self._usage()}
        wire.send(self._status, report)

    def _usage(self) -> list[float]:
        """Processor time and memory: of those that init has waited for, and of the one that the zygote has."""
        used, (forked, most_of_one) = resource.getrusage(resource.RUSAGE_CHILDREN), self._forked_usage
        memory_bytes = max(self._most_held, most_of_one, used.ru_maxrss << 10)
        return [used.ru_utime + used.ru_stime + forked, memory_bytes]


def _listen(port: int) -> socket.socket:
    """A socket of the job's own network that the emulator accepts connections at."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener


def is_python(command: list[str], env: dict[str, str], names: list[str]) -> bool:
    """Whether the command starts the environment's own interpreter: by its path, or by a name that PATH leads to it."""
    program = find_program(command[0], env) if command else None
    return program in names
