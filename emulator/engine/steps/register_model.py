"""RegisterModel steps: one model package each (CreateModelPackage), in a group that is made if it is missing."""

from __future__ import annotations

import uuid

from emulator.aws.errors import AwsError
from emulator.engine.expressions import evaluate
from emulator.engine.retries import exception_type
from emulator.engine.shapes import coerce, input_shape
from emulator.engine.steps.executor import ApiExecutor, Host, StepRun, Work, register
from emulator.engine.steps.failures import create_failed

TOKEN = "ClientToken"


@register
class RegisterModel(ApiExecutor):
    type = "RegisterModel"
    create = "CreateModelPackage"
    describe = "DescribeModelPackage"
    refused = ("ModelPackageName", TOKEN)
    retried = True

    def prepare(self, run: StepRun, host: Host) -> None:
        token = uuid.uuid5(uuid.NAMESPACE_URL, f"{host.arn}/{run.step.name}/{run.attempt}")
        run.handle = {TOKEN: str(token)}
        resolved = evaluate(run.step.arguments, host.environment(run.handle))
        run.arguments = coerce(input_shape(self.create), resolved | run.handle)

    def launch(self, run: StepRun, host: Host) -> Work:
        try:
            self._ensure_group(run, host)
            arn = host.invoke(self.create, run.arguments)["ModelPackageArn"]
            return self._work(host.invoke(self.describe, {"ModelPackageName": arn}))
        except AwsError as error:
            reason = create_failed(self.create, error, host.arn, run.step)
            return Work.failed(reason, error=exception_type(error))

    def follow(self, run: StepRun, host: Host) -> Work:
        return self._work(host.invoke(self.describe, {"ModelPackageName": run.arn}))

    def stop(self, run: StepRun, host: Host) -> None:
        """A model package cannot be stopped; its end is near."""

    def _ensure_group(self, run: StepRun, host: Host) -> None:
        group = run.arguments.get("ModelPackageGroupName")
        if not isinstance(group, str):  # none, or what CreateModelPackage refuses
            return
        try:
            host.invoke("DescribeModelPackageGroup", {"ModelPackageGroupName": group})
        except AwsError:
            if not group.startswith("arn:"):
                host.invoke("CreateModelPackageGroup", {"ModelPackageGroupName": group})

    def _work(self, package: dict[str, object]) -> Work:
        arn = str(package["ModelPackageArn"])
        metadata = {"RegisterModel": {"Arn": arn}}
        match package["ModelPackageStatus"]:
            case "Completed":
                return Work.succeeded(package, metadata, arn)
            case "Failed":
                return Work.failed("ClientError: The validation of the model package failed.", metadata, arn)
            case _:
                return Work.running(arn, metadata)
