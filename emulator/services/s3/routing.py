"""Which operation a request asks for, by the HTTP traits of botocore's S3 model.

A route is a method, a depth (service, bucket or object), query parameters that must be there, and members (query
parameters or headers) without which the request means another operation: ``PUT /bucket/key`` is PutObject, with
``x-amz-copy-source`` CopyObject, with ``partNumber`` and ``uploadId`` UploadPart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from emulator.aws.service_models import service_model
from emulator.services.s3.addressing import Address

if TYPE_CHECKING:
    from botocore.model import OperationModel

_OTHER_ENDPOINTS = {"ListDirectoryBuckets", "CreateSession", "WriteGetObjectResponse"}
"""Operations that AWS serves at hosts of their own, with paths that would be mistaken for others here."""


@dataclass(frozen=True, slots=True)
class Route:
    operation: str
    query: Mapping[str, str]
    required_query: tuple[str, ...]
    required_headers: tuple[str, ...]

    def named_by(self, query: Mapping[str, str]) -> bool:
        return all(name in query and (not value or query[name] == value) for name, value in self.query.items())

    def complete_with(self, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        return all(name in query for name in self.required_query) and all(
            name in headers for name in self.required_headers
        )

    @property
    def precision(self) -> tuple[int, int]:
        return len(self.query), len(self.required_query) + len(self.required_headers)


def find_operation(method: str, address: Address, query: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The name of the operation, None if S3 has none for such a request. Header names are lower-case."""
    depth = 2 if address.key else 1 if address.bucket else 0
    named = [route for route in _routes().get((method, depth), ()) if route.named_by(query)]
    if named and named[0].query:
        named = [route for route in named if route.query == named[0].query]
    complete = (route for route in named if route.complete_with(query, headers))
    return next(complete, named[-1]).operation if named else None


@cache
def _routes() -> dict[tuple[str, int], list[Route]]:
    """Routes by method and depth, the most precise first."""
    table: dict[tuple[str, int], list[Route]] = {}
    model = service_model("s3")
    for name in model.operation_names:
        operation = model.operation_model(name)
        if not operation.deprecated and name not in _OTHER_ENDPOINTS:
            depth = operation.http["requestUri"].count("{")
            table.setdefault((operation.http["method"], depth), []).append(_route(operation))
    for routes in table.values():
        routes.sort(key=lambda route: route.precision, reverse=True)
    return table


def _route(operation: OperationModel) -> Route:
    literal = operation.http["requestUri"].partition("?")[2]
    query = dict(pair.partition("=")[::2] for pair in literal.split("&") if pair)
    return Route(operation.name, query, _required(operation, "querystring"), _required(operation, "header"))


def _required(operation: OperationModel, location: str) -> tuple[str, ...]:
    shape = operation.input_shape
    members = [shape.members[name] for name in shape.required_members] if shape else []
    names = [
        member.serialization.get("name", "") for member in members if member.serialization.get("location") == location
    ]
    return tuple(name.lower() if location == "header" else name for name in names)
