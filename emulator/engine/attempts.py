"""One attempt at a step: resolve its arguments, launch its work, and take what goes wrong for the step's failure."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable

from emulator.aws.errors import AwsError
from emulator.engine.errors import ExpressionError
from emulator.engine.execution import Execution
from emulator.engine.retries import exception_type
from emulator.engine.steps import StepRun, Work, executor_of
from emulator.engine.store import StepRecord, display_of
from emulator.engine.transitions import FAILED

_log = logging.getLogger(__name__)


def guarded(act: Callable[[], Work]) -> Work:
    """Call an executor: what cannot be resolved, is refused or breaks fails the step, not the engine."""
    try:
        return act()
    except ExpressionError as error:
        return Work.failed(f"ClientError: {error}")
    except AwsError as error:
        return Work.failed(f"ClientError: {error.code}: {error.message}", error=exception_type(error))
    except (sqlite3.Error, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - our own fault: it is told, and the other executions go on
        _log.exception("a step failed by a fault of the emulator")
        return Work.failed(f"InternalServerError: {type(error).__name__}: {error}. The emulator's log has more.")


def record_of(execution: Execution, run: StepRun) -> StepRecord:
    """The row of an attempt as it begins."""
    return StepRecord(
        execution=execution.arn,
        name=run.step.name,
        type=run.step.type,
        status=run.status,
        attempt=run.attempt,
        started=time.time(),
        display=display_of(run.step),
        handle=run.handle,
        arguments=run.arguments,
    )


def prepare(execution: Execution, run: StepRun) -> Work | None:
    """Resolve the step's arguments; the step's failure if that is not possible."""

    def resolve() -> Work:
        with execution.resolving(run.step):
            executor_of(run.step).prepare(run, execution)
        return Work.running("", {})

    work = guarded(resolve)
    return work if work.status == FAILED else None


def launch_again(execution: Execution, run: StepRun) -> Work:
    """Launch what a crash or a retry has left to be launched, unless the execution is to stop."""
    if execution.stopping:
        return Work.stopped()
    return executor_of(run.step).launch(run, execution)
