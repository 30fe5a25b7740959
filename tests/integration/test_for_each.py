"""ForEach steps on a real emulator, seen through boto3."""

from __future__ import annotations

from typing import Any

from tests.integration.emulators import Emulator, until
from tests.integration.small_pipelines import BUCKET, Runner, processing_step

ITEM = {"Get": "ForEach.CurrentItem.size"}
SCRIPT = """
import os, pathlib, sys, time
time.sleep(float(os.environ.get("PAUSE", "0")))
pathlib.Path("/opt/ml/processing/out/size.txt").write_text(sys.argv[1])
"""


def fan(items: Any, limit: int, **environment: Any) -> dict[str, Any]:
    """A ForEach step whose body writes the size of its item; the largest is selected."""
    body = processing_step("Body", arguments=[ITEM], outputs=["out"])
    body["Arguments"]["Environment"] = {"SIZE": ITEM, **environment}
    output = body["Arguments"]["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]
    output["S3Uri"] = {
        "Std:Join": {"On": "/", "Values": ["s3:/", BUCKET, {"Get": "Execution.PipelineExecutionId"}, ITEM]}
    }
    arguments = {
        "IterableItems": items,
        "MaxConcurrency": limit,
        "ForEachBody": [body],
        "Selector": {"Pick": "MaxBy", "Field": {"Get": "IterationOutput.Body.Environment['SIZE']"}},
    }
    return {"Name": "Fan", "Type": "ForEach", "Arguments": arguments}


def show() -> dict[str, Any]:
    """A step that writes again what the selected iteration wrote."""
    selected = {"Get": "Steps.Fan.Selected.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
    return processing_step("Show", arguments=[selected], outputs=["out"])


def test_children_run_and_are_listed_and_the_best_is_selected(runner: Runner) -> None:
    runner.upload(SCRIPT)
    items = ['{"size": 3}', '{"size": 20}', '{"size": 7}']
    ended, steps = runner.run(fan(items, 2), show(), name="fan")

    assert ended["PipelineExecutionStatus"] == "Succeeded", steps
    assert set(steps) == {"Fan", "Body-0", "Body-1", "Body-2", "Show"}
    assert steps["Body-1"]["IterationContext"] == {"ParentStepName": "Fan", "Index": 1, "Item": '{"size": 20}'}
    assert steps["Fan"]["Metadata"]["ForEach"] == {
        "Status": "Succeeded",
        "InputItemCount": 3,
        "TotalStepCount": 3,
        "SucceededStepCount": 3,
        "FailedStepCount": 0,
        "StoppedStepCount": 0,
        "Selector": {"StepName": "Body-1", "Index": 1},
    }
    job = steps["Show"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    shown = runner.sagemaker.describe_processing_job(ProcessingJobName=job)["AppSpecification"]["ContainerArguments"]
    assert shown[0].endswith("/20")


def test_a_kill_in_the_middle_leaves_every_item_done_once(own_emulator: Emulator) -> None:
    runner = Runner(own_emulator.start())
    runner.upload(SCRIPT)
    runner.create(fan([f'{{"size": {size}}}' for size in range(6)], 2, PAUSE="0.3"), name="fan")
    execution = runner.start("fan")
    until(lambda: runner.steps(execution).get("Body-1", {}).get("StepStatus") == "Succeeded")
    own_emulator.kill()

    own_emulator.start()
    again = Runner.__new__(Runner)
    again.sagemaker, again.s3 = own_emulator.client("sagemaker"), own_emulator.client("s3")
    assert again.ended(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert again.steps(execution)["Fan"]["Metadata"]["ForEach"]["SucceededStepCount"] == 6
    assert len(again.sagemaker.list_processing_jobs()["ProcessingJobSummaries"]) == 6
    prefix = f"{execution.rpartition('/')[2]}/"
    written = again.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    assert [found["Key"].removeprefix(prefix) for found in written] == [f"{size}/size.txt" for size in range(6)]
