"""Processing jobs (SageMaker Developer Guide, "How Amazon SageMaker Processing runs your processing container")."""

from __future__ import annotations

import json
from typing import Any

from emulator.jobs.failures import OUT_OF_MEMORY, JobFailure, algorithm_error, download_failed
from emulator.jobs.hosts import Host, cluster, resource_config
from emulator.jobs.kind import Ending, JobKind, Phase, Verdict, Work
from emulator.jobs.plan import DEFAULT_MAX_RUNTIME, Command, Input, Output, Plan, Source, Stream, below_root
from emulator.settings import Settings
from emulator.store.resources import Resource

KIND = "processing-job"
LOCAL_ROOT = "/opt/ml/processing"
MESSAGE = "/opt/ml/output/message"
MAX_MESSAGE = 1024


class Processing(JobKind):
    resource_kind = KIND
    log_group = "/aws/sagemaker/ProcessingJobs"
    phases = frozenset({Phase.DOWNLOADING})

    def hosts(self, job: Resource) -> tuple[Host, ...]:
        return cluster(job.body["ProcessingResources"]["ClusterConfig"])

    def volume_gb(self, job: Resource) -> int:
        return int(job.body["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"])

    def plan(self, job: Resource, settings: Settings, host: Host) -> Plan:
        body = job.body
        app = body["AppSpecification"]
        outputs = _outputs(body)
        return Plan(
            image=app["ImageUri"],
            command=Command(app.get("ContainerEntrypoint"), app.get("ContainerArguments")),
            env=body.get("Environment", {}),
            role=body["RoleArn"],
            inputs=_inputs(body),
            outputs=outputs,
            files={
                "config/processingjobconfig.json": json.dumps(_config(job)).encode(),
                "config/resourceconfig.json": json.dumps(resource_config(host)).encode(),
            },
            folders=["output", *(str(below_root(output.path)) for output in outputs)],
            network=not body.get("NetworkConfig", {}).get("EnableNetworkIsolation", False),
            max_runtime=body["StoppingCondition"]["MaxRuntimeInSeconds"],
            host=host,
        )

    def reset(self, job: Resource) -> None:
        job.body.pop("ProcessingStartTime", None)

    def advance(self, job: Resource, phase: Phase, now: float) -> None:
        job.body["ProcessingStartTime"] = now

    def conclude(self, work: Work, ending: Ending) -> Verdict:
        """Outputs of mode EndOfJob go to S3 only from a program that succeeded, those of Continuous always."""
        succeeded = ending.cause == "exit" and ending.exited.code == 0
        for output in work.plan.outputs:
            if output.continuous:
                work.uploader.changed(output)
            elif succeeded:
                work.uploader.folder(output)
        message = _exit_message(work)
        members = {"ExitMessage": message} if message else {}
        if ending.failure is not None:
            return Verdict("Failed", ending.failure, members)
        if ending.cause == "max-runtime":
            reason = f"MaxRuntimeExceeded: the job ran longer than MaxRuntimeInSeconds, {work.plan.max_runtime:g}"
            return Verdict("Stopped", reason, members, "MaxRuntimeExceeded")
        if ending.cause == "stop":
            return Verdict("Stopped", None, members)
        if succeeded:
            return Verdict("Completed", None, members)
        return Verdict("Failed", _failure(ending, message), members)

    def finish(self, job: Resource, verdict: Verdict, now: float) -> None:
        job.status = verdict.status
        job.body |= verdict.members
        job.body["ProcessingEndTime"] = now
        if verdict.reason:
            job.body["FailureReason"] = verdict.reason


def _failure(ending: Ending, message: str) -> str:
    if ending.exited.out_of_memory:
        return OUT_OF_MEMORY
    return "AlgorithmError: See job logs for more information" if message else algorithm_error(ending.exited, "")


def _exit_message(work: Work) -> str:
    data = work.tree.read(MESSAGE, MAX_MESSAGE) or b""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if len(data) == MAX_MESSAGE and error.start > MAX_MESSAGE - 4:  # the limit cut a character in two
            return data[: error.start].decode()
        raise JobFailure(f"ClientError: The exit message in {MESSAGE} is not UTF-8 text.") from error


def _inputs(body: dict[str, Any]) -> list[Input]:
    """
    Raises:
        JobFailure: an input is the result of a query. AWS runs it for the job, so the job exists and fails.
    """
    for item in body.get("ProcessingInputs", []):
        if "DatasetDefinition" in item:
            where = f"ProcessingInputs[{item['InputName']}].DatasetDefinition"
            raise download_failed(f" {where}: the emulator does not have Athena and Redshift datasets yet.")
    return [
        Input(
            item["InputName"],
            Source(
                item["S3Input"]["S3Uri"],
                item["S3Input"]["S3DataType"],
                item["S3Input"].get("S3DataDistributionType", "FullyReplicated"),
            ),
            item["S3Input"]["LocalPath"],
            stream=_stream(item["S3Input"]),
        )
        for item in body.get("ProcessingInputs", [])
        if not item.get("AppManaged") and "S3Input" in item
    ]


def _stream(source: dict[str, Any]) -> Stream | None:
    if source.get("S3InputMode", "File") == "File":
        return None
    return Stream(gunzip=source.get("S3CompressionType", "None") == "Gzip")


def _outputs(body: dict[str, Any]) -> list[Output]:
    return [
        Output(
            item["S3Output"]["LocalPath"],
            item["S3Output"]["S3Uri"],
            continuous=item["S3Output"]["S3UploadMode"] == "Continuous",
        )
        for item in body.get("ProcessingOutputConfig", {}).get("Outputs", [])
        if not item.get("AppManaged") and "S3Output" in item
    ]


def _config(job: Resource) -> dict[str, Any]:
    """``processingjobconfig.json``: the request, with its absent members as nulls."""
    body = job.body
    app, cluster = body["AppSpecification"], body["ProcessingResources"]["ClusterConfig"]
    outputs = body.get("ProcessingOutputConfig", {})
    return {
        "ProcessingJobArn": job.arn,
        "ProcessingJobName": job.name,
        "AppSpecification": {"ContainerEntrypoint": None, "ContainerArguments": None, **app},
        "Environment": body.get("Environment", {}),
        "ProcessingInputs": body.get("ProcessingInputs", []),
        "ProcessingOutputConfig": {"Outputs": outputs.get("Outputs", []), "KmsKeyId": outputs.get("KmsKeyId")},
        "ProcessingResources": {"ClusterConfig": {"VolumeKmsKeyId": None, **cluster}},
        "RoleArn": body["RoleArn"],
        "StoppingCondition": body.get("StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME}),
    }
