"""A stand-in for a connection whose calls are answered from a script, for what moto does not do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/tiny/execution/abcdefghijkl"


class Client:
    """A client whose operations answer from ``answers``: a value, or a list of which each call takes the next."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        if operation not in self._answers:
            raise AttributeError(operation)

        def call(**request: Any) -> Any:
            self.calls.append((operation, request))
            answer = self._answers[operation]
            if isinstance(answer, list):
                return answer.pop(0) if len(answer) > 1 else answer[0]
            return answer(**request) if callable(answer) else answer

        return call

    def get_paginator(self, operation: str) -> Any:
        client = self

        class Paginator:
            def paginate(self, **request: Any) -> Iterator[Any]:
                while True:
                    answer = getattr(client, operation)(**request)
                    yield answer
                    if "NextToken" not in answer:
                        return
                    request["NextToken"] = answer["NextToken"]

        return Paginator()


class FakeConnection:
    def __init__(self, sagemaker: Client | None = None, s3: Client | None = None, logs: Client | None = None) -> None:
        self.sagemaker = sagemaker or Client()
        self.s3 = s3 or Client()
        self.logs = logs or Client()


def step(name: str, status: str, start: float = 0.0, end: float | None = None, **members: Any) -> dict[str, Any]:
    """A step as ListPipelineExecutionSteps gives it; times in seconds after ``START``."""
    times = {"StartTime": START + timedelta(seconds=start)}
    if end is not None:
        times["EndTime"] = START + timedelta(seconds=end)
    return {"StepName": name, "StepStatus": status, **times, **members}


def job(kind: str, name: str) -> dict[str, Any]:
    """Metadata of a step that runs a job."""
    return {kind: {"Arn": f"arn:aws:sagemaker:us-east-1:123456789012:{kind.lower()}/{name}"}}
