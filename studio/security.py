"""Who may ask: this machine by its own names, or whoever has the token; and writes only from our own pages.

Against DNS rebinding the Host header must name this machine; against forged requests a write needs the secret that only
our pages carry, and a browser must not say that it comes from elsewhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "studio-token"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Access:
    """``token`` is needed from everybody if it is set; without one only this machine may ask."""

    token: str = ""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    read_only: bool = False


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine, whatever a name server says."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """The name or address in a Host header; nothing if it cannot be read."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def forbids_write(access: Access, headers: Mapping[str, str], csrf: str) -> str:
    """Why a write may not be done; nothing if it may."""
    if access.read_only:
        return "Studio runs read-only (--read-only): it changes nothing."
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "This request comes from another site."
    origin = headers.get("origin")
    if origin and origin != "null" and origin.partition("://")[2] != headers.get("host"):
        return "This request comes from another site."
    if not secrets.compare_digest(csrf.encode(), access.csrf.encode()):
        return "This form is older than the server that answers. Go back, reload the page and send it again."
    return ""


class Guard:
    """Refuses who may not ask, before anything is looked up; adds the headers that keep a page to itself."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        host = Headers(scope=scope).get("host", "")
        if not self._access.token:
            if not is_loopback(_name(host)):
                return PlainTextResponse(f"Studio answers to this machine's own names only, not to {host!r}.\n", 421)
            return None
        request = Request(scope)
        if self._is_known(request.cookies.get(COOKIE, "")):
            return None
        if self._is_known(request.query_params.get("token", "")):
            rest = request.url.remove_query_params("token")
            response = RedirectResponse(rest.path + (f"?{rest.query}" if rest.query else ""), 303)
            response.set_cookie(COOKIE, self._access.token, httponly=True, samesite="strict", path="/")
            return response
        return PlainTextResponse("Studio needs its token: open the address that it printed when it started.\n", 401)

    def _is_known(self, token: str) -> bool:
        return secrets.compare_digest(token.encode(), self._access.token.encode())


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped
