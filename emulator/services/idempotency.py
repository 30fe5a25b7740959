"""Idempotency tokens: a request that is sent again with its token is answered as the first was."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from emulator.aws.errors import AwsError, ConflictException
from emulator.aws.operations import Request

if TYPE_CHECKING:
    from emulator.services.context import Context

_MEMBERS = ("ClientRequestToken", "ClientToken")


def _conflict(token: str) -> AwsError:
    return ConflictException(f"The ClientRequestToken {token} was used before with other parameters.")


def recall(
    context: Context, action: str, request: Request, conflict: Callable[[str], AwsError] = _conflict
) -> str | None:
    """The ARN that an earlier request with the same token made; None if there was none, or there is no token.

    Raises:
        AwsError: the earlier request was another: ``conflict`` of the token, SageMaker's unless given.
    """
    token = _token(request)
    if token is None:
        return None
    found = context.app.resources.recall_token(context.scope, action, token)
    if found is None:
        return None
    if found[0] != _canonical(request):
        raise conflict(token)
    return found[1]


def remember(context: Context, action: str, request: Request, arn: str) -> None:
    """Note, in the transaction that makes ``arn``, the token of the request, if it has one."""
    if token := _token(request):
        context.app.resources.remember_token(context.scope, action, token, _canonical(request), arn)


def _token(request: Request) -> str | None:
    return next((request[member] for member in _MEMBERS if request.get(member)), None)


def _canonical(request: Request) -> str:
    return json.dumps(request, sort_keys=True, default=str)
