from typing import Any, cast

from pipelines.connection import Connection
from pipelines.follow import LONGEST_INTERVAL, SHORTEST_INTERVAL, follow_execution, interval
from tests.pipelines.fakes import ARN, Client, FakeConnection, step


class Recorder:
    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []

    def update(self, steps: list[dict[str, Any]], *, ended: bool = False) -> None:
        self.seen.append({item["StepName"]: item["StepStatus"] for item in steps})


def test_it_polls_until_the_execution_has_ended() -> None:
    polls: list[list[dict[str, Any]]] = [
        [],
        [step("A", "Executing")],
        [step("A", "Succeeded", 0, 1)],
        [step("A", "Succeeded", 0, 1), step("B", "Succeeded", 1, 2)],
    ]
    statuses = ["Executing", "Executing", "Succeeded"]
    sagemaker = Client(
        list_pipeline_execution_steps=[{"PipelineExecutionSteps": steps} for steps in polls],
        describe_pipeline_execution=[{"PipelineExecutionStatus": status} for status in statuses],
    )
    view, slept = Recorder(), list[float]()
    ended = follow_execution(cast(Connection, FakeConnection(sagemaker)), ARN, view, slept.append)
    assert ended.status == "Succeeded"
    assert [item["StepName"] for item in ended.steps] == ["A", "B"]
    assert view.seen[1] == {"A": "Executing"}
    assert slept == [SHORTEST_INTERVAL] * 3


def test_the_execution_is_not_asked_for_while_a_step_is_under_way() -> None:
    polls = [[step("A", "Executing")]] * 5 + [[step("A", "Failed", 0, 1)]]
    sagemaker = Client(
        list_pipeline_execution_steps=[{"PipelineExecutionSteps": steps} for steps in polls],
        describe_pipeline_execution={"PipelineExecutionStatus": "Failed"},
    )
    follow_execution(cast(Connection, FakeConnection(sagemaker)), ARN, Recorder(), lambda seconds: None)
    assert [name for name, _ in sagemaker.calls].count("describe_pipeline_execution") == 1


def test_all_pages_of_steps_are_read() -> None:
    pages = [
        {"PipelineExecutionSteps": [step("A", "Succeeded", 0, 1)], "NextToken": "more"},
        {"PipelineExecutionSteps": [step("B", "Succeeded", 0, 1)]},
        {"PipelineExecutionSteps": [step("A", "Succeeded", 0, 1)], "NextToken": "more"},
        {"PipelineExecutionSteps": [step("B", "Succeeded", 0, 1)]},
    ]
    sagemaker = Client(
        list_pipeline_execution_steps=pages, describe_pipeline_execution={"PipelineExecutionStatus": "Succeeded"}
    )
    ended = follow_execution(cast(Connection, FakeConnection(sagemaker)), ARN, Recorder())
    assert [item["StepName"] for item in ended.steps] == ["A", "B"]


def test_the_interval_grows_with_the_run() -> None:
    assert interval(0) == interval(20) == SHORTEST_INTERVAL
    assert SHORTEST_INTERVAL < interval(100) < LONGEST_INTERVAL
    assert interval(36_000) == LONGEST_INTERVAL
