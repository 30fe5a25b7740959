"""Calls operations of the model registry on real stores, without the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from emulator.aws import operations
from emulator.aws.errors import AwsError
from emulator.services.context import App, Context
from emulator.services.sagemaker import model_package_groups, model_packages, tags
from emulator.settings import Settings
from emulator.store.database import Database
from emulator.store.objects import ObjectStore
from emulator.store.resources import SCHEMA, Resources, Scope

MODULES = (model_package_groups, model_packages, tags)
SCOPE = Scope("123456789012", "eu-west-1")
MODEL = "s3://models/run-1/model.tar.gz"


class Registry:
    """``registry.CreateModelPackageGroup(ModelPackageGroupName="flights")`` calls that operation."""

    def __init__(self, root: Path) -> None:
        self.database = Database(root / "state.db", SCHEMA)
        self.resources = Resources(self.database)
        self.objects = ObjectStore(root / "objects")
        self.objects.create_bucket(SCOPE, "models")
        self.objects.put_bytes("models", "run-1/model.tar.gz", b"model")
        unused = cast(Any, None)
        settings = Settings.load({}, data_dir=root)
        self.app = App(settings, self.resources, self.objects, unused, unused, unused, unused)

    def call(self, operation: str, request: dict[str, Any], scope: Scope = SCOPE) -> dict[str, Any]:
        found = operations.find("sagemaker", operation)
        assert found is not None, operation
        return found.handler(request, Context(scope, "request-1", self.app))

    def __getattr__(self, operation: str) -> Any:
        return lambda **request: self.call(operation, request)

    def fails(self, operation: str, **request: Any) -> AwsError:
        """The error that the operation answers with."""
        try:
            self.call(operation, request)
        except AwsError as error:
            return error
        raise AssertionError(f"{operation} did not fail")

    def close(self) -> None:
        self.database.close()
        self.objects.close()


def specification(**container: Any) -> dict[str, Any]:
    """An InferenceSpecification of one container."""
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1"
    return {
        "Containers": [{"Image": image, "ModelDataUrl": MODEL} | container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
