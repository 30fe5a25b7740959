"""Steps that run a job: created under a name chosen beforehand, followed by its ARN, stopped by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from emulator.aws.errors import AwsError
from emulator.engine.expressions import as_text, evaluate
from emulator.engine.names import job_name
from emulator.engine.retries import exception_type, job_exception_type
from emulator.engine.shapes import coerce, input_shape
from emulator.engine.steps.executor import ApiExecutor, Host, StepRun, Work
from emulator.engine.steps.failures import create_failed, job_failed

NAME = "Name"
"""Member of the handle: the job's name."""
EXPERIMENT_CONFIG = "ExperimentConfig"


def prefix_of(name: Any, host: Host) -> str | None:
    """What the names of jobs and models begin with: the name in the definition, None if it gives none."""
    return None if name is None else as_text(evaluate(name, host.environment({})))


class JobExecutor(ApiExecutor):
    """``kind`` is what the API calls the job: ``ProcessingJob`` of CreateProcessingJob, ProcessingJobName, …"""

    kind: ClassVar[str]
    stop_operation: ClassVar[str]
    retried = True

    def prepare(self, run: StepRun, host: Host) -> None:
        member = f"{self.kind}Name"
        arguments = dict(run.step.arguments)
        prefix = prefix_of(arguments.pop(member, None), host)
        run.handle = {NAME: self.job_name(host.id, run.step.name, prefix), "Kind": self.kind}
        resolved = evaluate(arguments, host.environment(run.handle))
        shape = input_shape(self.create)
        run.arguments = coerce(shape, {member: run.handle[NAME], **resolved})
        own = run.arguments.get(EXPERIMENT_CONFIG, {})
        if host.experiment and EXPERIMENT_CONFIG in shape.members and isinstance(own, dict):
            run.arguments[EXPERIMENT_CONFIG] = {**host.experiment, **own}

    def job_name(self, execution: str, step: str, prefix: str | None) -> str:
        """The name that the job is given."""
        return job_name(execution, step, prefix)

    def launch(self, run: StepRun, host: Host) -> Work:
        try:
            arn = host.invoke(self.create, run.arguments)[f"{self.kind}Arn"]
        except AwsError as error:
            reason = create_failed(self.create, error, host.arn, run.step)
            return Work.failed(reason, error=exception_type(error))
        return Work.running(arn, self._metadata(arn))

    def find(self, run: StepRun, host: Host) -> Work | None:
        try:
            return self.follow(run, host)
        except AwsError as error:
            if exception_type(error):
                raise
            return None  # no job of this name was created before the crash

    def follow(self, run: StepRun, host: Host) -> Work:
        job = host.invoke(self.describe, {f"{self.kind}Name": run.handle[NAME]})
        arn = job[f"{self.kind}Arn"]
        match job[f"{self.kind}Status"]:
            case "Completed":
                return Work.succeeded(job, self._metadata(arn), arn)
            case "Failed":
                error = job_exception_type(job.get("FailureReason") or "")
                return replace(Work.failed(job_failed(job), self._metadata(arn), arn, error=error), properties=job)
            case "Stopped":
                return replace(Work.stopped(self._metadata(arn), arn), properties=job)
            case _:
                return Work.running(arn, self._metadata(arn))

    def stop(self, run: StepRun, host: Host) -> None:
        host.invoke(self.stop_operation, {f"{self.kind}Name": run.handle[NAME]})

    def _metadata(self, arn: str) -> dict[str, Any]:
        return {self.kind: {"Arn": arn}}
