"""One invocation of a function in a sandbox: event in, result or error out, its output in CloudWatch Logs."""

from __future__ import annotations

import json
import math
import shutil
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.images.environment import Environment
from emulator.images.own_packages import own_environment
from emulator.launchers.launcher import Exit, Launch, Launcher, Mount
from emulator.services.lambda_ import bootstrap
from emulator.services.lambda_.code import CodeStore
from emulator.services.lambda_.functions import CODE
from emulator.settings import Settings
from emulator.store.log_files import LogWriter
from emulator.store.log_streams import LogStreams
from emulator.store.resources import Resource

TASK_ROOT = "/var/task"
MAX_RESPONSE = 6_291_556
_BOOTSTRAP = "/var/runtime/bootstrap.py"
_FOLDER = "invocation"
_TAIL_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of a function. ``arn`` is the one it was called by; ``event`` is JSON text."""

    request_id: str
    arn: str
    event: str
    client_context: Any = None
    max_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """``payload`` is JSON text; with ``failed`` it describes an error. ``tail`` is the end of the log."""

    payload: str
    failed: bool
    tail: bytes = b""


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

    def __init__(self, settings: Settings, logs: LogStreams, launcher: Launcher, code: CodeStore, root: Path) -> None:
        self._settings = settings
        self._logs = logs
        self._launcher = launcher
        self._code = code
        self._root = root
        self._environment: Environment | None = None

    def environment(self) -> Environment:
        """Python with boto3, as AWS's runtimes have it; made at the first use."""
        if self._environment is None:
            own = own_environment(self._settings.cache_dir, ("boto3",))
            files = [(Path(bootstrap.__file__), _BOOTSTRAP)]
            self._environment = Environment(
                f"lambda-{own.name}", own.python, own.bin, own.roots, own.preload, files=files, workdir="/"
            )
        return self._environment

    def run(self, version: Resource, call: Call) -> Outcome:
        """Run a function to its end, its timeout or its death."""
        directory = self._root / call.request_id
        shutil.rmtree(directory, ignore_errors=True)
        group, stream = _log_names(version)
        output = _Output(self._logs.writer(version.scope, group, stream))
        try:
            _write_request(directory, version, call, (group, stream))
            output.line(f"START RequestId: {call.request_id} Version: {version.body['Version']}")
            began = time.monotonic()
            ended = self._launch(directory, version, call, output, (group, stream))
            duration = (time.monotonic() - began) * 1000
            outcome = _outcome(directory, version, call, ended)
            _report(output, version, call, ended, duration)
            return Outcome(outcome.payload, outcome.failed, output.tail)
        finally:
            output.log.close()

    def noted(self, request_id: str) -> Outcome | None:
        """The result of an invocation that ended while the emulator was killed, before anybody took it."""
        return _result(self._root / request_id)

    def forget(self, request_id: str) -> None:
        """Remove the files of an invocation whose outcome has been stored."""
        shutil.rmtree(self._root / request_id, ignore_errors=True)

    def _launch(
        self, directory: Path, version: Resource, call: Call, output: _Output, log: tuple[str, str]
    ) -> Exit | None:
        """How the process ended; None if it ran out of time."""
        environment = self.environment()
        launch = Launch(
            job_id=f"lambda-{call.request_id}",
            directory=directory,
            environment=environment,
            command=["python3", _BOOTSTRAP, f"/opt/ml/{_FOLDER}"],
            env=self._variables(version, log),
            hostname="lambda",
            hosts=[],
            mounts=[Mount(TASK_ROOT, self._code.folder(version.body[CODE]))],
            network=True,
            memory_limit_bytes=version.body["MemorySize"] << 20,
            output=output,
        )
        process = self._launcher.launch(launch)
        ended = process.wait(_seconds(version, call))
        if ended is None:
            process.kill()
            process.wait()
        return ended

    def _variables(self, version: Resource, log: tuple[str, str]) -> dict[str, str]:
        """Lambda Developer Guide, "Defined runtime environment variables"."""
        settings, scope, body = self._settings, version.scope, version.body
        keys = (scope.account, "function")
        if settings.access_key_id:
            keys = (settings.access_key_id, settings.secret_access_key)
        return {
            **(body.get("Environment") or {}).get("Variables", {}),
            "AWS_REGION": scope.region,
            "AWS_DEFAULT_REGION": scope.region,
            "AWS_ACCESS_KEY_ID": keys[0],
            "AWS_SECRET_ACCESS_KEY": keys[1],
            "AWS_ENDPOINT_URL": settings.url,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{body['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": body["FunctionName"],
            "AWS_LAMBDA_FUNCTION_VERSION": body["Version"],
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(body["MemorySize"]),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": log[0],
            "AWS_LAMBDA_LOG_STREAM_NAME": log[1],
            "LAMBDA_TASK_ROOT": TASK_ROOT,
            "_HANDLER": body["Handler"],
            "TZ": ":UTC",
        }


def _seconds(version: Resource, call: Call) -> float:
    return min(float(version.body["Timeout"]), call.max_seconds)


def _log_names(version: Resource) -> tuple[str, str]:
    """The group and a stream of its own: every invocation is a new environment, as a cold start on AWS."""
    body = version.body
    group = (body.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{body['FunctionName']}"
    return group, f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{body['Version']}]{uuid.uuid4().hex}"


def _write_request(directory: Path, version: Resource, call: Call, log: tuple[str, str]) -> None:
    folder = directory / "ml" / _FOLDER
    folder.mkdir(parents=True)
    request = {
        "request_id": call.request_id,
        "function_name": version.body["FunctionName"],
        "function_version": version.body["Version"],
        "arn": call.arn,
        "memory": version.body["MemorySize"],
        "timeout": _seconds(version, call),
        "log_group": log[0],
        "log_stream": log[1],
        "client_context": call.client_context,
        "handler": version.body["Handler"],
        "event": json.loads(call.event or "null"),
    }
    (folder / "request.json").write_text(json.dumps(request))


def _result(directory: Path) -> Outcome | None:
    try:
        result = json.loads((directory / "ml" / _FOLDER / "result.json").read_text())
    except FileNotFoundError:
        return None
    return Outcome(result["payload"], result["error"])


def _outcome(directory: Path, version: Resource, call: Call, ended: Exit | None) -> Outcome:
    if ended is None:
        message = f"Task timed out after {_seconds(version, call):.2f} seconds"
        return _error(call, "Sandbox.Timedout", message)
    result = _result(directory)
    if result is None:
        how = "signal: killed" if ended.signal or ended.out_of_memory else f"exit status {ended.code}"
        return _error(call, "Runtime.ExitError", f"Runtime exited with error: {how}")
    if len(result.payload.encode()) > MAX_RESPONSE:
        size = len(result.payload.encode())
        message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({MAX_RESPONSE} bytes)."
        return Outcome(json.dumps({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}), True)
    return result


def _error(call: Call, kind: str, message: str) -> Outcome:
    text = f"RequestId: {call.request_id} Error: {message}"
    return Outcome(json.dumps({"errorType": kind, "errorMessage": text}), True)


def _report(output: _Output, version: Resource, call: Call, ended: Exit | None, milliseconds: float) -> None:
    """The closing lines of an invocation; the memory it used at most is not measured here."""
    if ended is None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        output.line(f"{moment}.000Z {call.request_id} Task timed out after {_seconds(version, call):.2f} seconds")
    output.line(f"END RequestId: {call.request_id}")
    output.line(
        f"REPORT RequestId: {call.request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration:"
        f" {math.ceil(milliseconds)} ms\tMemory Size: {version.body['MemorySize']} MB"
    )
