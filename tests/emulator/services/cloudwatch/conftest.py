from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.emulator.gateway.conftest import Wire, make_app, register, serve, wire

__all__ = ["make_app", "register", "serve", "wire"]

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
"""The minute in which the tests began: so all ages are small, and whole minutes are known."""


PROTOCOLS = ["smithy-rpc-v2-cbor", "json", "query"]
"""Today's other SDKs, today's boto3, and boto3 of before 2025."""


@pytest.fixture(params=PROTOCOLS)
def any_cloudwatch(request: pytest.FixtureRequest, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client that speaks one of the protocols, whichever it would choose itself."""
    monkeypatch.setattr("botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (request.param,))
    return wire.client("cloudwatch")


@pytest.fixture
def cloudwatch(wire: Wire) -> Any:
    return wire.client("cloudwatch")


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def dimensions(**pairs: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in pairs.items()]
