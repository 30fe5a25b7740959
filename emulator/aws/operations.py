"""The registry of AWS operations that are served: ``(service, operation) -> function``.

A service module registers its operations at import::

    @operation("sagemaker", "DescribePipeline")
    def describe_pipeline(request: Request, context: Context) -> Response: ...

``request`` holds the parsed and validated members, ``context`` says for whom, the result holds the members of the
response. The gateway does all wire work. Operations are synchronous; those that may block for
longer than a few milliseconds (file I/O) are registered with ``blocking=True`` and run off the event loop. One that
waits for something else to happen returns an awaitable of its response.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from emulator.services.context import Context

Request: TypeAlias = dict[str, Any]
Response: TypeAlias = dict[str, Any]
Handler: TypeAlias = "Callable[[Request, Context], Response | Awaitable[Response]]"

H = TypeVar("H", bound="Callable[[Request, Context], Response | Awaitable[Response]]")


@dataclass(frozen=True, slots=True)
class Operation:
    service: str
    name: str
    handler: Handler
    blocking: bool = False
    checked: bool = True


_OPERATIONS: dict[tuple[str, str], Operation] = {}


def operation(service: str, name: str, *, blocking: bool = False, checked: bool = True) -> Callable[[H], H]:
    """Register the decorated function as the implementation of ``service``'s operation ``name``.

    ``checked=False``: AWS takes more than botocore's model says, and the function checks its members itself.
    """

    def register(handler: H) -> H:
        assert (service, name) not in _OPERATIONS, f"{service}.{name} is registered twice"
        _OPERATIONS[service, name] = Operation(service, name, handler, blocking, checked)
        return handler

    return register


def find(service: str, name: str) -> Operation | None:
    """The implementation, or None where the emulator does not have the operation yet."""
    return _OPERATIONS.get((service, name))


def registered() -> list[Operation]:
    """Every operation that is served, ordered by service and name."""
    return [_OPERATIONS[key] for key in sorted(_OPERATIONS)]
