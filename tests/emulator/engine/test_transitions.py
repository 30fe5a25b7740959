from __future__ import annotations

import itertools

import pytest

from emulator.engine.transitions import (
    ENDED,
    ENDINGS,
    EXECUTION_RULES,
    STEP_FAILURE,
    STEP_RULES,
    Progress,
    ending,
    execution_rule,
    step_rule,
)

STATES = ("Starting", "Executing", "Stopping", "Stopped", "Failed", "Succeeded")


@pytest.mark.parametrize(("before", "after"), list(itertools.product(STATES, STATES)))
def test_a_change_needs_a_rule(before: str, after: str) -> None:
    legal = any(before in rule.before and after == rule.after for rule in STEP_RULES)
    if legal:
        assert step_rule(before, after).after == after
        assert before not in ENDED, "what has ended never changes"
    else:
        with pytest.raises(AssertionError, match=f"no rule leads from {before} to {after}"):
            step_rule(before, after)


def test_executions_end_once_unless_they_are_retried() -> None:
    assert [rule.name for rule in EXECUTION_RULES if rule.before & ENDED] == ["retry: RetryPipelineExecution"]
    assert execution_rule("Executing", "Stopping").name.startswith("request stop")
    with pytest.raises(AssertionError):
        execution_rule("Stopping", "Succeeded")


def test_rules_have_names_of_their_own() -> None:
    for table in (STEP_RULES, EXECUTION_RULES, ENDINGS):
        assert len({rule.name for rule in table}) == len(table)


@pytest.mark.parametrize(
    ("progress", "status", "reason"),
    [
        (Progress(stopping=False, failed=False, running=0, ready=1), None, ""),
        (Progress(stopping=False, failed=False, running=1, ready=0), None, ""),
        (Progress(stopping=False, failed=False, running=0, ready=0), "Succeeded", ""),
        (Progress(stopping=False, failed=True, running=1, ready=0), None, ""),
        (Progress(stopping=False, failed=True, running=0, ready=3), "Failed", STEP_FAILURE),
        (Progress(stopping=True, failed=False, running=1, ready=0), None, ""),
        (Progress(stopping=True, failed=True, running=0, ready=1), "Stopped", ""),
        (Progress(stopping=False, failed=False, running=0, ready=1, failures=1), None, ""),
        (Progress(stopping=False, failed=False, running=0, ready=0, failures=1), "CompletedWithFailures", ""),
        (Progress(stopping=False, failed=False, running=0, ready=0, failures=2, unhandled=1), "Failed", STEP_FAILURE),
    ],
)
def test_endings(progress: Progress, status: str | None, reason: str) -> None:
    end = ending(progress)
    assert (end.status if end else None) == status
    assert (end.reason if end else "") == reason
