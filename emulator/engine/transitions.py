"""How the states of steps and executions change: ordered tables of named rules.

A change that no rule allows is a bug of the emulator, so it is an assertion. The names are those of the API
(PipelineExecutionStep.StepStatus, DescribePipelineExecution.PipelineExecutionStatus).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

STARTING: Final = "Starting"
EXECUTING: Final = "Executing"
STOPPING: Final = "Stopping"
STOPPED: Final = "Stopped"
FAILED: Final = "Failed"
SUCCEEDED: Final = "Succeeded"
COMPLETED_WITH_FAILURES: Final = "CompletedWithFailures"

ENDED: Final = frozenset({STOPPED, FAILED, SUCCEEDED, COMPLETED_WITH_FAILURES})
STEP_FAILURE: Final = "Step failure: One or multiple steps failed."


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    before: frozenset[str]
    after: str


STEP_RULES = (
    Rule("launch: what runs for the step exists", frozenset({STARTING}), EXECUTING),
    Rule("try again: its work failed in a way that a retry policy names", frozenset({STARTING, EXECUTING}), STARTING),
    Rule("request stop: the execution stops", frozenset({STARTING, EXECUTING}), STOPPING),
    Rule("succeed: its work is complete", frozenset({STARTING, EXECUTING, STOPPING}), SUCCEEDED),
    Rule("fail: its work failed or could not start", frozenset({STARTING, EXECUTING, STOPPING}), FAILED),
    Rule("stop: its work was stopped", frozenset({STARTING, EXECUTING, STOPPING}), STOPPED),
)

EXECUTION_RULES = (
    Rule("request stop: StopPipelineExecution", frozenset({EXECUTING}), STOPPING),
    Rule("stop: nothing runs any more", frozenset({STOPPING}), STOPPED),
    Rule("fail: a step failed and nothing runs any more", frozenset({EXECUTING}), FAILED),
    Rule("fail: a step timed out while the execution stopped", frozenset({STOPPING}), FAILED),
    Rule("complete: steps failed, and others ran because of it", frozenset({EXECUTING}), COMPLETED_WITH_FAILURES),
    Rule("succeed: every step that is to run has succeeded", frozenset({EXECUTING}), SUCCEEDED),
    Rule("retry: RetryPipelineExecution", frozenset({FAILED, STOPPED}), EXECUTING),
)


def step_rule(before: str, after: str) -> Rule:
    """The rule by which a step changes its state."""
    return _rule(STEP_RULES, before, after)


def execution_rule(before: str, after: str) -> Rule:
    """The rule by which an execution changes its state."""
    return _rule(EXECUTION_RULES, before, after)


def _rule(rules: tuple[Rule, ...], before: str, after: str) -> Rule:
    rule = next((rule for rule in rules if before in rule.before and after == rule.after), None)
    assert rule is not None, f"no rule leads from {before} to {after}"
    return rule


@dataclass(frozen=True, slots=True)
class Progress:
    """What an execution's end depends on."""

    stopping: bool
    failed: bool
    running: int
    ready: int
    failures: int = 0
    unhandled: int = 0
    """Of the failures those that no step has run for, or will."""
    timed_out: bool = False
    """Did a step time out that cannot be stopped?"""


def _idle(progress: Progress) -> bool:
    return not progress.running and not progress.ready


@dataclass(frozen=True, slots=True)
class Ending:
    """``when`` all of it holds, the execution ends as ``status``; the first that applies decides."""

    name: str
    when: Callable[[Progress], bool]
    status: str
    reason: str = ""


ENDINGS = (
    Ending(
        "a stopped execution does not forgive a timeout (StopPipelineExecution)",
        lambda it: it.stopping and not it.running and it.timed_out,
        FAILED,
        STEP_FAILURE,
    ),
    Ending("a stopped execution waits for what runs", lambda it: it.stopping and not it.running, STOPPED),
    Ending("a failed step lets its peers finish", lambda it: it.failed and not it.running, FAILED, STEP_FAILURE),
    Ending("a failure was handled by no step", lambda it: _idle(it) and it.unhandled > 0, FAILED, STEP_FAILURE),
    Ending("every failure was handled by a step", lambda it: _idle(it) and it.failures > 0, COMPLETED_WITH_FAILURES),
    Ending("nothing is left to run", lambda it: _idle(it), SUCCEEDED),
)


def ending(progress: Progress) -> Ending | None:
    """How the execution ends now, None while it goes on."""
    return next((ending for ending in ENDINGS if ending.when(progress)), None)
