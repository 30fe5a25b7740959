"""The operations that steps call, faked over the real table of resources, and short ways to write definitions."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from emulator.aws.arns import sagemaker_arn
from emulator.aws.errors import AwsError, ValidationException
from emulator.engine.engine import Engine
from emulator.engine.execution import KIND, PIPELINE_ARN, VERSION
from emulator.engine.names import execution_id
from emulator.engine.store import StepRecord
from emulator.settings import Settings
from emulator.store.database import Database
from emulator.store.resources import SCHEMA, Resource, Resources, Scope

SCOPE = Scope("123456789012", "eu-west-1")
PIPELINE = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/Demo"
ROLE = "arn:aws:iam::123456789012:role/SageMaker"
ENDED = ("Succeeded", "Failed", "Stopped", "CompletedWithFailures")


class Crash(BaseException):
    """The emulator dies here: nothing may catch it."""


class FakeObjects:
    """S3 URIs and their bytes."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, bucket: str, key: str) -> bytes:
        try:
            return self.files[f"s3://{bucket}/{key}"]
        except KeyError:
            raise AwsError("The specified key does not exist.", code="NoSuchKey", status=404) from None


class FakeSageMaker:
    """Jobs end as ``fates`` says of the step in their name: Completed at once, Failed, or held until ``end``."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.fates: dict[str, str] = {}
        self.scripts: dict[str, list[tuple[str, str]]] = {}
        self.flaky: set[str] = set()
        """Steps whose first job meets an internal error, whoever asks."""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refuse: dict[str, AwsError] = {}
        self.crash_before: str | None = None
        self.crash_after: str | None = None
        self.warmed: list[str] = []

    def __call__(self, scope: Scope, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        assert service == "sagemaker"
        assert scope == SCOPE
        if self.crash_before == operation:
            raise Crash
        self.calls.append((operation, request))
        if operation in self.refuse:
            raise self.refuse[operation]
        result = getattr(self, f"_{operation}")(request)
        if self.crash_after == operation:
            raise Crash
        return dict(result)

    def warm_up(self, images: Iterable[str]) -> None:
        self.warmed += images

    def script(self, step: str, ends: list[tuple[str, str]]) -> None:
        """The next jobs of a step end so, one after another: status and FailureReason."""
        self.scripts[step] = list(ends)

    def made(self, operation: str) -> list[dict[str, Any]]:
        """The requests of one operation."""
        return [request for name, request in self.calls if name == operation]

    def job(self, step: str) -> Resource:
        """The job of a step."""
        for kind in ("processing-job", "training-job"):
            for resource in self.resources.with_status(
                kind, "InProgress", "Stopping", "Completed", "Failed", "Stopped"
            ):
                if f"-{step}-" in resource.name:
                    return resource
        raise AssertionError(f"step {step} has no job")

    def end(self, step: str, status: str = "Completed", **members: Any) -> None:
        """A held job ends."""

        def change(resource: Resource) -> None:
            resource.status = status
            resource.body |= members

        self.resources.update(self.job(step).arn, change)

    def _create(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        name = request[f"{kind}Name"]
        slug = {"ProcessingJob": "processing-job", "TrainingJob": "training-job"}[kind]
        arn = sagemaker_arn(SCOPE.account, SCOPE.region, slug, name)
        if not self.resources.insert(Resource(SCOPE, slug, name, arn, dict(request), status="InProgress")):
            raise ValidationException(f"Job name must be unique: {name}")
        if any(f"-{step}-" in name and not self._was_made(slug, step, name) for step in self.flaky):
            self.resources.update(arn, lambda resource: _end(resource, "Failed", "InternalServerError: again"))
            return {f"{kind}Arn": arn}
        ends = next((ends for step, ends in self.scripts.items() if ends and f"-{step}-" in name), None)
        if ends:
            scripted = ends.pop(0)
            self.resources.update(arn, lambda resource: _end(resource, *scripted))
            return {f"{kind}Arn": arn}
        fate = next((fate for step, fate in self.fates.items() if f"-{step}-" in name), "Completed")
        if fate != "hold":
            self.resources.update(arn, lambda resource: _end(resource, fate))
        return {f"{kind}Arn": arn}

    def _was_made(self, slug: str, step: str, name: str) -> bool:
        jobs = self.resources.with_status(slug, "InProgress", "Completed", "Failed", "Stopped")
        return any(f"-{step}-" in job.name and job.name != name for job in jobs)

    def _describe(self, kind: str, slug: str, request: dict[str, Any]) -> dict[str, Any]:
        resource = self.resources.get(SCOPE, slug, request[f"{kind}Name"])
        if resource is None:
            raise ValidationException("Could not find requested job with name: ...")
        return {**resource.body, f"{kind}Arn": resource.arn, f"{kind}Status": resource.status}

    def _stop(self, kind: str, slug: str, request: dict[str, Any]) -> dict[str, Any]:
        resource = self.resources.get(SCOPE, slug, request[f"{kind}Name"])
        assert resource is not None
        if resource.status != "InProgress":
            raise ValidationException("The request was rejected because the job is not running.")
        self.resources.update(resource.arn, lambda it: setattr(it, "status", "Stopped"))
        return {}

    def _CreateProcessingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._create("ProcessingJob", request)

    def _DescribeProcessingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._describe("ProcessingJob", "processing-job", request)

    def _StopProcessingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._stop("ProcessingJob", "processing-job", request)

    def _CreateTrainingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        artifacts = f"{request['OutputDataConfig']['S3OutputPath']}/{request['TrainingJobName']}/output/model.tar.gz"
        return self._create("TrainingJob", {**request, "ModelArtifacts": {"S3ModelArtifacts": artifacts}})

    def _DescribeTrainingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._describe("TrainingJob", "training-job", request)

    def _StopTrainingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._stop("TrainingJob", "training-job", request)

    def _DescribeModelPackageGroup(self, request: dict[str, Any]) -> dict[str, Any]:
        group = self.resources.get(SCOPE, "model-package-group", request["ModelPackageGroupName"])
        if group is None:
            raise ValidationException("ModelPackageGroup does not exist.")
        return {"ModelPackageGroupArn": group.arn}

    def _CreateModelPackageGroup(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["ModelPackageGroupName"]
        arn = sagemaker_arn(SCOPE.account, SCOPE.region, "model-package-group", name)
        self.resources.insert(Resource(SCOPE, "model-package-group", name, arn, {}, status="Completed"))
        return {"ModelPackageGroupArn": arn}

    def _CreateModelPackage(self, request: dict[str, Any]) -> dict[str, Any]:
        earlier = self.resources.recall_token(SCOPE, "CreateModelPackage", request["ClientToken"])
        if earlier is not None:
            return {"ModelPackageArn": earlier[1]}
        group = request["ModelPackageGroupName"]
        version = self.resources.count(SCOPE, "model-package", parent=group) + 1
        arn = sagemaker_arn(SCOPE.account, SCOPE.region, "model-package", f"{group}/{version}")
        package = Resource(SCOPE, "model-package", f"{group}/{version}", arn, dict(request), "Completed", group)
        with self.resources.database.transaction():
            self.resources.insert(package)
            self.resources.remember_token(SCOPE, "CreateModelPackage", request["ClientToken"], "", arn)
        return {"ModelPackageArn": arn}

    def _DescribeModelPackage(self, request: dict[str, Any]) -> dict[str, Any]:
        package = self.resources.by_arn(request["ModelPackageName"])
        assert package is not None
        return {**package.body, "ModelPackageArn": package.arn, "ModelPackageStatus": package.status}


def _end(resource: Resource, fate: str, reason: str = "AlgorithmError: , exit code: 1") -> None:
    resource.status = fate
    if fate == "Failed":
        resource.body["FailureReason"] = reason


class World:
    """An engine on a real database, and the way to make another on the same one, as after a crash."""

    operations: type[FakeSageMaker] = FakeSageMaker

    def __init__(self, root: Path, **settings: Any) -> None:
        self.database = Database(root / "state.db", SCHEMA)
        self.settings = Settings.load({}, data_dir=root, **settings)
        self.objects = FakeObjects()
        self.flaky: set[str] = set()
        self.start_engine()

    def start_engine(self) -> None:
        """Everything that lives in memory, anew."""
        self.resources = Resources(self.database)
        self.sagemaker = self.operations(self.resources)
        self.sagemaker.flaky = self.flaky
        self.engine = Engine(self.resources, self.objects, self.settings)
        self.engine.bind(self.sagemaker, self.sagemaker.warm_up)

    def restart(self) -> None:
        """The old engine dies without a word, a new one takes over."""
        self.engine.close()
        self.start_engine()
        self.engine.recover()

    def start(self, steps: list[dict[str, Any]], *, limit: int | None = None, **parts: Any) -> str:
        """Start an execution of a pipeline of these steps; its ARN."""
        arn = self.store(steps, limit=limit, **parts)
        self.engine.start(arn)
        return arn

    def store(
        self,
        steps: list[dict[str, Any]],
        *,
        limit: int | None = None,
        parameters: list[dict[str, Any]] | None = None,
        given: dict[str, str] | None = None,
    ) -> str:
        text = json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": steps})
        version = self.engine.store.versions.add(PIPELINE, text)
        values = [{"Name": name, "Value": value} for name, value in (given or {}).items()]
        body = {PIPELINE_ARN: PIPELINE, VERSION: version, "PipelineParameters": values}
        if limit:
            body["ParallelismConfiguration"] = {"MaxParallelExecutionSteps": limit}
        name = execution_id()
        execution = Resource(SCOPE, KIND, name, f"{PIPELINE}/execution/{name}", body, "Executing", "Demo")
        self.resources.insert(execution)
        return execution.arn

    def execution(self, arn: str) -> Resource:
        found = self.resources.by_arn(arn)
        assert found is not None
        return found

    def steps(self, arn: str) -> dict[str, StepRecord]:
        """Steps by name, in the order in which they began."""
        return {step.name: step for step in self.engine.store.steps(arn)}

    def statuses(self, arn: str) -> dict[str, str]:
        return {name: step.status for name, step in self.steps(arn).items()}

    def wait(self, arn: str) -> Resource:
        """Wait for the end of an execution."""
        eventually(lambda: self.execution(arn).status in ENDED)
        return self.execution(arn)

    def wait_for(self, arn: str, **statuses: str) -> None:
        """Wait until steps have these states."""
        eventually(lambda: statuses.items() <= self.statuses(arn).items())

    def over(self, arn: str) -> bool:
        """Has the execution succeeded, or the engine died?"""
        return not self.engine._scheduler._thread.is_alive() or self.execution(arn).status == "Succeeded"

    def close(self) -> None:
        self.engine.close()
        self.database.close()


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a condition holds."""
    pause = threading.Event()
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        pause.wait(0.002)


def processing(name: str, *after: str, **more: Any) -> dict[str, Any]:
    """A Processing step with an output ``out`` and a report in it."""
    uri = {"Std:Join": {"On": "/", "Values": ["s3://bucket", {"Get": "Execution.PipelineExecutionId"}, name]}}
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/processing:1"},
        "RoleArn": ROLE,
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {"S3Uri": uri, "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"},
                }
            ]
        },
    }
    arguments |= more.pop("arguments", {})
    return {"Name": name, "Type": "Processing", "Arguments": arguments, "DependsOn": list(after), **more}


def training(name: str, *after: str, **more: Any) -> dict[str, Any]:
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": "image:1", "TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "RoleArn": ROLE,
    }
    arguments |= more.pop("arguments", {})
    return {"Name": name, "Type": "Training", "Arguments": arguments, "DependsOn": list(after), **more}


def equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": left, "RightValue": right}


def condition(
    name: str,
    conditions: list[dict[str, Any]],
    then: list[dict[str, Any]] | None = None,
    otherwise: list[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    arguments = {"Conditions": conditions, "IfSteps": then or [], "ElseSteps": otherwise or []}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def fail(name: str, message: Any, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def register(name: str, group: str = "models", **more: Any) -> dict[str, Any]:
    arguments = {"ModelPackageGroupName": group, **more.pop("arguments", {})}
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments, **more}


def text_of(steps: list[dict[str, Any]], **members: Any) -> str:
    """A definition as JSON."""
    return json.dumps({"Version": "2020-12-01", "Steps": steps, **members})
