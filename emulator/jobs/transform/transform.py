"""Transform jobs (SageMaker Developer Guide, "Batch transform for inference with Amazon SageMaker AI").

The model's container serves in a network of its own; the emulator sends it the objects of the input, payload by
payload, and stores each object's answers as ``<key below the prefix>.out`` as soon as it is through.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from emulator.jobs.failures import OUT_OF_MEMORY, JobFailure, nothing_found
from emulator.jobs.hosts import Host
from emulator.jobs.kind import Ending, JobKind, Phase, Running, Verdict, Work
from emulator.jobs.plan import Command, Input, Plan, Source
from emulator.jobs.staging import Placed, resolve
from emulator.jobs.transform.association import Association
from emulator.jobs.transform.parameters import Parameters
from emulator.jobs.transform.server import PORT, ModelServer, NoAnswer, ServerGone
from emulator.jobs.transform.work import ObjectFailed, ObjectRun, Rules, opened
from emulator.jobs.uploads import naming_the_reason
from emulator.settings import Settings
from emulator.store.log_files import LogWriter
from emulator.store.objects import parse_s3_uri
from emulator.store.resources import Resource

KIND = "transform-job"
CONTAINERS = "Containers"
"""Member of a job's body: the containers of its model as they were when the job was created."""
MODEL = "/opt/ml/model"
ALGORITHM_ERROR = "AlgorithmError: See job logs for more information"
CLIENT_ERROR = "ClientError: See job logs for more information"
UNLIMITED = 28 * 86_400.0
DEFAULT_TIMEOUT, DEFAULT_RETRIES = 600, 3


class Transform(JobKind):
    resource_kind = KIND
    log_group = "/aws/sagemaker/TransformJobs"

    def plan(self, job: Resource, settings: Settings, host: Host) -> Plan:
        container = job.body[CONTAINERS][0]
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
        if phase is Phase.DOWNLOADING:
            job.body["TransformStartTime"] = now

    def drive(self, running: Running) -> None:
        with closing(running.open_log("data-log")) as log:
            _Transformation(running, log).run()

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


@dataclass(slots=True)
class _Transformation:
    """One job's objects on their way through its server."""

    running: Running
    log: LogWriter

    def run(self) -> None:
        """
        Raises:
            JobFailure: an object could not be transformed, or none could.
        """
        placed = self._objects()
        client = self.running.job.body.get("ModelClientConfig", {})
        timeout = client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT)
        retries = client.get("InvocationsMaxRetries", DEFAULT_RETRIES)
        running = self.running
        with closing(ModelServer(running.process, running.port, running.stopped, timeout, retries)) as server:
            try:
                server.wait_until_ready()
                self._transform(placed, server)
            except ServerGone:
                return  # how the container ended says why
            except NoAnswer as error:
                self._note(str(error))
                raise JobFailure(ALGORITHM_ERROR) from error

    def _objects(self) -> list[Placed]:
        job = self.running.job
        source = job.body["TransformInput"]["DataSource"]["S3DataSource"]
        placed = resolve(self.running.objects, Source(source["S3Uri"], source["S3DataType"]))
        if not placed:
            uri = source["S3Uri"]
            role = job.body.get("RoleArn", "")
            raise JobFailure(f"ClientError: {nothing_found(uri, parse_s3_uri(uri)[0], job.scope.region, role)}")
        return placed

    def _transform(self, placed: list[Placed], server: ModelServer) -> None:
        parameters = Parameters.of(self.running.job.body, server.execution_parameters())
        self._note(str(parameters))
        rules = _rules(self.running.job.body, parameters)
        count = parameters.max_concurrent
        with (
            ThreadPoolExecutor(count, "invoke") as workers,
            ThreadPoolExecutor(min(count, len(placed)), "object") as readers,
        ):
            runs = [
                readers.submit(self._one, number, item, rules, server, workers, count)
                for number, item in enumerate(placed)
            ]
            try:
                failed = [fault for run in runs if (fault := run.result())]
            except BaseException:
                for run in runs:
                    run.cancel()
                raise
        if failed:
            raise JobFailure(ALGORITHM_ERROR if "AlgorithmError" in failed else CLIENT_ERROR)

    def _one(
        self,
        number: int,
        item: Placed,
        rules: Rules,
        server: ModelServer,
        workers: ThreadPoolExecutor,
        count: int,
    ) -> str:
        """Transform one object and store what came of it; whose fault it is if that cannot be done."""
        stored, relative = item
        target = self.running.scratch / f"{number}.out"
        try:
            with opened(self.running.objects.open(stored), compressed=rules.gzip) as source:
                ObjectRun(source, target, rules).answers(server, workers, count + 1)
        except ObjectFailed as failure:
            for line in failure.said:
                self._note(f"{stored.bucket}/{stored.key}: {line}")
            target.unlink(missing_ok=True)
            return failure.fault
        with naming_the_reason():
            bucket, prefix = parse_s3_uri(self.running.job.body["TransformOutput"]["S3OutputPath"])
            key = f"{prefix.rstrip('/')}/{relative}.out".lstrip("/")
            self.running.objects.put_file(bucket, key, target, take=True)
        return ""

    def _note(self, text: str) -> None:
        now = time.time()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}"
        for line in text.splitlines() or [""]:
            self.log.write(f"{moment}:[sagemaker logs]: {line}\n".encode())


def _model_data(container: dict[str, Any]) -> list[Input]:
    """Where the model lies: an archive, or a prefix with its files as they are."""
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is not None:
        packed = source["CompressionType"] == "Gzip"
        return [Input("model", Source(source["S3Uri"]), MODEL, unpacked=packed)]
    url = container.get("ModelDataUrl")
    return [Input("model", Source(url), MODEL, unpacked=True)] if url else []


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


def _rules(body: dict[str, Any], parameters: Parameters) -> Rules:
    given, output = body["TransformInput"], body["TransformOutput"]
    by_line = given.get("SplitType", "None") == "Line"
    headers = {"Content-Type": given.get("ContentType"), "Accept": output.get("Accept")}
    return Rules(
        by_line=by_line,
        single=parameters.single,
        max_payload_mib=parameters.max_payload_mib,
        gzip=given.get("CompressionType", "None") == "Gzip",
        assemble_lines=output.get("AssembleWith", "None") == "Line",
        headers={name: value for name, value in headers.items() if value},
        association=Association.of(body.get("DataProcessing", {}), given.get("ContentType"), by_line=by_line),
    )
