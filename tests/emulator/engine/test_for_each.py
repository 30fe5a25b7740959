"""ForEach steps: what they accept, how their children run, what they give to later steps."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from tests.emulator.engine.fakes import World, condition, equals, eventually, fail, processing, text_of, training

ITEM = {"Get": "ForEach.CurrentItem"}


def body(name: str = "Body", *after: str, item: Any = ITEM, **more: Any) -> dict[str, Any]:
    """A step of a body that gets its item as an environment variable."""
    return processing(name, *after, arguments={"Environment": {"ITEM": item}}) | more


def each(items: Any, *steps: dict[str, Any], limit: Any = 50, name: str = "Fan", **more: Any) -> dict[str, Any]:
    arguments = {"IterableItems": items, "MaxConcurrency": limit, "ForEachBody": list(steps)}
    return {"Name": name, "Type": "ForEach", "Arguments": arguments | more.pop("arguments", {}), **more}


def selector(pick: str, path: str) -> dict[str, Any]:
    return {"Selector": {"Pick": pick, "Field": {"Get": f"IterationOutput.{path}"}}}


def shown(name: str, *paths: str) -> dict[str, Any]:
    """A step that gets what another step gives."""
    values = {f"V{number}": {"Get": f"Steps.Fan.{path}"} for number, path in enumerate(paths)}
    return processing(name, arguments={"Environment": values})


def environment(world: World, step: str) -> dict[str, str]:
    """What the job of a step was given."""
    requests = world.sagemaker.made("CreateProcessingJob")
    return next(dict(request["Environment"]) for request in requests if f"-{step}-" in request["ProcessingJobName"])


def test_the_body_runs_for_every_item_and_each_child_sees_its_own(world: World) -> None:
    items = ["plain", 7, True, {"Get": "Parameters.Last"}]
    arn = world.start([each(items, body())], parameters=[{"Name": "Last", "Type": "String", "DefaultValue": "end"}])

    assert world.wait(arn).status == "Succeeded"
    assert list(world.steps(arn)) == ["Fan", "Body-0", "Body-1", "Body-2", "Body-3"]
    seen = [environment(world, f"Body-{index}")["ITEM"] for index in range(4)]
    assert seen == ["plain", "7", "true", "end"]
    assert world.steps(arn)["Fan"].metadata["ForEach"] == {
        "Status": "Succeeded",
        "InputItemCount": 4,
        "TotalStepCount": 4,
        "SucceededStepCount": 4,
        "FailedStepCount": 0,
        "StoppedStepCount": 0,
    }


def test_children_say_of_which_item_they_are(world: World) -> None:
    arn = world.start([each('[{"size": 1}, "x"]', body())])
    world.wait(arn)

    contexts = [step.display.get("IterationContext") for step in world.steps(arn).values()]
    assert contexts == [
        None,
        {"ParentStepName": "Fan", "Index": 0, "Item": '{"size": 1}'},
        {"ParentStepName": "Fan", "Index": 1, "Item": "x"},
    ]


@pytest.mark.parametrize("items", ['[{"a": {"b": [1, "x"]}}]', [json.dumps({"a": {"b": [1, "x"]}})]])
def test_paths_lead_into_items_that_are_objects_or_their_json_text(world: World, items: Any) -> None:
    arn = world.start([each(items, body(item={"Get": "ForEach.CurrentItem.a['b'][1]"}))])
    assert world.wait(arn).status == "Succeeded"
    assert environment(world, "Body-0") == {"ITEM": "x"}


def test_items_may_come_from_another_step(world: World) -> None:
    world.objects.files["s3://bucket/items.json"] = b'{"files": ["a", "b"]}'
    items = {"Std:JsonGet": {"S3Uri": "s3://bucket/items.json", "Path": "files"}}
    arn = world.start([processing("First"), each(items, body(), DependsOn=["First"])])
    assert world.wait(arn).status == "Succeeded"
    assert list(world.steps(arn)) == ["First", "Fan", "Body-0", "Body-1"]


def test_no_items_are_no_failure(world: World) -> None:
    arn = world.start(
        [each("[]", body(), arguments=selector("MaxBy", "Body.ExitMessage")), shown("After", "InputItemCount")]
    )
    assert world.wait(arn).status == "Succeeded"
    assert environment(world, "After") == {"V0": "0"}
    assert list(world.steps(arn)) == ["Fan", "After"]


@pytest.mark.parametrize("text", ["not json", '{"a": 1}', "7", "[NaN]", "[" * 1000])
def test_items_that_are_no_list_fail_the_step_with_a_reason(world: World, text: str) -> None:
    arn = world.start([each({"Get": "Parameters.Items"}, body())], parameters=_items(), given={"Items": text})
    assert world.wait(arn).status == "Failed"
    assert "JSON list" in world.steps(arn)["Fan"].reason


def _items() -> list[dict[str, Any]]:
    return [{"Name": "Items", "Type": "String"}]


def test_at_most_max_concurrency_children_run_at_a_time(world: World) -> None:
    world.sagemaker.fates = {f"Body-{index}": "hold" for index in range(5)}
    arn = world.start([each(list("abcde"), body(), limit=2)])
    for first in range(0, 4, 2):
        world.wait_for(arn, **{f"Body-{first}": "Executing", f"Body-{first + 1}": "Executing"})
        assert f"Body-{first + 2}" not in world.steps(arn)
        world.sagemaker.end(f"Body-{first}")
        world.sagemaker.end(f"Body-{first + 1}")
    world.wait_for(arn, **{"Body-4": "Executing"})
    world.sagemaker.end("Body-4")
    assert world.wait(arn).status == "Succeeded"


def test_the_execution_limit_holds_for_children_but_not_for_the_step_around_them(world: World) -> None:
    world.sagemaker.fates = {"Body-0": "hold", "Body-1": "hold"}
    arn = world.start([each(["a", "b"], body()), processing("Other")], limit=1)
    world.wait_for(arn, **{"Body-0": "Executing"})
    assert list(world.steps(arn)) == ["Fan", "Body-0"]
    world.sagemaker.end("Body-0")
    world.wait_for(arn, **{"Body-1": "Executing"})
    world.sagemaker.end("Body-1")
    assert world.wait(arn).status == "Succeeded"
    assert list(world.steps(arn)) == ["Fan", "Body-0", "Body-1", "Other"]


def test_steps_of_a_body_wait_for_each_other_within_an_iteration(world: World) -> None:
    second = body("Second", item={"Get": "Steps.First.ProcessingJobName"})
    world.sagemaker.fates = {"First-0": "hold"}
    arn = world.start([each(["a", "b"], second, body("First"))])
    world.wait_for(arn, **{"Second-1": "Succeeded", "First-0": "Executing"})
    assert "Second-0" not in world.steps(arn)
    world.sagemaker.end("First-0")

    assert world.wait(arn).status == "Succeeded"
    for index in range(2):
        assert f"-First-{index}-" in environment(world, f"Second-{index}")["ITEM"]


def test_property_files_of_a_body_are_those_of_the_same_iteration(world: World) -> None:
    report = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "e.json"}
    get = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.First.PropertyFiles.Report"}, "Path": "auc"}}
    first = processing(
        "First",
        arguments={
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": {"Std:Join": {"On": "/", "Values": ["s3://bucket", ITEM]}},
                            "LocalPath": "/opt/ml/processing/out",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            }
        },
        PropertyFiles=[report],
    )
    world.objects.files |= {f"s3://bucket/{name}/e.json": b'{"auc": "of %s"}' % name.encode() for name in "ab"}
    arn = world.start([each(["a", "b"], first, body("Second", item=get))])
    assert world.wait(arn).status == "Succeeded"
    assert [environment(world, f"Second-{index}")["ITEM"] for index in range(2)] == ["of a", "of b"]


def test_a_body_makes_its_step_wait_for_what_it_refers_to_outside(world: World) -> None:
    world.sagemaker.fates = {"First": "hold"}
    inner = body(item={"Get": "Steps.First.ProcessingJobName"})
    arn = world.start([each(["a"], inner), processing("First")])
    world.wait_for(arn, First="Executing")
    assert list(world.steps(arn)) == ["First"]
    world.sagemaker.end("First")
    assert world.wait(arn).status == "Succeeded"
    assert "-First-" in environment(world, "Body-0")["ITEM"]


def test_outputs_of_iterations_and_counts_are_properties(world: World) -> None:
    paths = ("Status", "SucceededStepCount", "IterationOutputs[1].Body.Environment['ITEM']")
    arn = world.start([each(["a", "b"], body()), shown("After", *paths)])
    assert world.wait(arn).status == "Succeeded"
    assert environment(world, "After") == {"V0": "Succeeded", "V1": "2", "V2": "b"}


@pytest.mark.parametrize(("pick", "best"), [("MaxBy", 1), ("MinBy", 2)])
def test_a_selector_picks_an_iteration_by_number_and_of_equal_ones_the_first(
    world: World, pick: str, best: int
) -> None:
    items = ["3", "20", "-1.5", "20", "-1.5"]
    fan = each(items, body(), arguments=selector(pick, "Body.Environment['ITEM']"))
    arn = world.start([fan, shown("After", "Selected.ProcessingJobName")])
    assert world.wait(arn).status == "Succeeded"
    assert f"-Body-{best}-" in environment(world, "After")["V0"]
    assert world.steps(arn)["Fan"].metadata["ForEach"]["Selector"] == {"StepName": f"Body-{best}", "Index": best}


@pytest.mark.parametrize(("item", "reason"), [("many", "expected a number to compare, not many"), ("nan", "not nan")])
def test_a_selector_that_cannot_compare_fails_the_step(world: World, item: str, reason: str) -> None:
    fan = each(["1", item], body(), arguments=selector("MaxBy", "Body.Environment['ITEM']"))
    arn = world.start([fan])
    assert world.wait(arn).status == "Failed"
    step = world.steps(arn)["Fan"]
    assert "IterationOutput.Body.Environment['ITEM'] of iteration 1" in step.reason
    assert reason in step.reason


def test_after_a_failure_no_child_begins_and_what_runs_finishes(world: World) -> None:
    world.sagemaker.fates = {"Body-0": "hold", "Body-1": "hold"}
    arn = world.start([each(list("abcd"), body(), limit=2), shown("After", "Status")])
    world.wait_for(arn, **{"Body-0": "Executing", "Body-1": "Executing"})
    world.sagemaker.end("Body-1", "Failed", FailureReason="AlgorithmError: no")
    world.wait_for(arn, **{"Body-1": "Failed"})
    assert world.statuses(arn)["Fan"] == "Executing"
    world.sagemaker.end("Body-0")

    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn) == {"Fan": "Failed", "Body-0": "Succeeded", "Body-1": "Failed"}
    fan = world.steps(arn)["Fan"]
    assert fan.metadata["ForEach"] == {
        "Status": "Failed",
        "InputItemCount": 4,
        "TotalStepCount": 2,
        "SucceededStepCount": 1,
        "FailedStepCount": 1,
        "StoppedStepCount": 0,
    }
    assert fan.reason == "ClientError: 1 of 4 items failed, first in 'Body-1': ClientError: AlgorithmError: no"


def test_a_handler_of_a_failed_step_may_refer_to_its_status_and_counts(world: World) -> None:
    world.sagemaker.fates = {"Body-1": "Failed"}
    handler = shown("After", "Status", "FailedStepCount") | {"DependsOn": [{"Step": "Fan", "Trigger": "Failed"}]}
    arn = world.start([each(["a", "b"], body()), handler])
    assert world.wait(arn).status == "CompletedWithFailures"
    assert environment(world, "After") == {"V0": "Failed", "V1": "1"}


def test_with_peers_stopped_a_failure_stops_the_other_children(tmp_path: Path) -> None:
    world = World(tmp_path, peers_on_failure="stop")
    world.sagemaker.fates = {"Body-0": "hold", "Body-1": "hold"}
    arn = world.start([each(["a", "b"], body())])
    world.wait_for(arn, **{"Body-0": "Executing", "Body-1": "Executing"})
    world.sagemaker.end("Body-1", "Failed")
    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn) == {"Fan": "Failed", "Body-0": "Stopped", "Body-1": "Failed"}
    world.close()


def test_after_somebody_stopped_a_child_no_other_begins(world: World) -> None:
    world.sagemaker.fates = {"Body-0": "hold"}
    arn = world.start([each(list("abc"), body(), limit=1)])
    world.wait_for(arn, **{"Body-0": "Executing"})
    world.sagemaker.end("Body-0", "Stopped")
    assert world.wait(arn).status == "Failed"
    assert world.statuses(arn) == {"Fan": "Stopped", "Body-0": "Stopped"}


def test_stopping_the_execution_stops_the_children_and_then_the_step(world: World) -> None:
    world.sagemaker.fates = {"Body-0": "hold", "Body-1": "hold"}
    arn = world.start([each(list("abc"), body(), limit=2)])
    world.wait_for(arn, **{"Body-0": "Executing", "Body-1": "Executing"})
    world.engine.stop(arn)
    assert world.wait(arn).status == "Stopped"
    assert world.statuses(arn) == {"Fan": "Stopped", "Body-0": "Stopped", "Body-1": "Stopped"}
    assert world.steps(arn)["Fan"].metadata["ForEach"]["StoppedStepCount"] == 2


def test_a_restart_in_the_middle_goes_on_where_it_was(world: World) -> None:
    world.sagemaker.fates = {"Body-1": "hold"}
    arn = world.start([each(list("abc"), body(), limit=1), shown("After", "IterationOutputs[0].Body.Environment.ITEM")])
    world.wait_for(arn, **{"Body-1": "Executing"})
    world.restart()
    eventually(lambda: world.statuses(arn)["Body-1"] == "Executing")
    world.sagemaker.end("Body-1")
    assert world.wait(arn).status == "Succeeded"
    assert set(world.statuses(arn).values()) == {"Succeeded"}
    assert environment(world, "After") == {"V0": "a"}
    assert len(world.resources.with_status("processing-job", "Completed")) == 4


def test_a_restart_after_the_step_has_ended_does_not_run_it_again(world: World) -> None:
    world.sagemaker.fates = {"After": "hold"}
    arn = world.start([each(["a"], body()), shown("After", "Status")])
    world.wait_for(arn, After="Executing")
    world.restart()
    world.sagemaker.end("After")
    assert world.wait(arn).status == "Succeeded"
    assert len(world.resources.with_status("processing-job", "Completed")) == 2


def test_a_step_of_a_branch_may_be_a_for_each(world: World) -> None:
    arn = world.start([condition("C", [equals(1, 1)], [each(["a"], body())], [each(["b"], body("No"), name="Else")])])
    assert world.wait(arn).status == "Succeeded"
    assert list(world.steps(arn)) == ["C", "Fan", "Body-0"]


def test_a_hundred_items_cost_ten_times_what_ten_cost(world: World) -> None:
    def seconds(count: int) -> float:
        begin = time.process_time()
        arn = world.start([each(json.dumps(list(range(count))), body())])
        assert world.wait(arn).status == "Succeeded"
        return time.process_time() - begin

    seconds(10)
    few, many = min(seconds(20) for _ in range(3)), seconds(200)
    assert many < 20 * few, (few, many)


def refused(*steps: dict[str, Any]) -> str:
    with pytest.raises(DefinitionError) as raised:
        check_definition(read_definition(text_of(list(steps))))
    return raised.value.message


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (each([], body()), "IterableItems must have 1 to 100 elements; it has 0."),
        (each(["a"] * 101, body()), "IterableItems must have 1 to 100 elements; it has 101."),
        (each({"a": 1}, body()), "IterableItems must be a list, or an expression whose value is a JSON list."),
        (each([["a"]], body()), "An item must be a string, a number, a boolean or an expression."),
        (each(["a"], body(), limit=0), "MaxConcurrency must be an integer from 1 to 50, not 0."),
        (each(["a"], body(), limit=51), "MaxConcurrency must be an integer from 1 to 50, not 51."),
        (each(["a"], body(), limit=True), "MaxConcurrency must be an integer from 1 to 50, not true."),
        (each(["a"]), "ForEachBody must have at least one step."),
        (each(["a"], fail("F", "")), "Step 'F' of type 'Fail' is not allowed in ForEachBody."),
        (each(["a"], each(["b"], body(), name="In")), "Step 'In' of type 'ForEach' is not allowed in ForEachBody."),
        (each(["a"], condition("C", [])), "Step 'C' of type 'Condition' is not allowed in ForEachBody."),
        (each(["a"], body("Fan")), "Step names must be unique. Duplicate name 'Fan'."),
        (each(["a"], body(), arguments={"Extra": 1}), "Unknown Argument member 'Extra'."),
        (each(["a"], body(), arguments={"Selector": {"Pick": "MaxBy"}}), "A selector has the members Pick and Field."),
        (each(["a"], body(), arguments=selector("Best", "Body.ExitMessage")), "Unknown pick 'Best'."),
        (each(["a"], body(), arguments=selector("MaxBy", "Other.ExitMessage")), "the steps of the body are Body."),
        (each(["a"], body(), arguments=selector("MaxBy", "Body")), "the steps of the body are Body."),
        (each(["a"], body(), arguments=selector("MaxBy", "Body.Nothing")), "leads to nothing"),
        (each(["a"], body("A", "B"), body("B", "A")), "Steps depend on each other in a cycle: A -> B -> A."),
        (each(["a"], body(item={"Get": "Steps.Fan.Status"})), "Steps depend on each other in a cycle: Fan -> Fan."),
        (
            each(["a"], body(), body("H", DependsOn=[{"Step": "Body", "Trigger": "Any"}])),
            "it has no other trigger.",
        ),
        (each(["a"], body("B", "Nowhere")), "Unknown step 'Nowhere'."),
        (each(["a"], body(item={"Get": "ForEach.Nothing"})), "there is no 'Nothing' of ForEach; known is CurrentItem"),
    ],
)
def test_steps_that_could_not_run_are_refused(step: dict[str, Any], reason: str) -> None:
    assert reason in refused(step)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Steps.Body.ProcessingJobArn", "it runs for each item of a ForEach step, see Steps.Fan.IterationOutputs"),
        ("Steps.Fan.Nothing", "a ForEach step has Status, InputItemCount"),
        ("Steps.Fan.Status.x", "Status is a value without members"),
        ("Steps.Fan.IterationOutputs[0].Other.x", "a ForEach step has Status"),
        ("Steps.Fan.IterationOutputs[0].Body.Nothing", "has no 'Nothing'"),
        ("Steps.Fan.IterationOutputs.Body.ProcessingJobArn", "a ForEach step has Status"),
        ("Steps.Fan.Selected.ProcessingJobArn", "a ForEach step has Status"),
        ("ForEach.CurrentItem", "'ForEach.CurrentItem' has a value only in the steps of a ForEachBody"),
        ("IterationOutput.Body.ProcessingJobArn", "has a value only as Field of the selector"),
    ],
)
def test_references_that_lead_nowhere_are_refused(path: str, reason: str) -> None:
    message = refused(each(["a"], body()), processing("After", arguments={"Environment": {"V": {"Get": path}}}))
    assert reason in message
    assert "After" in message


def test_no_step_may_be_called_like_a_child() -> None:
    assert "The name is that of a child of step 'Body'" in refused(each(["a"], body()), training("Body-7"))
    check_definition(read_definition(text_of([each(["a"], body()), training("Body-x"), training("Other-7")])))
