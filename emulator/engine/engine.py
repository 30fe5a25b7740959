"""The engine runs pipelines: it executes the stored definition by calling the operations that each step stands for.

Crash-only. An execution in memory is a view of the database: starting one and continuing one after a crash are the same
``_open``. Before a step launches anything, the name it will be found by is written; so a crash at any moment
leads to the job being adopted, never to a second one.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from emulator.engine.definition import Definition, read_definition
from emulator.engine.environment import Reader
from emulator.engine.errors import ExpressionError
from emulator.engine.execution import ATTEMPTS, FAILURE_REASON, KIND, PIPELINE_ARN, VERSION, Execution, limit_of
from emulator.engine.expressions import evaluate
from emulator.engine.reruns import steps_to_run_anew
from emulator.engine.retries import Retries
from emulator.engine.runner import Runner
from emulator.engine.scheduler import Scheduler
from emulator.engine.steps import StepRun, executor_of
from emulator.engine.store import ExecutionStore, StepRecord
from emulator.engine.transitions import ENDED, EXECUTING, STARTING, STOPPING, execution_rule
from emulator.settings import Settings
from emulator.store.resources import Resource, Resources

if TYPE_CHECKING:
    from emulator.services.context import Invoke

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_WORK_ENDED = frozenset({"Completed", "Failed", "Stopped"})


class Engine:
    """Runs executions in one thread of its own; its public methods may be called from any thread."""

    def __init__(self, resources: Resources, objects: Reader, settings: Settings) -> None:
        self.store = ExecutionStore(resources.database)
        self._resources = resources
        self._objects = objects
        self._scheduler = Scheduler("engine")
        self._runner = Runner(self.store, resources, settings, self._forget, self._later)
        self._executions: dict[str, Execution] = {}
        self._invoke: Invoke
        self._warm_up: Callable[[Iterable[str]], None]
        resources.subscribe(self._resource_changed)

    def bind(self, invoke: Invoke, warm_up: Callable[[Iterable[str]], None]) -> None:
        """Say how operations are called and images prepared, and begin to work."""
        self._invoke = invoke
        self._warm_up = warm_up
        self._scheduler.start()

    def start(self, execution_arn: str) -> None:
        """Run an execution whose resource has been stored as Executing."""
        self._post(execution_arn, self._runner.advance)

    def stop(self, execution_arn: str) -> None:
        """Bring an execution from Executing to Stopping; it ends as Stopped when nothing of it runs any more."""

        def request(resource: Resource) -> None:
            if resource.status == EXECUTING:
                execution_rule(EXECUTING, STOPPING)
                resource.status = STOPPING

        with self.store.database.transaction():
            self._resources.update(execution_arn, request)
            self.store.database.after_commit(lambda: self._post(execution_arn, self._halt))

    def retry(self, execution_arn: str, change: Callable[[Resource], None]) -> None:
        """Bring an execution that failed or was stopped back to Executing, without what did not succeed; then start it.

        Call ``start`` when the transaction that this belongs to has ended: the engine's thread sees nothing before.
        """
        resource = self._resources.by_arn(execution_arn)
        assert resource is not None
        with self.store.database.transaction():
            anew = steps_to_run_anew(self._definition_of(resource), self.store.steps(execution_arn))
            self.store.forget_steps(execution_arn, anew)

            def begin_again(resource: Resource) -> None:
                execution_rule(resource.status, EXECUTING)
                resource.status = EXECUTING
                resource.body.pop(FAILURE_REASON, None)
                resource.body[ATTEMPTS] = resource.body.get(ATTEMPTS, {}) | anew
                change(resource)

            self._resources.update(execution_arn, begin_again)

    def refresh(self, execution_arn: str) -> None:
        """The settings of a running execution (its parallelism) have changed."""
        self._post(execution_arn, self._reconfigure)

    def recover(self) -> None:
        """Continue every execution that has not ended."""
        for resource in self._resources.with_status(KIND, EXECUTING, STOPPING):
            self.start(resource.arn)

    def close(self) -> None:
        """Stop working; executions stay as they are in the database."""
        self._scheduler.close()

    def _resource_changed(self, resource: Resource) -> None:
        if resource.status in _WORK_ENDED:
            arn = resource.arn
            self._scheduler.post(lambda: self._work_ended(arn))

    def _work_ended(self, arn: str) -> None:
        if arn in self._runner.steps_by_arn:
            execution_arn, step = self._runner.steps_by_arn[arn]
            self._act(execution_arn, lambda execution: self._runner.follow(execution, step))

    def _post(self, arn: str, action: Callable[[Execution], None]) -> None:
        self._scheduler.post(lambda: self._act(arn, action))

    def _later(self, seconds: float, arn: str, action: Callable[[Execution], None]) -> None:
        self._scheduler.later(seconds, lambda: self._act(arn, action))

    def _act(self, arn: str, action: Callable[[Execution], None]) -> None:
        """Act on an execution. If the disk fails, its view is dropped and read again after a while."""
        try:
            execution = self._executions.get(arn) or self._open(arn)
            if execution is not None:
                action(execution)
        except (sqlite3.Error, OSError):
            _log.exception("execution %s is read again in %s s", arn, _RETRY_SECONDS)
            self._forget(arn)
            self._scheduler.later(_RETRY_SECONDS, lambda: self._act(arn, self._runner.advance))
        except Exception as error:  # noqa: BLE001 - our own fault: the execution says so instead of hanging
            _log.exception("execution %s failed by a fault of the emulator", arn)
            self._forget(arn)
            self._runner.abort(arn, f"InternalServerError: {type(error).__name__}: {error}")

    def _open(self, arn: str) -> Execution | None:
        """The view of an execution as the database has it, with everything resumed; None if it has ended."""
        resource = self._resources.by_arn(arn)
        if resource is None or resource.status in ENDED:
            return None
        execution = Execution(
            resource, self._definition_of(resource), self.store, self._resources, self._objects, self._invoke
        )
        self._executions[arn] = execution
        records = self.store.steps(arn)
        if not records:
            self._prepare_images(execution)
        for record in records:
            self._restore(execution, record)
        interrupted = list(execution.running.values())
        self._runner.begin(execution)  # what was ready begins, as it would have, before it is heard how the rest ended
        for run in interrupted:
            if execution.running.get(run.step.name) is run:  # a ForEach step may have ended with its last child
                self._runner.resume(execution, run)
        return execution

    def _definition_of(self, resource: Resource) -> Definition:
        version = self.store.versions.get(resource.body[PIPELINE_ARN], resource.body[VERSION])
        assert version is not None, f"the definition of {resource.arn} is missing"
        return read_definition(version.definition)

    def _restore(self, execution: Execution, record: StepRecord) -> None:
        """Take a step as the database has it; they come in the order in which they began, so it is ready."""
        step = execution.taken(record)
        if step is None:
            return
        match record.status:
            case "Succeeded" | "Failed" | "Stopped" if step.iteration is not None:
                execution.child_ended(step, record.status, record.reason)
            case "Succeeded":
                execution.succeed(step)
            case "Failed" | "Stopped":
                execution.fail(step, record.status, record.reason)
            case "Starting" | "Executing" | "Stopping":
                run = StepRun(step, record.status, record.attempt, record.handle, arn=record.arn)
                run.arguments = self.store.arguments(execution.arn, record.name)
                run.retries = _retries_of(record)
                execution.running[record.name] = run
                if record.status != STARTING:
                    execution.opened(run)

    def _prepare_images(self, execution: Execution) -> None:
        environment = execution.environment({})
        images: set[str] = set()
        for step in execution.definition.every_step():
            for image in executor_of(step).images(step):
                try:
                    uri = evaluate(image, environment)
                except ExpressionError:  # known only when other steps have run
                    continue
                if isinstance(uri, str):
                    images.add(uri)
        if images:
            self._warm_up(sorted(images))

    def _halt(self, execution: Execution) -> None:
        """Stop an execution, unless it had ended when the stop came and has been retried since."""
        resource = self._resources.by_arn(execution.arn)
        if resource is not None and resource.status == STOPPING:
            self._runner.halt(execution)
        else:
            self._runner.advance(execution)

    def _reconfigure(self, execution: Execution) -> None:
        resource = self._resources.by_arn(execution.arn)
        if resource is not None:
            execution.limit = limit_of(resource)
        self._runner.advance(execution)

    def _forget(self, arn: str) -> None:
        execution = self._executions.pop(arn, None)
        if execution is not None:
            for run in execution.running.values():
                self._runner.steps_by_arn.pop(run.arn, None)


def _retries_of(record: StepRecord) -> Retries:
    """What a step has used of its policies; only a step that has not been launched waits for anything."""
    retries = Retries.of(record.retries)
    return retries if record.status == STARTING else replace(retries, due=None)
