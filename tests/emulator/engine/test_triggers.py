"""Run conditions: steps that run after a failure, a stop or any end."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.engine.definition import read_definition
from emulator.engine.triggers import Triggers
from tests.emulator.engine.fakes import World, condition, equals, fail, processing, text_of


def after(step: str, trigger: str) -> dict[str, Any]:
    return {"Step": step, "Trigger": trigger}


def handler(name: str, *sources: Any, **more: Any) -> dict[str, Any]:
    return processing(name, DependsOn=list(sources), **more)


def run(world: World, steps: list[dict[str, Any]], **fates: str) -> tuple[str, dict[str, str]]:
    world.sagemaker.fates = fates
    arn = world.start(steps)
    status = world.wait(arn).status
    return status, world.statuses(arn)


FOUR = [
    processing("A"),
    *(handler(trigger, after("A", trigger)) for trigger in ("Completed", "Failed", "Stopped", "Any")),
]


@pytest.mark.parametrize(
    ("fate", "status", "ran"),
    [
        ("Completed", "Succeeded", {"Completed", "Any"}),
        ("Failed", "CompletedWithFailures", {"Failed", "Any"}),
        ("Stopped", "CompletedWithFailures", {"Stopped", "Any"}),
    ],
)
def test_each_trigger_lets_its_steps_run(world: World, fate: str, status: str, ran: set[str]) -> None:
    ended, steps = run(world, FOUR, A=fate)
    assert ended == status
    assert steps.keys() - {"A"} == ran
    assert steps["A"] == {"Completed": "Succeeded"}.get(fate, fate)


def test_what_needed_the_success_is_skipped_and_the_rest_goes_on(world: World) -> None:
    steps = [processing("A"), processing("B", "A"), processing("C", "B"), handler("H", after("A", "Failed"))]
    steps += [processing("AfterH", "H"), processing("Other")]
    status, ran = run(world, steps, A="Failed")
    assert status == "CompletedWithFailures"
    assert ran == {"A": "Failed", "Other": "Succeeded", "H": "Succeeded", "AfterH": "Succeeded"}


def test_a_handler_that_fails_fails_the_execution(world: World) -> None:
    status, ran = run(world, [processing("A"), handler("H", after("A", "Failed"))], A="Failed", H="Failed")
    assert (status, ran) == ("Failed", {"A": "Failed", "H": "Failed"})


def test_a_failure_whose_handler_did_not_run_in_the_end_is_not_handled(world: World) -> None:
    steps = [processing("A"), processing("B", DependsOn=[]), handler("H", after("A", "Failed"), after("B", "Failed"))]
    status, ran = run(world, steps, A="Failed")
    assert (status, ran) == ("Failed", {"A": "Failed", "B": "Succeeded"})


def test_both_failures_let_the_handler_of_both_run(world: World) -> None:
    steps = [processing("A"), processing("B"), handler("H", after("A", "Failed"), after("B", "Any"))]
    status, ran = run(world, steps, A="Failed", B="Failed")
    assert (status, ran["H"]) == ("CompletedWithFailures", "Succeeded")


def test_an_unhandled_failure_beside_a_handled_one_fails(world: World) -> None:
    status, _ = run(world, [processing("A"), processing("B"), handler("H", after("A", "Failed"))], B="Failed")
    assert status == "Failed"


def test_a_handler_may_refer_to_what_failed(world: World) -> None:
    name = {"JOB": {"Get": "Steps.A.ProcessingJobName"}, "WHY": {"Get": "Steps.A.FailureReason"}}
    steps = [processing("A"), handler("H", after("A", "Failed"), arguments={"Environment": name})]
    status, _ = run(world, steps, A="Failed")
    assert status == "CompletedWithFailures"
    request = world.sagemaker.made("CreateProcessingJob")[-1]
    assert request["Environment"] == {
        "JOB": world.sagemaker.job("A").name,
        "WHY": "AlgorithmError: , exit code: 1",
    }


def test_a_failed_condition_skips_both_branches_but_not_its_handler(world: World) -> None:
    check = condition("C", [equals(1, "1")], [processing("Yes")], [processing("No")])
    status, ran = run(world, [check, handler("H", after("C", "Failed"))])
    assert (status, ran) == ("CompletedWithFailures", {"C": "Failed", "H": "Succeeded"})


def test_a_fail_step_in_a_handled_pipeline_still_fails_it(world: World) -> None:
    steps = [processing("A"), {**fail("F", "gone"), "DependsOn": [after("A", "Failed")]}]
    status, ran = run(world, steps, A="Failed")
    assert (status, ran) == ("Failed", {"A": "Failed", "F": "Failed"})


def test_a_step_outside_may_wait_for_one_inside_a_condition(world: World) -> None:
    check = condition("C", [equals(1, 2)], [processing("Yes")], [processing("No")])
    steps = [check, processing("AfterYes", "Yes"), processing("AfterNo", "No"), handler("Any", after("Yes", "Any"))]
    _, ran = run(world, steps)
    assert set(ran) == {"C", "No", "AfterNo"}, "a step that does not run has no end, not even any"


def test_a_restart_after_a_handled_failure_goes_on_alike(world: World) -> None:
    world.sagemaker.fates = {"A": "Failed", "H": "hold"}
    arn = world.start([processing("A"), processing("B", "A"), handler("H", after("A", "Failed")), processing("C", "H")])
    world.wait_for(arn, H="Executing")
    world.restart()
    world.sagemaker.end("H")
    assert world.wait(arn).status == "CompletedWithFailures"
    assert world.statuses(arn) == {"A": "Failed", "H": "Succeeded", "C": "Succeeded"}


def test_an_entry_says_more_than_a_reference() -> None:
    uses = {"Environment": {"A": {"Get": "Steps.A.ProcessingJobName"}}}
    steps = [processing("A"), handler("H", after("A", "Failed"), arguments=uses), processing("R", arguments=uses)]
    triggers = Triggers(read_definition(text_of(steps)).steps)
    assert triggers.allow("H", "A", "Failed")
    assert not triggers.allow("R", "A", "Failed")
    assert triggers.allow("R", "A", "Succeeded")
