"""Calls operations of SageMaker on real stores, without the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emulator.aws import operations
from emulator.aws.errors import AwsError
from emulator.services.context import App, Context
from emulator.store.database import Database
from emulator.store.objects import ObjectStore
from emulator.store.resources import SCHEMA, Resources, Scope


class DirectCalls:
    """``calls.DescribePipeline(PipelineName="flights")`` calls that operation."""

    app: App
    scope: Scope

    def __init__(self, root: Path) -> None:
        self.database = Database(root / "state.db", SCHEMA)
        self.resources = Resources(self.database)
        self.objects = ObjectStore(root / "objects")

    def call(self, operation: str, request: dict[str, Any], scope: Scope | None = None) -> dict[str, Any]:
        found = operations.find("sagemaker", operation)
        assert found is not None, operation
        response = found.handler(request, Context(scope or self.scope, "request-1", self.app))
        assert isinstance(response, dict)
        return response

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
