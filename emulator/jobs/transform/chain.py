"""The containers of one instance as one server (Developer Guide, "Run Batch Transforms with Inference Pipelines").

Each container's answer is the next one's request, with its content type; what the job accepts is asked of the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emulator.jobs.transform.server import Answer, ModelServer


class Chain:
    """Threads may call ``invoke`` at the same time."""

    def __init__(self, servers: Sequence[ModelServer]) -> None:
        """``servers``: at least one, in the order of the model's containers."""
        self._servers = servers

    def close(self) -> None:
        for server in self._servers:
            server.close()

    def wait_until_ready(self) -> None:
        """
        Raises:
            ServerGone: a container ended before.
            NoAnswer: one did not answer in time.
        """
        for server in self._servers:
            server.wait_until_ready()

    def execution_parameters(self) -> dict[str, Any]:
        """What the first container asks for: it is the one that gets the records."""
        return self._servers[0].execution_parameters()

    def invoke(self, body: bytes, headers: dict[str, str]) -> Answer:
        """The last container's answer, or the first one that is no success.

        Raises:
            ServerGone: a container ended, or the job is being stopped.
            NoAnswer: there was none within the time, tried as often as asked.
        """
        *earlier, last = self._servers
        accept = {name: value for name, value in headers.items() if name == "Accept"}
        sent = {name: value for name, value in headers.items() if name != "Accept"}
        for server in earlier:
            answer = server.invoke(body, sent)
            if answer.status != 200:
                return answer
            body = answer.body
            sent = {"Content-Type": answer.content_type} if answer.content_type else {}
        return last.invoke(body, sent | accept)
