"""One instance's share of a transform job: its objects on their way through its containers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from emulator.jobs.failures import JobFailure, nothing_found
from emulator.jobs.kind import Running
from emulator.jobs.plan import Source
from emulator.jobs.staging import Placed, resolve
from emulator.jobs.transform.association import Association
from emulator.jobs.transform.capture import capture, inference_time
from emulator.jobs.transform.chain import Chain
from emulator.jobs.transform.instances import first_containers, on_same_instance
from emulator.jobs.transform.parameters import Parameters
from emulator.jobs.transform.server import ModelServer, NoAnswer, ServerGone
from emulator.jobs.transform.work import ObjectFailed, ObjectRun, Rules, opened
from emulator.jobs.uploads import naming_the_reason
from emulator.store.log_files import LogWriter
from emulator.store.objects import parse_s3_uri

ALGORITHM_ERROR = "AlgorithmError: See job logs for more information"
CLIENT_ERROR = "ClientError: See job logs for more information"
DEFAULT_TIMEOUT, DEFAULT_RETRIES = 600, 3


@dataclass(slots=True)
class Transformation:
    """``running``: the first container of the instance; the others are met by its ``servers``."""

    running: Running
    log: LogWriter

    def run(self) -> None:
        """
        Raises:
            JobFailure: an object could not be transformed, or none could.
        """
        running, names = self.running, on_same_instance(self.running.job, self.running.host)
        placed = self._objects()
        containers = running.servers.await_come(names, lambda: is_gone(running))
        if len(containers) < len(names):
            return  # how the container ended says why
        with closing(Chain([_server(container) for container in containers])) as chain:
            try:
                chain.wait_until_ready()
                self._transform(placed, chain)
            except ServerGone:
                return
            except NoAnswer as error:
                self._note(str(error))
                raise JobFailure(ALGORITHM_ERROR) from error

    def _objects(self) -> list[Placed]:
        """The objects that are this instance's: every n-th of all."""
        job, host = self.running.job, self.running.host
        source = job.body["TransformInput"]["DataSource"]["S3DataSource"]
        found = resolve(self.running.objects, Source(source["S3Uri"], source["S3DataType"]))
        if not found:
            uri, role = source["S3Uri"], job.body.get("RoleArn", "")
            raise JobFailure(f"ClientError: {nothing_found(uri, parse_s3_uri(uri)[0], job.scope.region, role)}")
        machines = first_containers(job, host)
        return found[machines.index(host.name) :: len(machines)]

    def _transform(self, placed: list[Placed], chain: Chain) -> None:
        job = self.running.job
        parameters = Parameters.of(job.body, chain.execution_parameters())
        self._note(str(parameters))
        failed = self._run_all(placed, chain, _rules(job.body, job.created, parameters), parameters.max_concurrent)
        if failed:
            raise JobFailure(ALGORITHM_ERROR if "AlgorithmError" in failed else CLIENT_ERROR)
        with naming_the_reason():
            read = [f"s3://{stored.bucket}/{stored.key}" for stored, _ in placed]
            machine = self.running.host.name.partition(".")[0]
            capture(self.running.objects, job, machine, read, [self._target(item) for item in placed])

    def _run_all(self, placed: list[Placed], chain: Chain, rules: Rules, count: int) -> list[str]:
        """Transform every object; whose faults there were."""
        with (
            ThreadPoolExecutor(count, "invoke") as workers,
            ThreadPoolExecutor(max(1, min(count, len(placed))), "object") as readers,
        ):
            runs = [
                readers.submit(self._one, number, item, rules, chain, workers, count)
                for number, item in enumerate(placed)
            ]
            try:
                return [fault for run in runs if (fault := run.result())]
            except BaseException:
                for run in runs:
                    run.cancel()
                raise

    def _one(
        self, number: int, item: Placed, rules: Rules, chain: Chain, workers: ThreadPoolExecutor, count: int
    ) -> str:
        """Transform one object and store what came of it; whose fault it is if that cannot be done."""
        stored, _ = item
        result = self.running.scratch / f"{number}.out"
        try:
            with opened(self.running.objects.open(stored), compressed=rules.gzip) as source:
                ObjectRun(source, result, rules).answers(chain, workers, count + 1)
        except ObjectFailed as failure:
            for line in failure.said:
                self._note(f"{stored.bucket}/{stored.key}: {line}")
            result.unlink(missing_ok=True)
            return failure.fault
        with naming_the_reason():
            bucket, key = parse_s3_uri(self._target(item))
            self.running.objects.put_file(bucket, key, result, take=True)
        return ""

    def _target(self, item: Placed) -> str:
        """The URI of what comes of an object."""
        _, relative = item
        bucket, prefix = parse_s3_uri(self.running.job.body["TransformOutput"]["S3OutputPath"])
        return f"s3://{bucket}/" + f"{prefix.rstrip('/')}/{relative}.out".lstrip("/")

    def _note(self, text: str) -> None:
        now = time.time()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}"
        for line in text.splitlines() or [""]:
            self.log.write(f"{moment}:[sagemaker logs]: {line}\n".encode())


def is_gone(running: Running) -> bool:
    """Whether a container has ended, or its job is to."""
    return running.stopped() or running.process.wait(0) is not None


def _server(container: Running) -> ModelServer:
    client = container.job.body.get("ModelClientConfig", {})
    timeout = client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT)
    retries = client.get("InvocationsMaxRetries", DEFAULT_RETRIES)
    return ModelServer(container.process, container.port, container.stopped, timeout, retries)


def _rules(body: dict[str, Any], created: float, parameters: Parameters) -> Rules:
    given, output = body["TransformInput"], body["TransformOutput"]
    split, kind = given.get("SplitType", "None"), given.get("ContentType")
    headers = {"Content-Type": kind, "Accept": output.get("Accept")}
    stamped_at = inference_time(body, created)
    return Rules(
        split=split,
        single=parameters.single,
        max_payload_mib=parameters.max_payload_mib,
        gzip=given.get("CompressionType", "None") == "Gzip",
        assemble_lines=output.get("AssembleWith", "None") == "Line",
        headers={name: value for name, value in headers.items() if value},
        association=Association.of(
            body.get("DataProcessing", {}), kind, by_line=split == "Line", stamped_at=stamped_at
        ),
    )
