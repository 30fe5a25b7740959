"""Invocations that must not be lost: asynchronous ones, and those that a pipeline's Lambda step waits for.

Each is a resource: stored before anybody is told that it was accepted, ended when its outcome is known. A step's
function is run at most once: it goes on when the emulator dies, and its outcome is taken up afterwards; if it died too,
the step fails and says so. An asynchronous one ends with the emulator and is run again with the same request id, as
Lambda does at times (Developer Guide, "Asynchronous invocation"). docs/decisions/015-functions-run-once.md has the why.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from emulator.aws.errors import AwsError
from emulator.engine.scheduler import Scheduler
from emulator.engine.steps.lambda_step import ERROR, FUNCTION_ARN, INVOCATION, MAX, ORIGIN, PAYLOAD, STEP
from emulator.services.context import App, Context
from emulator.services.lambda_.code import CodeStore
from emulator.services.lambda_.errors import ServiceFault, TooManyRequests
from emulator.services.lambda_.function_host import FunctionHost, HostClosed
from emulator.services.lambda_.names import find_version
from emulator.services.lambda_.ordering import Call, log_names, make_order
from emulator.services.lambda_.run_folder import Outcome, RunFolder
from emulator.store.resources import Resource, Scope

MAX_CONCURRENT = 64
"""Invocations at the same time; AWS's default for an account is 1,000."""
RETRY_SECONDS = (60.0, 120.0)
"""Before the second and third attempt at an asynchronous invocation (Lambda Developer Guide, "Asynchronous
invocation": Lambda waits a minute, then two)."""
CLIENT_CONTEXT = "ClientContext"
INTERRUPTED, UNAVAILABLE = "Sandbox.Interrupted", "Sandbox.Unavailable"
_KILLED = (
    "The process that ran the function was killed before the function had answered. It may have had its effects, so it"
    " is not run again by itself. Next: RetryPipelineExecution runs the step again."
)
_NO_HOST = "The process that runs functions has ended, again and again; see the emulator's log."
_STARTS = 3
_ATTEMPT = "Attempt"
_DUE = "Due"
_AGAIN_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Functions:
    """Has functions run, in threads that wait; ``recover`` takes up the invocations that an earlier emulator left."""

    def __init__(self, app: App, clock: Scheduler) -> None:
        root = app.settings.data_dir.absolute() / "functions"
        self.code = CodeStore(root / "code")
        self._runs = root / "runs"
        self._host = FunctionHost(app.settings, root / "hosts")
        self._app = app
        self._clock = clock
        self._pool = ThreadPoolExecutor(MAX_CONCURRENT, thread_name_prefix="function")
        self._running: set[str] = set()
        self._closed = False
        app.resources.subscribe(self._stored)

    def call(self, version: Resource, call: Call) -> Future[Outcome]:
        """Run a function whose caller waits; nothing of it outlives the emulator.

        Raises:
            TooManyRequests: too many run already.
        """
        if len(self._running) >= MAX_CONCURRENT:
            raise TooManyRequests("Rate Exceeded.")
        self._running.add(call.request_id)
        return self._pool.submit(self._call, version, call)

    def _call(self, version: Resource, call: Call) -> Outcome:
        folder = self._folder(call.request_id)
        try:
            self._run(version, call, folder)
            outcome = folder.outcome
        except HostClosed:
            outcome = None
        finally:
            folder.remove()
            self._running.discard(call.request_id)
        if outcome is None:
            raise ServiceFault("The process that ran the function has ended; see the emulator's log.")
        return outcome

    def recover(self) -> None:
        self.wake()
        self._clock.post(self._remove_left)

    def wake(self) -> None:
        """Look for invocations that were stored in a larger transaction, which has ended."""
        for invocation in self._app.resources.with_status(INVOCATION, "InProgress"):
            self._begin_later(invocation)

    def close(self) -> None:
        """Steps' functions go on; the others end, and those that are durable run again at the next start."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._host.close()

    def _folder(self, request_id: str, attempt: int = 1) -> RunFolder:
        """Each attempt has its own: what the one before left says nothing of it."""
        return RunFolder(self._runs / (request_id if attempt == 1 else f"{request_id}.{attempt}"))

    def _folder_of(self, invocation: Resource) -> RunFolder:
        return self._folder(invocation.name, invocation.body.get(_ATTEMPT, 1))

    def _remove_left(self) -> None:
        """Folders of invocations that nobody waits for any more."""
        invocations = self._app.resources.with_status(INVOCATION, "InProgress")
        known = {self._folder_of(each).path.name for each in invocations}
        for path in self._runs.glob("*"):
            if path.name not in known and path.name not in self._running and not RunFolder(path).is_claimed:
                RunFolder(path).remove()

    def _stored(self, resource: Resource) -> None:
        if resource.kind == INVOCATION and resource.status == "InProgress":
            self._begin_later(resource)

    def _begin_later(self, invocation: Resource, wait: float = 0.0) -> None:
        arn, due = invocation.arn, invocation.body.get(_DUE, 0.0)
        wait = max(wait, due - time.time())
        self._clock.post(lambda: self._clock.later(wait, lambda: self._begin(arn)) if wait else self._begin(arn))

    def _begin(self, arn: str) -> None:
        """In the clock's thread: hand the invocation to a thread, unless one has it."""
        if arn in self._running or self._closed:
            return
        invocation = self._app.resources.by_arn(arn)
        if invocation is not None and invocation.status == "InProgress":
            self._running.add(arn)
            self._pool.submit(self._work, invocation)

    def _work(self, invocation: Resource) -> None:
        try:
            self._conclude(invocation, self._outcome(invocation))
            self._folder_of(invocation).remove()
        except HostClosed:  # it goes on, or runs again at the next start
            return
        except Exception:  # noqa: BLE001 - the log has it, and the invocation is tried again
            _log.exception("the invocation %s failed inside the emulator", invocation.arn)
        finally:
            self._running.discard(invocation.arn)
        current = self._app.resources.by_arn(invocation.arn)
        if current is not None and current.status == "InProgress":
            self._begin_later(current, _AGAIN_SECONDS)

    def _outcome(self, invocation: Resource) -> Outcome:
        """What comes of an invocation, or came of it while an earlier emulator had it."""
        folder, once = self._folder_of(invocation), invocation.body[ORIGIN] == STEP
        self._host.wait_for(folder)
        for _ in range(_STARTS):
            if (found := _left(folder, invocation, once=once)) is not None:
                return found
            try:
                _, version = find_version(
                    invocation.body[FUNCTION_ARN], Context(invocation.scope, invocation.name, self._app)
                )
            except AwsError as error:
                return Outcome(json.dumps({"errorType": error.code, "errorMessage": error.message}), True)
            self._run(version, _call_of(invocation, once=once), folder)
        return _left(folder, invocation, once=once) or Outcome.error(invocation.name, UNAVAILABLE, _NO_HOST)

    def _run(self, version: Resource, call: Call, folder: RunFolder) -> None:
        group, stream = names = log_names(version)
        writer = self._app.logs.writer(version.scope, group, stream)
        try:
            self._host.run(make_order(version, call, folder.path, names, writer, self.code, self._app.settings))
        finally:
            writer.close()

    def _conclude(self, invocation: Resource, outcome: Outcome) -> None:
        resources = self._app.resources
        if invocation.body[ORIGIN] == STEP:
            resources.update(invocation.arn, _ended(outcome))
        elif outcome.failed and invocation.body[_ATTEMPT] <= len(RETRY_SECONDS):
            resources.update(invocation.arn, _again)
        else:
            resources.delete(invocation.arn)

    def accept(self, scope: Scope, arn: str, payload: str, request_id: str, client_context: Any = None) -> None:
        """Store an asynchronous invocation; it runs once the transaction it is stored in has ended."""
        body = {FUNCTION_ARN: arn, PAYLOAD: payload, ORIGIN: "event", _ATTEMPT: 1, CLIENT_CONTEXT: client_context}
        name = f"{arn}/invocation/{request_id}"
        self._app.resources.insert(Resource(scope, INVOCATION, request_id, name, body, "InProgress"))


def _call_of(invocation: Resource, *, once: bool) -> Call:
    body = invocation.body
    context, limit = body.get(CLIENT_CONTEXT), body.get(MAX, 900.0)
    return Call(invocation.name, body[FUNCTION_ARN], body[PAYLOAD], context, limit, once)


def _left(folder: RunFolder, invocation: Resource, *, once: bool) -> Outcome | None:
    """What a folder that nobody has says of its invocation; None if that may be run."""
    if folder.outcome is None and once and folder.begun:
        return Outcome.error(invocation.name, INTERRUPTED, _KILLED)
    return folder.outcome


def _ended(outcome: Outcome) -> Callable[[Resource], None]:
    def change(invocation: Resource) -> None:
        invocation.body[PAYLOAD] = outcome.payload
        invocation.body[ERROR] = outcome.failed
        invocation.status = "Failed" if outcome.failed else "Completed"

    return change


def _again(invocation: Resource) -> None:
    attempt = invocation.body[_ATTEMPT]
    invocation.body |= {_ATTEMPT: attempt + 1, _DUE: time.time() + RETRY_SECONDS[attempt - 1]}
