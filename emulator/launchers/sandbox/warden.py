"""The light process of one environment: owns the namespaces, holds the template, forks the inits of jobs.

Started by the emulator as ``python -c … CONFIG`` with one end of a socket. When the emulator ends, in whatever way,
the socket ends, the warden ends, and as process 1 of its own process table takes everything below with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from . import init, kernel, switch, wire, zygote
from .root import Root
from .template import Template


def main() -> NoReturn:
    """``argv``: the number of the socket's descriptor, and the configuration as JSON."""
    control = socket.socket(fileno=int(sys.argv[1]))
    config = json.loads(sys.argv[2])
    del sys.path[0]  # this package's folder: nothing of a job is to find it
    with _reported(control):
        _isolate()
    pid = os.fork()
    if pid:
        control.close()
        _, status = os.waitpid(pid, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    with _only_way_out():
        kernel.die_with_parent()
        kernel.set_name("warden")
        warden = Warden(control, config)
        with _reported(control):
            warden.prepare()
        warden.serve()


def _isolate() -> None:
    """Namespaces of its own, with power over nothing else: for root and for an ordinary user alike."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        os.setgroups([])
    kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_SLAVE)


class Warden:
    def __init__(self, control: socket.socket, config: dict[str, Any]) -> None:
        self._control = control
        self._config = config
        self._template = Template(config["folder"], config)
        self._roots: dict[bytes, Root] = {}
        self._zygote: socket.socket | None = None
        self._zygote_pid = 0
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def prepare(self) -> None:
        os.setsid()
        os.umask(0o022)
        self._template.build()
        kernel.limit_privileges()

    def serve(self) -> NoReturn:
        if self._config["warm"]:
            self._start_zygote()
        self._control.send(b"ready")
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        wakeup, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write)
        poll.register(wakeup, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == wakeup:
                    os.read(wakeup, 4096)
                    self._reap()
                else:
                    self._take()

    def _start_zygote(self) -> None:
        """After a first death it starts without imports: one of them is what kills it."""
        self._zygote, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._zygote_pid = os.fork()
        if self._zygote_pid == 0:
            self._zygote.close()
            self._control.close()
            with _only_way_out():
                zygote.run(theirs, self._config)
        theirs.close()
        self._config = self._config | {"preload": []}

    def _take(self) -> None:
        message, fds = wire.take_over(self._control)
        if not message:
            os._exit(0)
        kind, _, number = message.partition(b" ")
        if kind == wire.NETWORK:
            self._make_network(socket.socket(fileno=fds[0]))
        elif kind == wire.FORGET:
            self._forget(number)
        else:
            status, output = socket.socket(fileno=fds[0]), fds[1]
            with status:
                self._launch(number, status, output)
            os.close(output)

    def _launch(self, number: bytes, status: socket.socket, output: int) -> None:
        try:
            root = self._root(number)
        except OSError as error:
            self._forget(number)
            with contextlib.suppress(OSError):  # who asked may have gone
                wire.send(status, {"error": str(error)})
            return
        kernel.unshare(kernel.CLONE_NEWPID)
        try:
            if os.fork() == 0:
                self._control.close()
                with _only_way_out():
                    kernel.die_with_parent()
                    init.run(status, output, self._template, root, self._zygote)
        finally:
            kernel.setns(self._own_pids, kernel.CLONE_NEWPID)

    def _root(self, number: bytes) -> Root:
        """The root of that number, made at its first use."""
        if number not in self._roots:
            self._roots[number] = Root(self._template, int(number))
            self._roots[number].build()
        return self._roots[number]

    def _forget(self, number: bytes) -> None:
        root = self._roots.pop(number, None)
        if root is not None:
            root.close()

    def _make_network(self, status: socket.socket) -> None:
        with status:
            if os.fork() == 0:
                self._control.close()
                with _only_way_out():
                    switch.run(status)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                if pid == self._zygote_pid and self._zygote is not None:
                    self._zygote.close()
                    self._start_zygote()


@contextlib.contextmanager
def _reported(control: socket.socket) -> Iterator[None]:
    """What this machine refuses goes to the emulator as a sentence."""
    try:
        yield
    except OSError as error:
        control.send(str(error).encode())
        os._exit(1)


@contextlib.contextmanager
def _only_way_out() -> Iterator[None]:
    """A forked process never goes back into its parent's code, whatever happens."""
    try:
        yield
    except BaseException:  # noqa: BLE001  reported, then the process ends
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(1)
