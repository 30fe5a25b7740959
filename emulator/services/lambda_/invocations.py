"""Invocations that must not be lost: asynchronous ones, and those that a pipeline's Lambda step waits for.

Each is a resource: stored before anybody is told that it was accepted, ended when its outcome is known. After a crash
an invocation whose result lies on disk is not run again. One that was running is: its process died with the emulator,
and the request id is the same, as in Lambda's own retries.
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
from emulator.launchers.launcher import Launcher
from emulator.services.context import App, Context
from emulator.services.lambda_.code import CodeStore
from emulator.services.lambda_.errors import TooManyRequests
from emulator.services.lambda_.names import find_version
from emulator.services.lambda_.sandbox import Call, Outcome, Sandbox
from emulator.store.resources import Resource, Scope

MAX_CONCURRENT = 64
"""Invocations at the same time; AWS's default for an account is 1,000."""
RETRY_SECONDS = (60.0, 120.0)
"""Before the second and third attempt at an asynchronous invocation (Lambda Developer Guide, "Asynchronous
invocation": Lambda waits a minute, then two)."""
CLIENT_CONTEXT = "ClientContext"
_ATTEMPT = "Attempt"
_DUE = "Due"

_log = logging.getLogger(__name__)


class Functions:
    """Runs functions in threads; ``recover`` takes up the invocations that an earlier emulator left."""

    def __init__(self, app: App, launcher: Launcher, clock: Scheduler) -> None:
        root = app.settings.data_dir.absolute() / "functions"
        self.code = CodeStore(root / "code")
        self.sandbox = Sandbox(app.settings, app.logs, launcher, self.code, root / "runs")
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
        try:
            return self.sandbox.run(version, call)
        finally:
            self.sandbox.forget(call.request_id)
            self._running.discard(call.request_id)

    def recover(self) -> None:
        for invocation in self._app.resources.with_status(INVOCATION, "InProgress"):
            self._begin_later(invocation)

    def wake(self) -> None:
        """Look for invocations that were stored in a larger transaction, which has ended."""
        self.recover()

    def close(self) -> None:
        """The processes end with their launcher; what was durable runs again."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _stored(self, resource: Resource) -> None:
        if resource.kind == INVOCATION and resource.status == "InProgress":
            self._begin_later(resource)

    def _begin_later(self, invocation: Resource) -> None:
        arn, due = invocation.arn, invocation.body.get(_DUE, 0.0)
        wait = max(0.0, due - time.time())
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
            outcome = self.sandbox.noted(invocation.name) or self._run(invocation)
            if not self._closed:  # else it was killed by our own end and runs again at the next start
                self._conclude(invocation, outcome)
                self.sandbox.forget(invocation.name)
        except Exception:  # noqa: BLE001 - the log has it, and the invocation is tried again
            _log.exception("the invocation %s failed inside the emulator", invocation.arn)
        finally:
            self._running.discard(invocation.arn)
            current = self._app.resources.by_arn(invocation.arn) if not self._closed else None
            if current is not None and current.status == "InProgress":
                self._begin_later(current)

    def _run(self, invocation: Resource) -> Outcome:
        body = invocation.body
        context = Context(invocation.scope, invocation.name, self._app)
        try:
            _, version = find_version(body[FUNCTION_ARN], context)
        except AwsError as error:
            return Outcome(json.dumps({"errorType": error.code, "errorMessage": error.message}), True)
        call = Call(invocation.name, body[FUNCTION_ARN], body[PAYLOAD], body.get(CLIENT_CONTEXT), body.get(MAX, 900.0))
        try:
            return self.sandbox.run(version, call)
        except Exception as error:
            if self._closed:
                raise
            _log.exception("the function %s could not be run", version.arn)
            return Outcome(json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}), True)

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


def _ended(outcome: Outcome) -> Callable[[Resource], None]:
    def change(invocation: Resource) -> None:
        invocation.body[PAYLOAD] = outcome.payload
        invocation.body[ERROR] = outcome.failed
        invocation.status = "Failed" if outcome.failed else "Completed"

    return change


def _again(invocation: Resource) -> None:
    attempt = invocation.body[_ATTEMPT]
    invocation.body |= {_ATTEMPT: attempt + 1, _DUE: time.time() + RETRY_SECONDS[attempt - 1]}
