from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.aws.errors import AwsError
from emulator.store.resources import Resource, Scope
from tests.emulator.engine.fakes import SCOPE, condition, equals, fail, processing, register, text_of, training
from tests.emulator.services.sagemaker.pipeline_calls import Pipelines

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/Flights"
PARAMETERS = [
    {"Name": "Depth", "Type": "Integer", "DefaultValue": 3},
    {"Name": "Status", "Type": "String", "DefaultValue": "Approved", "EnumValues": ["Approved", "Rejected"]},
]


@pytest.fixture
def pipelines(tmp_path: Path) -> Iterator[Pipelines]:
    made = Pipelines(tmp_path)
    yield made
    made.close()


def test_start_and_describe(pipelines: Pipelines) -> None:
    experiment = {
        "ExperimentName": {"Get": "Execution.PipelineName"},
        "TrialName": {"Get": "Execution.PipelineExecutionId"},
    }
    pipelines.create(parts={"PipelineExperimentConfig": experiment})
    arn = pipelines.start(PipelineExecutionDescription="a try")
    assert re.fullmatch(re.escape(ARN) + "/execution/[a-z0-9]{12}", arn)
    described = pipelines.wait(arn)
    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert described["PipelineArn"] == ARN
    assert described["PipelineExecutionArn"] == arn
    assert described["PipelineExecutionDescription"] == "a try"
    assert re.fullmatch(r"execution-\d{13}", described["PipelineExecutionDisplayName"])
    assert described["PipelineExperimentConfig"] == {"ExperimentName": "flights", "TrialName": arn.rpartition("/")[2]}
    assert described["PipelineVersionId"] == 1
    assert described["FailureReason"] is None
    assert described["CreationTime"] < described["LastModifiedTime"] <= time.time()


def test_the_jobs_of_an_execution_belong_to_its_trial(pipelines: Pipelines) -> None:
    experiment = {"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": "weekly"}
    named = processing("B")
    named["Arguments"]["ExperimentConfig"] = {"TrialComponentDisplayName": "second"}
    pipelines.create(steps=[processing("A"), named], parts={"PipelineExperimentConfig": experiment})
    for _ in range(2):  # the trial is there the second time
        pipelines.wait(pipelines.start())
    given = {request["ProcessingJobName"].split("-")[2]: request["ExperimentConfig"]
             for request in pipelines.sagemaker.made("CreateProcessingJob")}  # fmt: skip
    of_pipeline = {"ExperimentName": "flights", "TrialName": "weekly"}
    assert given == {"A": of_pipeline, "B": of_pipeline | {"TrialComponentDisplayName": "second"}}
    (trial,) = pipelines.call("ListTrials", {"ExperimentName": "flights"})["TrialSummaries"]
    assert trial["TrialName"] == "weekly"


@pytest.mark.parametrize("name", ["two words", "a_b", "x" * 121, ["a"]])
def test_a_name_that_no_trial_could_have_starts_nothing(pipelines: Pipelines, name: Any) -> None:
    experiment = {"ExperimentName": {"Get": "Execution.PipelineName"}, "TrialName": name}
    pipelines.create(parts={"PipelineExperimentConfig": experiment})
    with pytest.raises(AwsError, match=r"at 'PipelineExperimentConfig\.TrialName' failed to satisfy constraint"):
        pipelines.start()
    assert pipelines.ListPipelineExecutions(PipelineName="Flights")["PipelineExecutionSummaries"] == []


def test_an_execution_without_an_experiment_has_no_trial(pipelines: Pipelines) -> None:
    pipelines.create()
    pipelines.wait(pipelines.start())
    assert "ExperimentConfig" not in pipelines.sagemaker.made("CreateProcessingJob")[0]
    assert pipelines.call("ListExperiments", {})["ExperimentSummaries"] == []


def test_the_same_token_starts_one_execution(pipelines: Pipelines) -> None:
    pipelines.create()
    token = pipelines.token()
    assert pipelines.start(ClientRequestToken=token) == pipelines.start(ClientRequestToken=token)
    assert len(pipelines.ListPipelineExecutions(PipelineName=ARN)["PipelineExecutionSummaries"]) == 1


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("Dept", "3", "Parameter 'Dept' is not defined in the pipeline. Its parameters are: Depth, Status."),
        ("Depth", "deep", "Invalid value for parameter 'Depth': 'deep' is not of type Integer."),
        ("Status", "", '[string "" is too short (length: 0, required minimum: 1)]'),
        ("Status", "Maybe", "'Maybe' is not one of its enum values [Approved, Rejected]."),
    ],
)
def test_wrong_parameters_start_nothing(pipelines: Pipelines, name: str, value: str, reason: str) -> None:
    pipelines.create(parts={"Parameters": PARAMETERS})
    request = {"PipelineName": "Flights", "ClientRequestToken": pipelines.token()}
    error = pipelines.fails("StartPipelineExecution", **request, PipelineParameters=[{"Name": name, "Value": value}])
    assert error.code == "ValidationException"
    assert reason in error.message
    assert pipelines.ListPipelineExecutions(PipelineName="Flights")["PipelineExecutionSummaries"] == []


def test_executions_have_the_role_of_the_pipeline(pipelines: Pipelines) -> None:
    pipelines.create()
    with pytest.raises(AwsError, match="RoleArn can't be specified") as raised:
        pipelines.start(RoleArn="arn:aws:iam::123456789012:role/Other")
    assert raised.value.code == "ValidationException"


def test_the_mlflow_experiment_is_that_of_the_definition_unless_the_start_names_another(pipelines: Pipelines) -> None:
    server = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/flights"
    config = {"MlflowResourceArn": server, "MlflowExperimentName": {"Get": "Execution.PipelineName"}}
    pipelines.create(parts={"MlflowConfig": config})
    pipelines.create("Plain", parts={"MlflowConfig": None})
    named = {"MlflowResourceArn": server, "MlflowExperimentName": "Flights"}
    assert pipelines.describe(pipelines.start())["MLflowConfig"] == named
    other = pipelines.start(MlflowExperimentName="Other")
    assert pipelines.describe(other)["MLflowConfig"] == named | {"MlflowExperimentName": "Other"}
    assert pipelines.describe(pipelines.start("Plain"))["MLflowConfig"] is None


def test_parameters_of_an_execution(pipelines: Pipelines) -> None:
    pipelines.create(parts={"Parameters": PARAMETERS})
    given = [{"Name": "Status", "Value": "Rejected"}, {"Name": "Depth", "Value": "7"}]
    arn = pipelines.start(PipelineParameters=given)
    first = pipelines.ListPipelineParametersForExecution(PipelineExecutionArn=arn, MaxResults=1)
    rest = pipelines.ListPipelineParametersForExecution(PipelineExecutionArn=arn, NextToken=first["NextToken"])
    assert first["PipelineParameters"] + rest["PipelineParameters"] == given
    assert rest["NextToken"] is None


def test_steps_are_listed_with_the_metadata_of_their_type(pipelines: Pipelines) -> None:
    check = condition("Check", [equals(1, 1)], [register("R")])
    display = {"DisplayName": "Prepare", "Description": "prepares"}
    last = fail("F", "enough", DependsOn=["R"])
    pipelines.create(steps=[processing("A", **display), training("T", "A"), check | {"DependsOn": ["T"]}, last])
    arn = pipelines.start()
    described = pipelines.wait(arn)
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."
    steps = pipelines.steps(arn)
    assert [step["StepName"] for step in steps] == ["F", "R", "Check", "T", "A"], "the latest first"
    assert [step["StepName"] for step in pipelines.steps(arn, SortOrder="Ascending")] == ["A", "T", "Check", "R", "F"]
    by_name = {step["StepName"]: step for step in steps}
    jobs = "arn:aws:sagemaker:eu-west-1:123456789012"
    assert by_name["A"]["Metadata"]["ProcessingJob"]["Arn"].startswith(f"{jobs}:processing-job/pipelines-")
    assert by_name["T"]["Metadata"]["TrainingJob"]["Arn"].startswith(f"{jobs}:training-job/pipelines-")
    assert by_name["Check"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    assert by_name["R"]["Metadata"] == {"RegisterModel": {"Arn": f"{jobs}:model-package/models/1"}}
    assert by_name["F"]["Metadata"] == {"Fail": {"ErrorMessage": "enough"}}
    assert (by_name["F"]["StepStatus"], by_name["F"]["FailureReason"]) == ("Failed", "enough")
    assert (by_name["A"]["StepDisplayName"], by_name["A"]["StepDescription"]) == ("Prepare", "prepares")
    assert by_name["A"]["FailureReason"] is None
    for step in steps:
        assert step["AttemptCount"] == 1
        assert step["StartTime"] <= step["EndTime"]


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_steps_page(pipelines: Pipelines, order: str) -> None:
    pipelines.create(steps=[processing(f"S{i}") for i in range(5)])
    arn = pipelines.start()
    pipelines.wait(arn)
    seen, token = [], ""
    while token is not None:
        page = pipelines.ListPipelineExecutionSteps(
            PipelineExecutionArn=arn, SortOrder=order, MaxResults=2, NextToken=token
        )
        seen += [step["StepName"] for step in page["PipelineExecutionSteps"]]
        token = page["NextToken"]
    assert (
        sorted(seen, reverse=order == "Descending")
        == seen
        == [s["StepName"] for s in pipelines.steps(arn, SortOrder=order)]
    )
    error = pipelines.fails("ListPipelineExecutionSteps", PipelineExecutionArn=arn, NextToken="%%%")
    assert (error.code, error.message) == ("ValidationException", "Invalid pagination token")


def test_a_failed_execution_shows_its_reason_in_the_list(pipelines: Pipelines) -> None:
    pipelines.create(steps=[fail("F", "")])
    arn = pipelines.start(PipelineExecutionDisplayName="try-1")
    pipelines.wait(arn)
    (summary,) = pipelines.ListPipelineExecutions(PipelineName="Flights")["PipelineExecutionSummaries"]
    assert summary["PipelineExecutionStatus"] == "Failed"
    assert summary["PipelineExecutionFailureReason"] == "Step failure: One or multiple steps failed."
    assert summary["PipelineExecutionDisplayName"] == "try-1"
    (step,) = pipelines.steps(arn)
    assert step["FailureReason"] is None, "a Fail step without a message has no reason"
    assert step["Metadata"] == {"Fail": {"ErrorMessage": ""}}


def test_executions_are_listed_newest_first_and_page(pipelines: Pipelines) -> None:
    pipelines.create()
    pipelines.create("Other")
    arns = [pipelines.start() for _ in range(3)]
    pipelines.start("Other")

    def listed(**members: Any) -> list[str]:
        page = pipelines.ListPipelineExecutions(PipelineName="Flights", **members)
        return [summary["PipelineExecutionArn"] for summary in page["PipelineExecutionSummaries"]]

    assert listed() == arns[::-1]
    assert listed(SortOrder="Ascending") == arns
    assert listed(SortBy="PipelineExecutionArn", SortOrder="Ascending") == sorted(arns)
    token = pipelines.ListPipelineExecutions(PipelineName="Flights", MaxResults=2)["NextToken"]
    assert listed(MaxResults=2, NextToken=token) == arns[:1]


def test_stop(pipelines: Pipelines) -> None:
    pipelines.sagemaker.fates = {"A": "hold"}
    pipelines.create()
    arn = pipelines.start()
    request = {"PipelineExecutionArn": arn, "ClientRequestToken": pipelines.token()}
    assert pipelines.StopPipelineExecution(**request) == {"PipelineExecutionArn": arn}
    assert pipelines.describe(arn)["PipelineExecutionStatus"] in ("Stopping", "Stopped")
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Stopped"
    assert pipelines.StopPipelineExecution(**request) == {"PipelineExecutionArn": arn}, "asked again with its token"
    error = pipelines.fails("StopPipelineExecution", **request | {"ClientRequestToken": pipelines.token()})
    assert error.code == "ValidationException"
    assert "Only pipelines with 'Executing' status can be stopped" in error.message


def test_update_changes_names_and_the_parallelism_of_what_runs(pipelines: Pipelines) -> None:
    pipelines.sagemaker.fates = {"A": "hold"}
    pipelines.create(
        steps=[processing("A"), processing("B")], ParallelismConfiguration={"MaxParallelExecutionSteps": 1}
    )
    arn = pipelines.start()
    assert pipelines.describe(arn)["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}
    pipelines.UpdatePipelineExecution(
        PipelineExecutionArn=arn,
        PipelineExecutionDisplayName="renamed",
        PipelineExecutionDescription="why",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
    )
    described = pipelines.describe(arn)
    assert described["PipelineExecutionDisplayName"] == "renamed"
    assert described["PipelineExecutionDescription"] == "why"
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    while len(pipelines.steps(arn)) < 2:
        time.sleep(0.002)
    pipelines.sagemaker.end("A")
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"


def test_an_execution_tells_the_definition_it_runs(pipelines: Pipelines) -> None:
    pipelines.create()
    arn = pipelines.start()
    pipelines.UpdatePipeline(PipelineName="Flights", PipelineDefinition=text_of([processing("B")]))
    described = pipelines.DescribePipelineDefinitionForExecution(PipelineExecutionArn=arn)
    assert described["PipelineDefinition"] == text_of([processing("A")])
    old = pipelines.start(PipelineVersionId=1)
    assert pipelines.describe(pipelines.start())["PipelineVersionId"] == 2
    assert pipelines.describe(old)["PipelineVersionId"] == 1


@pytest.mark.parametrize(
    "operation",
    [
        "DescribePipelineExecution",
        "DescribePipelineDefinitionForExecution",
        "ListPipelineExecutionSteps",
        "ListPipelineParametersForExecution",
        "StopPipelineExecution",
        "UpdatePipelineExecution",
    ],
)
def test_an_unknown_execution_is_not_found(pipelines: Pipelines, operation: str) -> None:
    pipelines.create()
    real = pipelines.start()
    for arn in (
        f"{ARN}/execution/abcdefabcdef",
        real.replace("Flights", "Other"),
        real.replace("eu-west-1", "us-east-1"),
    ):
        error = pipelines.fails(operation, PipelineExecutionArn=arn)
        assert (error.code, error.message) == ("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")
    with pytest.raises(Exception, match="does not exist"):
        pipelines.call(operation, {"PipelineExecutionArn": real}, Scope("210987654321", "eu-west-1"))


def test_ten_thousand_past_executions_do_not_slow_a_start(pipelines: Pipelines) -> None:
    pipelines.create()
    first = pipelines.resources.by_arn(pipelines.start())
    assert first is not None
    with pipelines.database.transaction():
        for number in range(10_000):
            name = f"{number:012d}"
            past = Resource(SCOPE, first.kind, name, f"{ARN}/execution/{name}", first.body, "Succeeded", "Flights")
            past.created = past.modified = float(number)
            pipelines.resources.insert(past)
    statements: list[str] = []
    pipelines.database.connection.set_trace_callback(statements.append)
    arn = pipelines.start()
    pipelines.ListPipelineExecutions(PipelineName="Flights", MaxResults=10)
    pipelines.DescribePipeline(PipelineName="Flights")
    pipelines.database.connection.set_trace_callback(None)
    for statement in statements:
        if statement.startswith("SELECT"):
            plan = " ".join(row["detail"] for row in pipelines.database.read(f"EXPLAIN QUERY PLAN {statement}"))
            assert "SCAN" not in plan, f"{statement} reads every row: {plan}"
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"


def test_responses_are_json(pipelines: Pipelines) -> None:
    pipelines.create(parts={"Parameters": PARAMETERS})
    arn = pipelines.start()
    pipelines.wait(arn)
    for answer in (pipelines.describe(arn), pipelines.steps(arn), pipelines.DescribePipeline(PipelineName="Flights")):
        json.dumps(answer)
