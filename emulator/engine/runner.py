"""How an execution goes on: begin what is ready, write what has become of what runs, end when nothing is left.

Used by the engine's thread alone. Every change is in the database before anything acts on it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from emulator.aws.errors import AwsError
from emulator.engine.attempts import guarded, launch_again, prepare, record_of
from emulator.engine.caching import CacheHit, cache_key
from emulator.engine.definition import StepDefinition
from emulator.engine.execution import FAILURE_REASON, Execution
from emulator.engine.retries import exception_type, next_retry
from emulator.engine.steps import StepRun, Work, executor_of
from emulator.engine.steps.failures import cut, job_stopped
from emulator.engine.store import ExecutionStore
from emulator.engine.transitions import (
    ENDED,
    EXECUTING,
    FAILED,
    STARTING,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    Ending,
    ending,
    execution_rule,
)
from emulator.settings import Settings
from emulator.store.resources import Resource, Resources

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 1.0


Later: TypeAlias = Callable[[float, str, Callable[[Execution], None]], None]
"""After so many seconds, act on the execution of this ARN."""


class Runner:
    """``forget`` is called with an execution that is about to end."""

    def __init__(
        self,
        store: ExecutionStore,
        resources: Resources,
        settings: Settings,
        forget: Callable[[str], None],
        later: Later,
    ) -> None:
        self._store = store
        self._resources = resources
        self._stop_peers = settings.peers_on_failure == "stop"
        self._forget = forget
        self._later = later
        self.steps_by_arn: dict[str, tuple[str, str]] = {}
        """Which step of which execution waits for a resource."""

    def advance(self, execution: Execution) -> None:
        """Begin every step that may begin, then end the execution if nothing is left."""
        self.begin(execution)
        end = ending(execution.progress())
        if end is not None:
            self._finish(execution, end)

    def begin(self, execution: Execution) -> None:
        """Begin every step that may begin."""
        self._end_loops(execution)
        while execution.may_begin():
            self._begin(execution, execution.next_step())
            self._end_loops(execution)

    def follow(self, execution: Execution, step: str) -> None:
        """The resource that a step waits for has ended."""
        run = execution.running.get(step)
        if run is not None:
            self._look(execution, run)
        self.advance(execution)

    def halt(self, execution: Execution) -> None:
        """Stop what runs; the execution ends when it has."""
        execution.stopping = True
        self._stop_steps(execution)
        self.advance(execution)

    def abort(self, arn: str, reason: str) -> None:
        """End an execution, and every step of it that has not ended, as failed for this reason."""
        for step in self._store.steps(arn):
            if step.status not in ENDED:
                self._store.change(arn, step.name, step.status, FAILED, reason=cut(reason))

        def fail(resource: Resource) -> None:
            if resource.status not in ENDED:
                resource.status = STOPPED if resource.status == STOPPING else FAILED
                resource.body[FAILURE_REASON] = cut(reason)

        self._resources.update(arn, fail)

    def resume(self, execution: Execution, run: StepRun) -> None:
        """After a restart: follow what runs for a step, or launch it if the crash came before."""
        if run.status != STARTING:
            self._watch(execution, run)
            self._look(execution, run)
            self._stop_again(execution, run)
        elif run.retries.due is not None and run.retries.due > time.time() and not execution.stopping:
            self._wait_for_retry(execution, run, run.retries.due)
        else:
            run.retries = replace(run.retries, due=None)
            self._find_or_launch(execution, run)
        if execution.stopping or (execution.failed and self._stop_peers):
            self._stop_step(execution, run)

    def _find_or_launch(self, execution: Execution, run: StepRun) -> None:
        try:
            work = executor_of(run.step).find(run, execution)
        except AwsError as error:
            if not exception_type(error):
                raise
            self._later(_PATIENCE_SECONDS, execution.arn, lambda current: self._resume_again(current, run))
            return
        self._apply(execution, run, work or guarded(lambda: launch_again(execution, run)))

    def _resume_again(self, execution: Execution, run: StepRun) -> None:
        if execution.running.get(run.step.name) is run and run.status == STARTING:
            self._find_or_launch(execution, run)
            self.advance(execution)

    def _look(self, execution: Execution, run: StepRun) -> None:
        """Ask how far a step's work is; a passing failure to ask says nothing of the work, so it is asked again."""

        def ask() -> Work:
            try:
                return executor_of(run.step).follow(run, execution)
            except AwsError as error:
                if not exception_type(error):
                    raise
                self._later(_PATIENCE_SECONDS, execution.arn, lambda current: self.follow(current, run.step.name))
                return Work.running(run.arn, {})

        self._apply(execution, run, guarded(ask))

    def _begin(self, execution: Execution, step: StepDefinition) -> None:
        run = StepRun(step, STARTING, execution.attempts.get(step.name, 0) + 1)
        executor = executor_of(step)
        failure = prepare(execution, run)
        hit = None if failure else self._find_cached(execution, run)
        if hit is not None:
            self._take_over(execution, run, hit)
            return
        self._store.begin(record_of(execution, run))
        execution.running[step.name] = run
        self._apply(execution, run, failure or guarded(lambda: executor.launch(run, execution)))

    def _find_cached(self, execution: Execution, run: StepRun) -> CacheHit | None:
        policy, values = run.step.cache, executor_of(run.step).cache_values(run)
        if policy is None or values is None:
            return None
        since = 0.0 if policy.expire_after is None else time.time() - policy.expire_after
        return self._store.cache.find(execution.pipeline_arn, run.step.name, cache_key(values), since)

    def _take_over(self, execution: Execution, run: StepRun, hit: CacheHit) -> None:
        """An earlier success stands for this step: it begins and succeeds in one write."""
        record = record_of(execution, run)
        record.display["CacheHitResult"] = {"SourcePipelineExecutionArn": hit.execution}
        execution.running[run.step.name] = run
        with self._store.database.transaction():
            self._store.begin(record)
            self._ended(execution, run, Work.succeeded(hit.properties, hit.metadata, hit.arn), cached=True)

    def _apply(self, execution: Execution, run: StepRun, work: Work) -> None:
        if work.status == EXECUTING:
            self._executing(execution, run, work)
        elif work.status == FAILED and self._try_again(execution, run, work):
            return
        elif work.status == STOPPED and run.status == EXECUTING:
            self._ended(execution, run, replace(work, reason=job_stopped(run.step.name, work.metadata)))
        else:
            self._ended(execution, run, work)

    def _try_again(self, execution: Execution, run: StepRun, work: Work) -> bool:
        """Write another attempt, to be launched in a while, if a retry policy of the step asks for it."""
        if run.status == STOPPING or execution.stopping or (execution.failed and self._stop_peers):
            return False
        now = time.time()
        retries = next_retry(run.step.retries, work.error, run.retries, now)
        again = StepRun(run.step, STARTING, run.attempt + 1, retries=retries or run.retries)
        if retries is None or prepare(execution, again) is not None:
            return False
        record = record_of(execution, again)
        record.reason = cut(work.reason)
        record.retries = again.retries.document()
        self._store.begin_again(record, run.status)
        self.steps_by_arn.pop(run.arn, None)
        execution.running[run.step.name] = again
        self._wait_for_retry(execution, again, retries.due or now)
        return True

    def _wait_for_retry(self, execution: Execution, run: StepRun, due: float) -> None:
        def launch(current: Execution) -> None:
            waiting = current.running.get(run.step.name)
            if waiting is not None and waiting.attempt == run.attempt and waiting.retries.due is not None:
                waiting.retries = replace(waiting.retries, due=None)
                self._apply(current, waiting, guarded(lambda: executor_of(waiting.step).launch(waiting, current)))
                self.advance(current)

        self._later(max(0.0, due - time.time()), execution.arn, launch)

    def _executing(self, execution: Execution, run: StepRun, work: Work) -> None:
        if run.status != STARTING:
            return
        step = run.step.name
        self._store.change(execution.arn, step, STARTING, EXECUTING, arn=work.arn, metadata=work.metadata)
        run.status = EXECUTING
        run.arn = work.arn
        execution.opened(run)
        self._watch(execution, run)

    def _ended(self, execution: Execution, run: StepRun, work: Work, *, cached: bool = False) -> None:
        with self._store.database.transaction():
            self._store.change(
                execution.arn,
                run.step.name,
                run.status,
                work.status,
                arn=work.arn,
                reason=cut(work.reason),
                metadata=work.metadata,
                properties=work.properties,
            )
            if work.status == SUCCEEDED and not cached:
                self._remember(execution, run)
        run.status = work.status
        self.steps_by_arn.pop(run.arn, None)
        del execution.running[run.step.name]
        execution.loops.pop(run.step.name, None)
        if run.step.iteration is not None:
            self._child_ended(execution, run, work)
        elif work.status == SUCCEEDED:
            execution.succeed(run.step)
        else:
            execution.fail(run.step, work.status, work.reason)
            if execution.failed and self._stop_peers:
                self._stop_steps(execution)

    def _child_ended(self, execution: Execution, run: StepRun, work: Work) -> None:
        execution.child_ended(run.step, work.status, work.reason)
        if work.status == FAILED and self._stop_peers:
            assert run.step.iteration is not None
            for sibling in list(execution.running.values()):
                if sibling.step.iteration and sibling.step.iteration.parent == run.step.iteration.parent:
                    self._stop_step(execution, sibling)

    def _end_loops(self, execution: Execution) -> None:
        """End the ForEach steps whose children are through."""
        for run in [loop.run for loop in execution.loops.values() if loop.over]:
            self._look(execution, run)

    def _remember(self, execution: Execution, run: StepRun) -> None:
        """Let later executions take over this success, whether this step has caching on or not."""
        values = executor_of(run.step).cache_values(run)
        if values is not None:
            key = cache_key(values)
            self._store.cache.remember(execution.pipeline_arn, run.step.name, key, execution.arn, time.time())

    def _watch(self, execution: Execution, run: StepRun) -> None:
        if run.arn:
            self.steps_by_arn[run.arn] = (execution.arn, run.step.name)

    def _stop_steps(self, execution: Execution) -> None:
        for run in list(execution.running.values()):
            self._stop_step(execution, run)

    def _stop_step(self, execution: Execution, run: StepRun) -> None:
        if run.status == STARTING and run.retries.due is not None:
            self._ended(execution, run, Work.stopped())
            return
        if run.status != EXECUTING:
            return
        self._store.change(execution.arn, run.step.name, EXECUTING, STOPPING)
        run.status = STOPPING
        self._call_stop(execution, run)

    def _call_stop(self, execution: Execution, run: StepRun) -> None:
        try:
            executor_of(run.step).stop(run, execution)
        except AwsError as error:  # it has ended meanwhile, or the call met a passing failure
            _log.info("%s of %s was not stopped: %s", run.step.name, execution.arn, error.message)
            if exception_type(error):
                self._later(_PATIENCE_SECONDS, execution.arn, lambda current: self._stop_and_advance(current, run))
            self._look(execution, run)

    def _stop_again(self, execution: Execution, run: StepRun) -> None:
        """Ask again for a stop that may not have been asked for: the call failed, or the emulator died before it."""
        if run.status == STOPPING and execution.running.get(run.step.name) is run:
            self._call_stop(execution, run)

    def _stop_and_advance(self, execution: Execution, run: StepRun) -> None:
        self._stop_again(execution, run)
        self.advance(execution)

    def _finish(self, execution: Execution, end: Ending) -> None:
        def finish(resource: Resource) -> None:
            came_late = resource.status == STOPPING and not execution.stopping  # a stop at the last moment
            status = STOPPED if came_late else end.status
            execution_rule(resource.status, status)
            resource.status = status
            if status == FAILED:
                resource.body[FAILURE_REASON] = end.reason

        self._forget(execution.arn)
        self._resources.update(execution.arn, finish)
