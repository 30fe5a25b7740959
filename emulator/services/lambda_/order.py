"""What is ordered of the process that runs functions: everything it needs, so that it asks nobody while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TASK_ROOT = "/var/task"


@dataclass(frozen=True, slots=True)
class Order:
    """``folder`` is the invocation's own; ``request`` what the bootstrap reads; ``log`` the folder of the stream."""

    folder: str
    request: dict[str, Any]
    env: dict[str, str]
    code: str
    log: str
    log_limit: int
    once: bool

    @property
    def id(self) -> str:
        return str(self.request["request_id"])

    @property
    def seconds(self) -> float:
        """After which the function is ended."""
        return float(self.request["timeout"])

    @property
    def memory_mib(self) -> int:
        return int(self.request["memory"])
