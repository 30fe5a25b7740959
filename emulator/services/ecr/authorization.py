"""Tokens by which docker, podman and skopeo log in: ``AWS`` is the user, the token the password."""

from __future__ import annotations

import base64
import binascii

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.ecr.errors import EcrError
from emulator.store.images import Images
from emulator.store.resources import Scope

USER = "AWS"


@operation("ecr", "GetAuthorizationToken")
def get_authorization_token(request: Request, context: Context) -> Response:
    """``proxyEndpoint`` is this emulator, which is where an image has to be pushed to get here."""
    registries = request.get("registryIds") or [context.account]
    return {"authorizationData": [_authorization(context, registry) for registry in registries]}


def scope_of_login(authorization: str, images: Images) -> Scope:
    """The registry that a request's ``Authorization`` header is a login to.

    Raises:
        EcrError: it is none, or the token has ended.
    """
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise EcrError("AccessDeniedException", "Not Authorized", "UNAUTHORIZED", 401)
    try:
        user, _, token = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, token = "", ""
    scope = images.scope_of_token(token) if user == USER else None
    if scope is None:
        message = "Your authorization token has expired. Reauthenticate and try again."
        raise EcrError("AccessDeniedException", message, "DENIED", 403)
    return scope


def _authorization(context: Context, account: str) -> dict[str, object]:
    token, expires = context.app.neighbours.images.issue_token(Scope(account, context.region))
    return {
        "authorizationToken": base64.b64encode(f"{USER}:{token}".encode()).decode(),
        "expiresAt": expires,
        "proxyEndpoint": context.app.settings.url,
    }
