"""An engine whose steps call the real operations, on real stores; only jobs end as a test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from emulator.engine.engine import Engine
from emulator.gateway.invoke import make_invoke
from emulator.gateway.registry import load_services
from emulator.services.context import App, Invoke
from emulator.store.objects import ObjectStore
from emulator.store.resources import Resources, Scope
from tests.emulator.engine.fakes import SCOPE, FakeSageMaker, World

EVALUATION = b'{"auc": {"value": 0.9}, "metrics": {"auc": {"value": 0.9}}}'


class Operations(FakeSageMaker):
    """Fakes what runs jobs; every other operation is the real one."""

    real: Invoke
    objects: ObjectStore

    def _CreateTrainingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        folder = request["OutputDataConfig"]["S3OutputPath"]
        self._write(f"{folder}/{request['TrainingJobName']}/output/model.tar.gz", b"model")
        return super()._CreateTrainingJob({**request, "BillableTimeInSeconds": 60})

    def _CreateProcessingJob(self, request: dict[str, Any]) -> dict[str, Any]:
        """Every output has an ``evaluation.json``."""
        for output in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
            self._write(f"{output['S3Output']['S3Uri']}/evaluation.json", EVALUATION)
        return super()._CreateProcessingJob(request)

    def _write(self, uri: str, data: bytes) -> None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.objects.put_bytes(bucket, key, data)

    def __call__(self, scope: Scope, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if service == "sagemaker" and hasattr(self, f"_{operation}") and "ModelPackage" not in operation:
            return super().__call__(scope, service, operation, request)
        self.calls.append((operation, request))
        return self.real(scope, service, operation, request)


class RealWorld(World):
    """A World with an object store (bucket ``bucket``) and every service."""

    def __init__(self, root: Path, **settings: Any) -> None:
        load_services()
        self.store_of_objects = ObjectStore(root / "objects")
        self.store_of_objects.create_bucket(SCOPE, "bucket")
        super().__init__(root, **settings)

    def start_engine(self) -> None:
        self.resources = Resources(self.database)
        self.sagemaker = Operations(self.resources)
        self.sagemaker.objects = self.store_of_objects
        self.engine = Engine(self.resources, self.store_of_objects, self.settings)
        unused = cast(Any, None)
        app = App(self.settings, self.resources, self.store_of_objects, unused, unused, self.engine, self.sagemaker)
        self.sagemaker.real = make_invoke(app)
        self.engine.bind(self.sagemaker, self.sagemaker.warm_up)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Call a real operation of SageMaker."""
        return self.sagemaker.real(SCOPE, "sagemaker", operation, request)

    def put(self, *keys: str) -> None:
        """Objects in the bucket."""
        for key in keys:
            self.store_of_objects.put_bytes("bucket", key, b"data")

    def keys(self) -> list[str]:
        return [found.key for found in self.store_of_objects.list_objects("bucket")]

    def close(self) -> None:
        super().close()
        self.store_of_objects.close()


@contextmanager
def real_world(root: Path, **settings: Any) -> Iterator[RealWorld]:
    world = RealWorld(root, **settings)
    try:
        yield world
    finally:
        world.close()
