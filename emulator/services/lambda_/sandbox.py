"""One invocation of a function in a sandbox: event in, result or error out, its output in CloudWatch Logs."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from emulator.images.environment import Environment
from emulator.images.own_packages import own_environment
from emulator.launchers.launcher import Exit, Launch, Launcher, Mount, Process
from emulator.services.lambda_ import bootstrap
from emulator.services.lambda_.order import TASK_ROOT, Order
from emulator.services.lambda_.run_folder import Outcome, RunFolder
from emulator.store.log_files import LogWriter

MAX_RESPONSE = 6_291_556
_BOOTSTRAP = "/var/runtime/bootstrap.py"
_FOLDER = "invocation"
_TAIL_BYTES = 4096


@dataclass(slots=True)
class _Output:
    """Takes what a function prints into its log, and keeps the end of it."""

    log: LogWriter
    last: deque[bytes] = field(default_factory=deque)
    size: int = 0

    def __call__(self, data: bytes) -> None:
        self.log.write(data)
        self.last.append(data)
        self.size += len(data)
        while self.size - len(self.last[0]) >= _TAIL_BYTES:
            self.size -= len(self.last.popleft())

    def line(self, text: str) -> None:
        self(f"{text}\n".encode())

    @property
    def tail(self) -> bytes:
        return b"".join(self.last)[-_TAIL_BYTES:]


class Sandbox:
    """Runs functions; ``run`` may be called from any thread and takes as long as the function."""

    def __init__(self, launcher: Launcher, cache_dir: Path) -> None:
        self._launcher = launcher
        self._cache_dir = cache_dir
        self._environment: Environment | None = None
        self._lock = threading.Lock()
        self._running: dict[str, tuple[Order, Process]] = {}
        self._is_left = False

    def run(self, order: Order) -> Outcome | None:
        """Run a function to its end, its timeout or its death; None if it was ended because the emulator has gone."""
        folder = RunFolder(Path(order.folder))
        output = _Output(LogWriter(Path(order.log), order.log_limit))
        try:
            _write_request(folder, order)
            output.line(f"START RequestId: {order.id} Version: {order.request['function_version']}")
            began = time.monotonic()
            if order.once:
                folder.begin()
            ended = self._launch(order, output)
            if self._is_left and not order.once and (ended is None or ended.signal):
                return None
            _report(output, order, ended, (time.monotonic() - began) * 1000)
            outcome = _outcome(folder, order, ended)
            return Outcome(outcome.payload, outcome.failed, output.tail)
        finally:
            output.log.close()

    def leave(self) -> None:
        """The emulator has gone: end what may run again, and let the rest go on."""
        with self._lock:
            self._is_left = True
            for order, process in self._running.values():
                if not order.once:
                    process.kill()

    def _launch(self, order: Order, output: _Output) -> Exit | None:
        """How the process ended; None if it ran out of time."""
        launch = Launch(
            job_id=f"lambda-{order.id}",
            directory=Path(order.folder),
            environment=self._python(),
            command=["python3", _BOOTSTRAP, f"/opt/ml/{_FOLDER}"],
            env=order.env,
            hostname="lambda",
            hosts=[],
            mounts=[Mount(TASK_ROOT, Path(order.code))],
            network=True,
            memory_limit_bytes=order.memory_mib << 20,
            output=output,
        )
        process = self._launcher.launch(launch)
        with self._lock:
            self._running[order.id] = order, process
            is_unwanted = self._is_left and not order.once
        ended = None if is_unwanted else process.wait(order.seconds)
        if ended is None:
            process.kill()
            process.wait()
        with self._lock:
            del self._running[order.id]
        return ended

    def _python(self) -> Environment:
        """Python with boto3, as AWS's runtimes have it; made at the first use."""
        with self._lock:
            if self._environment is None:
                own = own_environment(self._cache_dir, ("boto3",))
                files = [(Path(bootstrap.__file__), _BOOTSTRAP)]
                self._environment = Environment(
                    f"lambda-{own.name}", own.python, own.bin, own.roots, own.preload, files=files, workdir="/"
                )
            return self._environment


def _write_request(folder: RunFolder, order: Order) -> None:
    place = folder.path / "ml" / _FOLDER
    place.mkdir(parents=True)
    (place / "request.json").write_text(json.dumps(order.request))


def _outcome(folder: RunFolder, order: Order, ended: Exit | None) -> Outcome:
    if ended is None:
        return Outcome.error(order.id, "Sandbox.Timedout", f"Task timed out after {order.seconds:.2f} seconds")
    try:
        result = json.loads((folder.path / "ml" / _FOLDER / "result.json").read_text())
    except FileNotFoundError:
        how = "signal: killed" if ended.signal or ended.out_of_memory else f"exit status {ended.code}"
        return Outcome.error(order.id, "Runtime.ExitError", f"Runtime exited with error: {how}")
    size = len(result["payload"].encode())
    if size > MAX_RESPONSE:
        message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
        return Outcome(json.dumps({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}), True)
    return Outcome(result["payload"], result["error"])


def _report(output: _Output, order: Order, ended: Exit | None, milliseconds: float) -> None:
    """The closing lines of an invocation; the memory it used at most is not measured here."""
    if ended is None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        output.line(f"{moment}.000Z {order.id} Task timed out after {order.seconds:.2f} seconds")
    output.line(f"END RequestId: {order.id}")
    output.line(
        f"REPORT RequestId: {order.id}\tDuration: {milliseconds:.2f} ms\tBilled Duration:"
        f" {math.ceil(milliseconds)} ms\tMemory Size: {order.memory_mib} MB"
    )
