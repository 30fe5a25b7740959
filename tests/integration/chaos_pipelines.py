"""Pipelines that a storm runs: each reaches its end along one way only, so its end can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration import chaos_effects
from tests.integration.chaos import Victim, eventually, normal
from tests.integration.chaos_effects import FUNCTION
from tests.integration.chaos_participants import (
    QUEUE,
    answer_callback,
    nothing,
    repair_and_retry,
    stop_when_it_runs,
)
from tests.integration.small_pipelines import BUCKET, ENDED, IMAGE, ROLE, definition, processing_step

GROUP = "chaos"
QUEUE_URL = f"https://sqs.us-east-1.amazonaws.com/123456789012/{QUEUE}"
EXECUTION_ID = {"Get": "Execution.PipelineExecutionId"}

SCRIPTS = {
    "code/write.py": """
import json, pathlib, sys, time
time.sleep(float(sys.argv[1]))
out = pathlib.Path('/opt/ml/processing/out')
out.joinpath('report.json').write_text(json.dumps({'auc': {'value': 0.75}, 'name': 'Zürich'}))
out.joinpath('data.bin').write_bytes(bytes(range(256)) * 400)
""",
    "code/raise.py": "raise ValueError('no such airport')",
    "code/print.py": "import sys\nprint(sys.argv)",
    "code/repaired.py": """
import pathlib, sys
assert pathlib.Path('/opt/ml/processing/input/markers', sys.argv[1]).exists(), 'not repaired'
""",
    "code/sleep.py": "import time\ntime.sleep(3600)",
}


def writes(name: str, *, seconds: str = "0.1", **options: Any) -> dict[str, Any]:
    """A step that writes a report and some data."""
    step = processing_step(name, "code/write.py", arguments=[seconds], outputs=["out"], **options)
    step["PropertyFiles"] = [{"PropertyFileName": "Report", "OutputName": "out", "FilePath": "report.json"}]
    return step


def report(step: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": f"Steps.{step}.PropertyFiles.Report"}, "Path": "auc.value"}}


def condition(name: str, left: Any, right: Any, then: list[Any], otherwise: list[Any]) -> dict[str, Any]:
    conditions = [{"Type": "GreaterThanOrEqualTo", "LeftValue": left, "RightValue": right}]
    arguments = {"Conditions": conditions, "IfSteps": then, "ElseSteps": otherwise}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def register(name: str, source: str) -> dict[str, Any]:
    """Register the data that a step wrote, marked with the execution."""
    data = {"Std:Join": {"On": "/", "Values": [f"s3://{BUCKET}", EXECUTION_ID, source, "out/data.bin"]}}
    container = {"Image": IMAGE, "ModelDataUrl": data}
    return {
        "Name": name,
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": GROUP,
            "InferenceSpecification": {"Containers": [container], "SupportedContentTypes": ["text/csv"]},
            "CustomerMetadataProperties": {"execution": EXECUTION_ID, "step": name},
        },
    }


def fails(name: str, *words: Any) -> dict[str, Any]:
    message = {"Std:Join": {"On": " ", "Values": list(words)}}
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def callback(name: str, queue: str, **options: Any) -> dict[str, Any]:
    outputs = [{"OutputName": "answer", "OutputType": "Integer"}]
    arguments = {"execution": EXECUTION_ID}
    step = {"Name": name, "Type": "Callback", "Arguments": arguments, "SqsQueueUrl": queue}
    return step | {"OutputParameters": outputs} | options


def calls(name: str, function: str) -> dict[str, Any]:
    outputs = [{"OutputName": "half", "OutputType": "Float"}]
    arguments = {"number": 3, "execution": EXECUTION_ID}
    step = {"Name": name, "Type": "Lambda", "Arguments": arguments, "FunctionArn": function}
    return step | {"OutputParameters": outputs}


def each(name: str, items: list[str], body: dict[str, Any]) -> dict[str, Any]:
    arguments = {"IterableItems": items, "MaxConcurrency": 2, "ForEachBody": [body]}
    return {"Name": name, "Type": "ForEach", "Arguments": arguments}


def cached(step: dict[str, Any]) -> dict[str, Any]:
    return {**step, "CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A pipeline and whoever takes part in its executions from outside."""

    name: str
    steps: tuple[dict[str, Any], ...]
    take_part: Callable[[Victim, str], None] = nothing


def too_large(name: str) -> dict[str, Any]:
    """A step whose job the account's limit refuses, each time that it is tried."""
    step = processing_step(name, "code/print.py")
    step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 100
    policy = {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 2}
    return step | {"RetryPolicies": [policy]}


ITEM = {"Get": "ForEach.CurrentItem"}
_REPAIRED = processing_step(
    "Repaired", "code/repaired.py", arguments=[EXECUTION_ID], inputs={"markers": f"s3://{BUCKET}/markers/"}
)
SCENARIOS = (
    Scenario(
        "branches",
        (
            writes("Left"),
            writes("Right", seconds="0.3"),
            condition("Good", report("Left"), 0.5, [register("Register", "Left")], [fails("Bad", "no")]),
            writes("Last", depends_on=["Register", "Right"]),
        ),
    ),
    Scenario(
        "refuses",
        (
            writes("Measure"),
            condition("Good", report("Measure"), 0.9, [writes("Never")], [fails("Bad", "auc is", "low")]),
        ),
    ),
    Scenario(
        "breaks",
        (
            processing_step("Raise", "code/raise.py"),
            writes("Peer", seconds="0.3"),
            writes("Never", depends_on=["Raise"]),
        ),
    ),
    Scenario(
        "asks",
        (
            callback("Ask", QUEUE_URL),
            processing_step("Use", "code/print.py", arguments=[{"Get": "Steps.Ask.OutputParameters['answer']"}]),
        ),
        answer_callback,
    ),
    Scenario("calls", (calls("Call", FUNCTION), writes("Late", depends_on=["Call"]))),
    Scenario(
        "remembers",
        (
            cached(processing_step("Same", "code/print.py", arguments=["same"])),
            cached(processing_step("Fresh", "code/print.py", arguments=[EXECUTION_ID])),
            writes("Late", depends_on=["Same", "Fresh"]),
        ),
    ),
    Scenario("retries", (too_large("Refused"), writes("Peer"))),
    Scenario("loops", (each("Each", ["a", "b", "c"], processing_step("Body", "code/print.py", arguments=[ITEM])),)),
    Scenario("recovers", (_REPAIRED, writes("Late", depends_on=["Repaired"])), repair_and_retry),
    Scenario(
        "stopped", (processing_step("Sleep", "code/sleep.py"), writes("Never", depends_on=["Sleep"])), stop_when_it_runs
    ),
)


def prepare(victim: Victim) -> None:
    """Upload the scripts and create every pipeline."""
    victim.call("s3", "create_bucket", Bucket=BUCKET)
    for key, source in SCRIPTS.items():
        victim.call("s3", "put_object", Bucket=BUCKET, Key=key, Body=source.encode())
    victim.call("s3", "put_object", Bucket=BUCKET, Key="markers/first", Body=b"")
    victim.call("sqs", "create_queue", QueueName=QUEUE)
    chaos_effects.prepare(victim)
    for scenario in SCENARIOS:
        victim.call(
            "sagemaker",
            "create_pipeline",
            PipelineName=scenario.name,
            PipelineDefinition=definition(*scenario.steps),
            RoleArn=ROLE,
            ClientRequestToken=f"{scenario.name:x<32}",
        )


def start(victim: Victim, scenario: Scenario, token: str) -> str:
    """Start an execution, or find the one that this token started before the emulator was killed."""
    request = {"PipelineName": scenario.name, "ClientRequestToken": f"{scenario.name}-{token:x<32}"}
    arn: str = victim.call("sagemaker", "start_pipeline_execution", **request)["PipelineExecutionArn"]
    return arn


def end(victim: Victim, scenario: Scenario, execution: str) -> dict[str, Any]:
    """Take part in an execution until it has ended; what has become of it."""
    scenario.take_part(victim, execution)

    def ended() -> Any:
        found = victim.call("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=execution)
        return found if found["PipelineExecutionStatus"] in ENDED else None

    return outcome(victim, eventually(ended))


def outcome(victim: Victim, execution: dict[str, Any]) -> dict[str, Any]:
    """Everything that an execution leaves, without names and times that differ each time."""
    arn = execution["PipelineExecutionArn"]
    name = arn.rpartition("/")[2]
    steps = victim.call("sagemaker", "list_pipeline_execution_steps", PipelineExecutionArn=arn)
    jobs = victim.call("sagemaker", "list_processing_jobs", NameContains=name, MaxResults=100)
    return {
        "status": execution["PipelineExecutionStatus"],
        "reason": execution.get("FailureReason"),
        "steps": {step["StepName"]: _step(step, name) for step in steps["PipelineExecutionSteps"]},
        "jobs": sorted(
            (normal(job["ProcessingJobName"], name), job["ProcessingJobStatus"])
            for job in jobs["ProcessingJobSummaries"]
        ),
        "objects": _objects(victim, name),
    }


def _step(step: dict[str, Any], execution_id: str) -> dict[str, str]:
    shown = {key: value for key, value in step.items() if key not in ("StepName", "StartTime", "EndTime")}
    assert ("EndTime" in step) is (step["StepStatus"] in ENDED), step
    return {key: normal(str(value), execution_id) for key, value in shown.items()}


def _objects(victim: Victim, execution_id: str) -> dict[str, str]:
    listing = victim.call("s3", "list_objects_v2", Bucket=BUCKET, Prefix=f"{execution_id}/")
    return {item["Key"].removeprefix(execution_id): item["ETag"] for item in listing.get("Contents", [])}


def registered(victim: Victim) -> list[tuple[str, str]]:
    """Which execution and step registered each version of the group, in the order of versions."""
    sagemaker = victim.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=GROUP, SortOrder="Ascending")
    found = []
    for number, summary in enumerate((item for page in pages for item in page["ModelPackageSummaryList"]), 1):
        package = sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        assert package["ModelPackageVersion"] == number, "versions are numbered without gaps"
        metadata = package["CustomerMetadataProperties"]
        found.append((metadata["execution"], metadata["step"]))
    return found


def executions(victim: Victim, scenario: Scenario) -> list[str]:
    pages = victim.client("sagemaker").get_paginator("list_pipeline_executions").paginate(PipelineName=scenario.name)
    return [item["PipelineExecutionArn"] for page in pages for item in page["PipelineExecutionSummaries"]]
