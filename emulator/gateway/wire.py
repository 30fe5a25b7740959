"""A request and an answer as bytes and headers, whatever the protocol in them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class WireRequest:
    """``path`` and ``query`` are as sent (percent-encoded); header names are lower-case. ``body`` is set once read."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(slots=True)
class WireResponse:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
