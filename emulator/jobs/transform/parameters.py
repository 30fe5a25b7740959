"""How much a container is sent at a time: what the job says, else what the container asks for, else AWS's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_PAYLOAD_MIB = 6
MAX_PAYLOAD_MIB = 100


@dataclass(frozen=True, slots=True)
class Parameters:
    max_concurrent: int
    max_payload_mib: int
    """0: of any size."""
    single: bool
    """One record per request."""

    @classmethod
    def of(cls, body: Mapping[str, Any], asked: Mapping[str, Any]) -> Parameters:
        """``body``: the job's; ``asked``: the answer to GET /execution-parameters."""
        concurrent = body.get("MaxConcurrentTransforms") or _number(asked.get("MaxConcurrentTransforms"), 1)
        payload = body.get("MaxPayloadInMB")
        if payload is None:
            payload = _number(asked.get("MaxPayloadInMB"), DEFAULT_PAYLOAD_MIB)
        strategy = body.get("BatchStrategy") or asked.get("BatchStrategy") or "MULTI_RECORD"
        return cls(max(1, concurrent), min(payload, MAX_PAYLOAD_MIB), strategy in ("SingleRecord", "SINGLE_RECORD"))

    def __str__(self) -> str:
        """As the data log of a transform job begins."""
        strategy = "SINGLE_RECORD" if self.single else "MULTI_RECORD"
        return (
            f"MaxConcurrentTransforms={self.max_concurrent}, MaxPayloadInMB={self.max_payload_mib},"
            f" BatchStrategy={strategy}"
        )


def _number(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
