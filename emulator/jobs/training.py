"""Training jobs (SageMaker Developer Guide, "How Amazon SageMaker provides training information")."""

from __future__ import annotations

import json
import time
from typing import Any

from emulator.jobs import transitions
from emulator.jobs.failures import algorithm_error
from emulator.jobs.hosts import Host, cluster, resource_config
from emulator.jobs.kind import DEFAULT_VOLUME_GB, Ending, JobKind, Phase, Verdict, Work
from emulator.jobs.metrics import final_metrics
from emulator.jobs.plan import DEFAULT_MAX_RUNTIME, Command, Input, Output, Plan, Source, Stream, below_root
from emulator.settings import Settings
from emulator.store.resources import Resource

KIND = "training-job"
MODEL = "/opt/ml/model"
OUTPUT_DATA = "/opt/ml/output/data"
INTERMEDIATE = "/opt/ml/output/intermediate"
"""Uploaded while the program runs. It is there from the start: so the toolkit of AWS's images leaves that to us."""
FAILURE = "/opt/ml/output/failure"
CHANNELS = "/opt/ml/input/data"
CHECKPOINTS = "/opt/ml/checkpoints"

_FOLDERS = ("model", "output/data", "output/intermediate", "input/data")
_MESSAGES = {
    Phase.INTERRUPTED: "Training job interrupted: the spot instances were taken away",
    Phase.STARTING: "Launching requested ML instances",
    Phase.DOWNLOADING: "Downloading input data",
    Phase.RUNNING: "Training image download completed. Training in progress.",
    Phase.UPLOADING: "Uploading generated training model",
}
_LAST_MESSAGES = {
    "Completed": "Training job completed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}


class Training(JobKind):
    resource_kind = KIND
    log_group = "/aws/sagemaker/TrainingJobs"

    def hosts(self, job: Resource) -> tuple[Host, ...]:
        return cluster(job.body["ResourceConfig"])

    def volume_gb(self, job: Resource) -> int:
        return int(job.body["ResourceConfig"].get("VolumeSizeInGB") or DEFAULT_VOLUME_GB)

    def metric_definitions(self, job: Resource) -> list[dict[str, str]]:
        return list(job.body["AlgorithmSpecification"].get("MetricDefinitions", []))

    def plan(self, job: Resource, settings: Settings, host: Host) -> Plan:
        body = job.body
        algorithm = body["AlgorithmSpecification"]
        checkpoints = body.get("CheckpointConfig")
        saved = checkpoints and Output(checkpoints.get("LocalPath", CHECKPOINTS), checkpoints["S3Uri"], True)
        channels = [channel for channel in body.get("InputDataConfig", []) if host.name in _receivers(channel, host)]
        files = {
            "hyperparameters": body.get("HyperParameters", {}),
            "inputdataconfig": _input_data_config(channels, algorithm["TrainingInputMode"]),
            "resourceconfig": resource_config(host),
        }
        if saved:
            files["checkpointconfig"] = {"S3Uri": saved.uri, "LocalPath": saved.path}
        inputs = [_channel(channel, algorithm["TrainingInputMode"], host) for channel in channels]
        return Plan(
            image=algorithm["TrainingImage"],
            command=Command(algorithm.get("ContainerEntrypoint"), algorithm.get("ContainerArguments"), ["train"]),
            env={**body.get("Environment", {}), "TRAINING_JOB_NAME": job.name, "TRAINING_JOB_ARN": job.arn},
            role=body["RoleArn"],
            inputs=[*inputs, *([_restored(saved)] if saved else [])],
            outputs=[
                Output(MODEL, f"{artifacts_uri(job)}model/"),
                Output(OUTPUT_DATA, f"{artifacts_uri(job)}data/"),
                Output(INTERMEDIATE, f"{artifacts_uri(job)}intermediate/", continuous=True),
                *([saved] if saved else []),
            ],
            files={f"input/config/{name}.json": json.dumps(content).encode() for name, content in files.items()},
            folders=[*_FOLDERS, *([str(below_root(saved.path))] if saved else [])],
            network=not body.get("EnableNetworkIsolation", False),
            max_runtime=self._time_left(job),
            host=host,
        )

    def _time_left(self, job: Resource) -> float:
        """MaxRuntimeInSeconds is of all attempts together (API shape StoppingCondition)."""
        limit: int = job.body["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
        left = [limit - transitions.trained_seconds(job.body)]
        if (deadline := self.deadline(job)) is not None:
            left.append(deadline - time.time())
        return max(0.0, min(left))

    def deadline(self, job: Resource) -> float | None:
        wait: int | None = job.body["StoppingCondition"].get("MaxWaitTimeInSeconds")
        return None if wait is None else job.created + wait

    def retries(self, job: Resource) -> int:
        allowed: int = job.body.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0)
        return allowed - transitions.retries(job.body)

    def reset(self, job: Resource) -> None:
        transitions.go_back(job.body)
        if transitions.is_first(job.body):
            job.body.pop("TrainingStartTime", None)

    def advance(self, job: Resource, phase: Phase, now: float) -> None:
        if phase is Phase.DOWNLOADING:
            job.body.setdefault("TrainingStartTime", now)
        if job.status == "InProgress":
            transitions.move_to(job.body, phase.value, _MESSAGES[phase], now)

    def conclude(self, work: Work, ending: Ending) -> Verdict:
        """The model goes to S3 however the program ended, as far as it left one: AWS keeps it for the user."""
        members = _upload(work)
        if metrics := final_metrics(self.metric_definitions(work.job), work.log_backward()):
            members["FinalMetricDataList"] = metrics
        if ending.failure is not None:
            return Verdict("Failed", ending.failure, members)
        if ending.cause == "max-runtime":
            deadline = self.deadline(work.job)
            late = deadline is not None and time.time() >= deadline
            return Verdict("Stopped", None, members, "MaxWaitTimeExceeded" if late else "MaxRuntimeExceeded")
        if ending.cause == "stop":
            return Verdict("Stopped", None, members)
        if ending.exited.code == 0:
            return Verdict("Completed", None, members)
        said = (work.tree.read(FAILURE, 1024) or b"").decode(errors="replace").strip()
        return Verdict("Failed", algorithm_error(ending.exited, said), members)

    def finish(self, job: Resource, verdict: Verdict, now: float) -> None:
        job.status = verdict.status
        job.body |= verdict.members
        secondary = verdict.exceeded or verdict.status
        if verdict.reason:
            job.body["FailureReason"] = verdict.reason
        if verdict.status == "Completed":
            job.body.setdefault("ModelArtifacts", {"S3ModelArtifacts": model_uri(job)})
        transitions.move_to(job.body, secondary, verdict.reason or _LAST_MESSAGES.get(secondary, ""), now)
        job.body[transitions.TRANSITIONS][-1]["EndTime"] = now
        job.body["TrainingEndTime"] = now
        if "TrainingStartTime" in job.body:
            transitions.bill(job.body)


def artifacts_uri(job: Resource) -> str:
    """``<S3OutputPath>/<job>/output/``"""
    return f"{job.body['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{job.name}/output/"


def model_uri(job: Resource) -> str:
    """Where the job's model lies, as ModelArtifacts.S3ModelArtifacts names it."""
    return artifacts_uri(job) + ("model.tar.gz" if _compressed(job) else "model/")


def _compressed(job: Resource) -> bool:
    return bool(job.body["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP")


def _upload(work: Work) -> dict[str, Any]:
    model, data, *continuous = work.plan.outputs
    if _compressed(work.job):
        base = artifacts_uri(work.job)
        found = work.uploader.archive(model.path, f"{base}model.tar.gz", work.scratch)
        work.uploader.archive(data.path, f"{base}output.tar.gz", work.scratch)
    else:
        found = work.uploader.folder(model) > 0
        work.uploader.folder(data)
    for output in continuous:
        work.uploader.changed(output)
    if not found:
        work.note(f"{MODEL} is empty: no model is uploaded")
    return {"ModelArtifacts": {"S3ModelArtifacts": model_uri(work.job)}} if found else {}


def _receivers(channel: dict[str, Any], host: Host) -> tuple[str, ...]:
    """The hosts that get a channel: those of the instance groups it names, or all."""
    return host.of(channel["DataSource"]["S3DataSource"].get("InstanceGroupNames", ()))


def _channel(channel: dict[str, Any], default_mode: str, host: Host) -> Input:
    source = channel["DataSource"]["S3DataSource"]
    return Input(
        channel["ChannelName"],
        Source(
            source["S3Uri"],
            source["S3DataType"],
            source.get("S3DataDistributionType", "FullyReplicated"),
            channel.get("ShuffleConfig", {}).get("Seed"),
            tuple(source.get("AttributeNames", [])),
            _receivers(channel, host),
        ),
        f"{CHANNELS}/{channel['ChannelName']}",
        stream=_stream(channel) if channel.get("InputMode", default_mode) == "Pipe" else None,
    )


def _stream(channel: dict[str, Any]) -> Stream:
    return Stream(
        gunzip=channel.get("CompressionType", "None") == "Gzip",
        wrapped=channel.get("RecordWrapperType", "None") == "RecordIO",
    )


def _restored(saved: Output) -> Input:
    """Checkpoints of an earlier run, if there are any, lie there before the program starts."""
    return Input("checkpoints", Source(f"{saved.uri.rstrip('/')}/"), saved.path, required=False)


def _input_data_config(given: list[dict[str, Any]], mode: str) -> dict[str, Any]:
    channels = {}
    for channel in given:
        source = channel["DataSource"]["S3DataSource"]
        members = {
            "ContentType": channel.get("ContentType"),
            "TrainingInputMode": channel.get("InputMode", mode),
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        channels[channel["ChannelName"]] = {name: value for name, value in members.items() if value is not None}
    return channels
