"""The process that has an image's libraries imported and forks Python programs into the namespaces of jobs.

It must stay single-threaded and never compute: what a library starts at its first use (thread pools, random states)
must start in the job.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import sys
import warnings
from typing import Any, NoReturn

from . import fit, interpreter, kernel, wire
from .inherit import take_after
from .init import PRIVATE_NETWORK
from .process import become


def run(requests: socket.socket, config: dict[str, Any]) -> NoReturn:
    """Import, then serve until the warden ends."""
    kernel.die_with_parent()
    kernel.set_name("zygote")
    _become_image(config)
    Zygote(requests).serve()
    os._exit(0)


def _become_image(config: dict[str, Any]) -> None:
    gc.disable()  # collecting while importing costs a tenth and finds nothing
    for name in config["preload"]:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  a job that needs the module gets the same error itself, in its log
            print(f"{config['name']}: cannot import {name} ahead of the jobs: {error}", file=sys.stderr, flush=True)
    fit.remember()
    gc.collect()
    kernel.collapse_memory()
    gc.freeze()  # nothing imported here is looked at by a collection in a job, nor copied because of it
    gc.enable()
    # Python 3.12 sees the idle threads of BLAS, which come to no harm
    warnings.filterwarnings("ignore", r".*use of fork\(\)", DeprecationWarning)


class Zygote:
    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._children: dict[int, socket.socket] = {}
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.poll()

    def serve(self) -> None:
        wakeup, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write)
        self._poll.register(wakeup, select.POLLIN)
        self._poll.register(self._requests, select.POLLIN)
        while True:
            for fd, events in self._poll.poll():
                if fd == wakeup:
                    os.read(wakeup, 4096)
                    self._reap()
                elif fd != self._requests.fileno():
                    self._abandon(fd)
                elif events & select.POLLIN:
                    if not self._take():
                        return
                else:
                    return

    def _take(self) -> bool:
        kind, fds = wire.take_over(self._requests)
        if not kind:
            return False
        pidfd, connection = fds[0], socket.socket(fileno=fds[1])
        try:
            self._fork(kind, pidfd, connection)
        except OSError:
            connection.close()  # the job ended while its request was on the way
        finally:
            os.close(pidfd)
        return True

    def _fork(self, kind: bytes, pidfd: int, connection: socket.socket) -> None:
        kernel.setns(pidfd, kernel.CLONE_NEWPID)
        try:
            pid = os.fork()
            if pid == 0:
                live(pidfd, connection, private_network=kind == PRIVATE_NETWORK)
        finally:
            kernel.setns(self._own_pids, kernel.CLONE_NEWPID)
        self._children[pid] = connection
        self._poll.register(connection, select.POLLRDHUP)

    def _reap(self) -> None:
        while self._children:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            connection = self._children.pop(pid)
            with contextlib.suppress(KeyError):
                self._poll.unregister(connection)
            with contextlib.suppress(OSError), connection:  # who asked may have gone
                usage = [used.ru_utime + used.ru_stime, used.ru_maxrss << 10]
                wire.send(connection, {"usage": usage, "status": status})  # the shim takes what stands last

    def _abandon(self, fd: int) -> None:
        """Who asked for the process has gone (a ``python`` in a job that was killed): so goes the process."""
        self._poll.unregister(fd)
        for pid, connection in self._children.items():
            if connection.fileno() == fd:
                os.kill(pid, signal.SIGKILL)


def live(pidfd: int, connection: socket.socket, *, private_network: bool) -> NoReturn:
    """The forked process: go into the job's namespaces and be its program."""
    code = 1
    try:
        kernel.die_with_parent()
        received = _enter(pidfd, connection, kernel.CLONE_NEWNET if private_network else 0)
        if received is not None:
            code = interpreter.run(received)
    except OSError as error:
        os.write(2, f"the job's Python could not start: {error}\n".encode())
    finally:
        if code < 0:  # by a signal, which a process has to send itself
            signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        os._exit(code)


def _enter(pidfd: int, connection: socket.socket, network: int) -> dict[str, Any] | None:
    kernel.offer_memory()
    received = wire.receive(connection)
    if received is None:
        return None
    payload, fds = received
    kernel.setns(pidfd, kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS | network)
    shim = _peer(connection)
    if shim:
        os.setpgid(0, 0)
    else:
        os.setsid()
    kernel.set_name("python3")
    kernel.confine(os.sched_getaffinity(1))  # of the job's init
    wire.send(connection, {"pid": os.getpid()})
    become(fds)
    connection.detach()
    if shim:
        take_after(shim)
    return payload


def _peer(connection: socket.socket) -> int:
    """The shim that asked, by its number in the job; 0 where it was init, for the job's own command."""
    pid = int.from_bytes(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 4), sys.byteorder)
    return pid if pid > 1 else 0
