"""Used for long, by many and again and again, the emulator keeps nothing and mixes nothing up."""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3

from tests.integration.chaos import alive, descendants
from tests.integration.emulators import Emulator, until
from tests.integration.small_pipelines import BUCKET, ENDED, IMAGE, ROLE, Runner, definition, processing_step

GROWTH_KIB = 4 << 10
"""Of resident memory over sixty jobs, whose records the database's cache may hold; a leak of what a job uses would be
more."""


def mounts() -> list[str]:
    return sorted(Path("/proc/self/mounts").read_text().splitlines())


def temporary() -> set[str]:
    names = {path.name for path in Path(tempfile.gettempdir()).iterdir()}
    return {name for name in names if "emulator" in name or "sandbox" in name}


def test_started_and_stopped_again_and_again_nothing_stays_behind(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "data")
    mounted, left = mounts(), temporary()
    for number in range(3):
        runner = Runner(emulator.start())
        runner.upload("print('hello')")
        execution, _ = runner.run(processing_step("Only"), name=f"run-{number}")
        assert execution["PipelineExecutionStatus"] == "Succeeded"
        family = descendants(emulator.status["pid"])
        assert len(family) > 1
        emulator.stop()
        until(lambda: not any(map(alive, family)), seconds=10)  # noqa: B023
    assert mounts() == mounted
    assert temporary() - left == set()
    assert list((tmp_path / "data" / "jobs").iterdir()) == []


def noop_jobs(sagemaker: Any, prefix: str, count: int) -> None:
    """Run jobs that do nothing, several at a time, to their end."""
    for number in range(count):
        sagemaker.create_processing_job(
            ProcessingJobName=f"{prefix}-{number}",
            RoleArn=ROLE,
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
            },
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["true"]},
        )
    until(
        lambda: (
            not sagemaker.list_processing_jobs(NameContains=prefix, StatusEquals="InProgress")["ProcessingJobSummaries"]
        )
    )
    done = sagemaker.list_processing_jobs(NameContains=prefix, StatusEquals="Completed", MaxResults=100)
    assert len(done["ProcessingJobSummaries"]) == count


def files_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def resident_kib(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10


def test_jobs_leave_no_files_open_and_no_memory_behind(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "data").start()
    try:
        pid, sagemaker = emulator.status["pid"], emulator.client("sagemaker")
        noop_jobs(sagemaker, "first", 40)
        files, memory, processes = files_of(pid), resident_kib(pid), len(descendants(pid))
        noop_jobs(sagemaker, "then", 60)
        assert files_of(pid) <= files + 3
        assert len(descendants(pid)) <= processes + 2
        assert resident_kib(pid) - memory < GROWTH_KIB
        assert list((tmp_path / "data" / "jobs").iterdir()) == []
    finally:
        emulator.stop()


def test_twenty_executions_at_once_from_many_threads(runner: Runner) -> None:
    runner.upload("import sys\nopen('/opt/ml/processing/out/x', 'w').write(sys.argv[1])", "code/echo.py")
    number = {"Get": "Parameters.Number"}
    steps = [
        processing_step("First", "code/echo.py", arguments=[number], outputs=["out"]),
        processing_step("Second", "code/echo.py", arguments=[number], outputs=["out"], depends_on=["First"]),
    ]
    runner.create(*steps, name="at-once", parameters=[{"Name": "Number", "Type": "String"}])

    def run(number: int) -> tuple[str, bytes]:
        execution = runner.start("at-once", Number=str(number))
        status: str = runner.ended(execution, 120)["PipelineExecutionStatus"]
        key = f"{execution.rpartition('/')[2]}/Second/out/x"
        body: bytes = runner.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return status, body

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(run, range(20))) == [("Succeeded", str(number).encode()) for number in range(20)]


def test_accounts_and_regions_do_not_see_each_other(emulator: Emulator) -> None:
    url = emulator.exports["AWS_ENDPOINT_URL"]
    places = [("111111111111", "us-east-1"), ("111111111111", "eu-west-1"), ("222222222222", "us-east-1")]
    end = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "done"}}

    def run(place: tuple[str, str]) -> list[str]:
        account, region = place
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "x"}
        sagemaker = boto3.client("sagemaker", region_name=region, endpoint_url=url, **keys)
        sagemaker.create_pipeline(
            PipelineName="same-name", PipelineDefinition=definition(end), RoleArn=ROLE, ClientRequestToken="c" * 32
        )
        request = {"PipelineName": "same-name", "ClientRequestToken": "s" * 32}
        execution = sagemaker.start_pipeline_execution(**request)["PipelineExecutionArn"]
        until(
            lambda: (
                sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)["PipelineExecutionStatus"]
                in ENDED
            )
        )
        pipelines = [item["PipelineArn"] for item in sagemaker.list_pipelines()["PipelineSummaries"]]
        listed = sagemaker.list_pipeline_executions(PipelineName="same-name")["PipelineExecutionSummaries"]
        sagemaker.close()
        return [*pipelines, *(item["PipelineExecutionArn"].rpartition("/execution/")[0] for item in listed)]

    with ThreadPoolExecutor(3) as pool:
        for (account, region), seen in zip(places, pool.map(run, places), strict=True):
            assert seen == [f"arn:aws:sagemaker:{region}:{account}:pipeline/same-name"] * 2
