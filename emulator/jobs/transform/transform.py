"""Transform jobs (SageMaker Developer Guide, "Batch transform for inference with Amazon SageMaker AI").

The model's container serves in a network of its own; the emulator sends it the objects of the input, payload by
payload, and stores each object's answers as ``<key below the prefix>.out`` as soon as it is through.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from emulator.jobs.failures import OUT_OF_MEMORY
from emulator.jobs.hosts import Host
from emulator.jobs.kind import Ending, JobKind, Phase, Running, Verdict, Work
from emulator.jobs.plan import Command, Input, Plan, Source
from emulator.jobs.transform.instances import container_of, first_containers, hosts, instance_id
from emulator.jobs.transform.server import PORT
from emulator.jobs.transform.transformation import ALGORITHM_ERROR, Transformation, is_gone
from emulator.settings import Settings
from emulator.store.resources import Resource

KIND = "transform-job"
MODEL = "/opt/ml/model"
ADDITIONAL = "/opt/ml/additional-model-data-sources"
UNLIMITED = 28 * 86_400.0


class Transform(JobKind):
    resource_kind = KIND
    log_group = "/aws/sagemaker/TransformJobs"
    phases = frozenset({Phase.DOWNLOADING})

    def hosts(self, job: Resource) -> tuple[Host, ...]:
        return hosts(job)

    def instance(self, job: Resource, host: Host) -> str:
        return instance_id(job, host)

    def container(self, job: Resource, host: Host) -> str:
        return host.name.partition(".")[2]

    def plan(self, job: Resource, settings: Settings, host: Host) -> Plan:
        container = container_of(job, host)
        return Plan(
            image=container["Image"],
            command=Command(None, None, ["serve"]),
            env={**container.get("Environment", {}), **_batch_environment(job.body), **job.body.get("Environment", {})},
            role=job.body.get("RoleArn", ""),
            inputs=_model_data(container),
            folders=["model"],
            network=not job.body.get("EnableNetworkIsolation", False),
            max_runtime=UNLIMITED,
            port=PORT,
            host=host,
        )

    def reset(self, job: Resource) -> None:
        job.body.pop("TransformStartTime", None)

    def advance(self, job: Resource, phase: Phase, now: float) -> None:
        job.body["TransformStartTime"] = now

    def failed(self, ending: Ending) -> bool:
        return ending.failure is not None or ending.cause == "exit"  # no server ends by itself

    def drive(self, running: Running) -> None:
        """Every instance goes on while another one has work, and whatever befell it: objects are stored one by one."""
        servers, first = running.servers, first_containers(running.job, running.host)
        servers.come(running)
        try:
            if running.host.name in first:
                with closing(running.open_log("data-log")) as log:
                    Transformation(running, log).run()
        finally:
            servers.done(running.host.name)
            servers.await_done(first, lambda: is_gone(running))

    def conclude(self, work: Work, ending: Ending) -> Verdict:
        if ending.cause == "stop":
            return Verdict("Stopped")
        if ending.exited.out_of_memory:
            return Verdict("Failed", OUT_OF_MEMORY)
        if ending.failure is not None:
            return Verdict("Failed", ending.failure)
        return Verdict("Completed") if ending.cause == "done" else Verdict("Failed", ALGORITHM_ERROR)

    def finish(self, job: Resource, verdict: Verdict, now: float) -> None:
        job.status = verdict.status
        job.body["TransformEndTime"] = now
        if verdict.reason:
            job.body["FailureReason"] = verdict.reason


def _model_data(container: dict[str, Any]) -> list[Input]:
    """Where the model lies, and what comes with it: archives, or prefixes with their files as they are."""
    inputs = []
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is not None:
        inputs.append(_data("model", source, MODEL))
    elif url := container.get("ModelDataUrl"):
        inputs.append(Input("model", Source(url), MODEL, unpacked=True))
    for additional in container.get("AdditionalModelDataSources", []):
        name = additional["ChannelName"]
        inputs.append(_data(name, additional["S3DataSource"], f"{ADDITIONAL}/{name}"))
    return inputs


def _data(name: str, source: dict[str, str], path: str) -> Input:
    return Input(name, Source(source["S3Uri"]), path, unpacked=source["CompressionType"] == "Gzip")


def _batch_environment(body: dict[str, Any]) -> dict[str, str]:
    """What SageMaker tells a container of the job; of what the job leaves open it says nothing."""
    strategy = {"MultiRecord": "MULTI_RECORD", "SingleRecord": "SINGLE_RECORD"}
    told = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": body.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": strategy.get(body.get("BatchStrategy", "")),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": body.get("MaxConcurrentTransforms") or None,
    }
    return {name: str(value) for name, value in told.items() if value is not None}
