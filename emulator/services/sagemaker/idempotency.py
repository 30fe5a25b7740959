"""Idempotency tokens: a request that is sent again with its token is answered as the first was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from emulator.aws.errors import ConflictException
from emulator.aws.operations import Request

if TYPE_CHECKING:
    from emulator.services.context import Context

_MEMBERS = ("ClientRequestToken", "ClientToken")


def recall(context: Context, action: str, request: Request) -> str | None:
    """The ARN that an earlier request with the same token made; None if there was none, or there is no token.

    Raises:
        ConflictException: the earlier request was another.
    """
    token = _token(request)
    found = context.app.resources.recall_token(context.scope, action, token) if token else None
    if found is None:
        return None
    if found[0] != _canonical(request):
        raise ConflictException(f"The ClientRequestToken {token} was used before with other parameters.")
    return found[1]


def remember(context: Context, action: str, request: Request, arn: str) -> None:
    """Note, in the transaction that makes ``arn``, the token of the request, if it has one."""
    if token := _token(request):
        context.app.resources.remember_token(context.scope, action, token, _canonical(request), arn)


def _token(request: Request) -> str | None:
    return next((request[member] for member in _MEMBERS if request.get(member)), None)


def _canonical(request: Request) -> str:
    return json.dumps(request, sort_keys=True, default=str)
