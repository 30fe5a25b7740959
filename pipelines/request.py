"""What the build's own process is asked to do: one JSON document on its standard input."""

from __future__ import annotations

import json
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

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> BuildRequest:
        return cls(**json.loads(text))
