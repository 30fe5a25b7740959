"""What the build's own process is asked to do: a JSON array of builds for one environment on its standard input."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class BuildRequest:
    """What to build. ``inputs`` is the hash of what it is built from; ``usual`` are prefixes of files it covers."""

    root: str
    pipeline: str
    module: str
    environment: dict[str, Any]
    output: str
    inputs: str
    usual: list[str]


def to_json(requests: Iterable[BuildRequest]) -> str:
    return json.dumps([asdict(request) for request in requests])


def from_json(text: str) -> list[BuildRequest]:
    return [BuildRequest(**item) for item in json.loads(text)]
