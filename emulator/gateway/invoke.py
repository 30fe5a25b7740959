"""Calling operations from inside, with the validation a request over the wire gets."""

from __future__ import annotations

import inspect
import uuid
from typing import Any

from emulator.aws.errors import NotImplementedHere
from emulator.gateway.compiled import compiled
from emulator.services.context import App, Context, Invoke
from emulator.store.resources import Scope


def make_invoke(app: App) -> Invoke:
    """The function by which the engine runs steps.

    It takes and returns JSON documents: timestamps in an answer are Unix seconds, members that AWS's model does not
    have are gone, and nothing is None. It runs in the caller's thread and raises AwsError.
    """

    def invoke(scope: Scope, service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        target = compiled(service, operation, "json")
        members = target.accept(request)
        target.check(members)
        response = target.operation.handler(members, Context(scope, str(uuid.uuid4()), app))
        if inspect.iscoroutine(response):
            response.close()
            raise NotImplementedHere(f"{service}:{operation} would wait, which only a request of its own can do here.")
        return target.answer(response)

    return invoke
