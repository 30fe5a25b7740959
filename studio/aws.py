"""The way to AWS: boto clients made once, errors as messages for a reader, paging, and definitions remembered.

Nothing here knows whether AWS or an emulator answers: the ordinary environment variables and profiles decide.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from studio.remembered import Remembered
from studio.security import is_loopback

if TYPE_CHECKING:
    from studio.definition import Definition
    from studio.series import Reading

T = TypeVar("T")
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 30
CONNECTIONS = 20
REMEMBERED, REMEMBERED_READINGS = 2000, 200
"""Descriptions of jobs that have ended, and strips of marks; readings of logs, which are larger."""
MISSING = {"ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "404", "NotFound"}
MISSING_WORDS = ("does not exist", "Could not find", "Requested resource not found")
"""SageMaker says it with a ValidationException of many wordings."""
UNSERVED = {"NotImplemented", "UnknownOperationException", "InvalidAction"}


@dataclass
class Problem(Exception):
    """AWS said no, or nothing: what was asked, AWS's code and its words."""

    operation: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.message} ({self.code})"

    @property
    def is_missing(self) -> bool:
        return self.code in MISSING or any(words in self.message for words in MISSING_WORDS)

    @property
    def is_unserved(self) -> bool:
        return self.code in UNSERVED


class Aws:
    """One account and region of AWS, as the environment or a profile names them."""

    def __init__(self, region: str | None = None, profile: str | None = None) -> None:
        self._session = Session(profile=profile)
        if region:
            self._session.set_config_variable("region", region)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self.gaps: list[Problem] = []
        self.ended: Remembered[tuple[str, str], dict[str, Any]] = Remembered(REMEMBERED)
        self.readings: Remembered[tuple[str, str], Reading] = Remembered(REMEMBERED_READINGS)
        self.strips: Remembered[tuple[str, Any], tuple[float, list[dict[str, Any]]]] = Remembered(REMEMBERED)
        self.definition = lru_cache(maxsize=128)(self._definition)
        self.pipeline_arn = lru_cache(maxsize=1024)(self._pipeline_arn)
        self.parameters = lru_cache(maxsize=4096)(self._parameters)

    @property
    def region(self) -> str:
        return str(self._session.get_config_variable("region") or "us-east-1")

    @property
    def endpoint(self) -> str:
        """Where calls go."""
        return str(self.client("sagemaker").meta.endpoint_url)

    @property
    def is_remote(self) -> bool:
        """Whether another machine answers: AWS, which throttles those who ask often."""
        return not is_loopback(urlsplit(self.endpoint).hostname or "")

    def reader(self) -> Aws:
        """The same account for one request, with ``gaps`` of its own: what that request could not read."""
        reader = copy.copy(self)
        reader.gaps = []
        return reader

    def optional(self, ask: Callable[[], T], default: T) -> T:
        """An answer that a page can do without.

        ``default`` if there is no such thing or no such operation; if AWS refuses, throttles or is silent, the page
        says so among its ``gaps`` and shows the rest.
        """
        try:
            return ask()
        except Problem as problem:
            if not (problem.is_missing or problem.is_unserved):
                self.gaps.append(problem)
            return default

    def client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                config = Config(
                    connect_timeout=CONNECT_TIMEOUT_SECONDS,
                    read_timeout=READ_TIMEOUT_SECONDS,
                    max_pool_connections=CONNECTIONS,
                    retries={"mode": "standard", "total_max_attempts": 3},
                    s3={"addressing_style": "auto"},
                )
                self._clients[service] = self._session.create_client(service, region_name=self.region, config=config)
            return self._clients[service]

    def close(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def call(self, service: str, method: str, **arguments: Any) -> dict[str, Any]:
        """One call; arguments that are None are left out.

        Raises:
            Problem: AWS refused, or cannot be reached.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            answer: dict[str, Any] = getattr(self.client(service), method)(**given)
        except ClientError as error:
            detail = error.response.get("Error", {})
            raise Problem(error.operation_name, detail.get("Code", "?"), detail.get("Message") or str(error)) from error
        except BotoCoreError as error:
            raise Problem(_camel(method), type(error).__name__, str(error)) from error
        return answer

    def sagemaker(self, method: str, **arguments: Any) -> dict[str, Any]:
        return self.call("sagemaker", method, **arguments)

    def s3(self, method: str, **arguments: Any) -> dict[str, Any]:
        return self.call("s3", method, **arguments)

    def logs(self, method: str, **arguments: Any) -> dict[str, Any]:
        return self.call("logs", method, **arguments)

    def every(self, method: str, member: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """The items of a SageMaker list, page after page, fetched as they are read."""
        token = None
        while True:
            page = self.sagemaker(method, NextToken=token, **arguments)
            yield from page.get(member, [])
            token = page.get("NextToken")
            if not token:
                return

    def _definition(self, execution_arn: str) -> Definition:
        """The definition that an execution runs; it never changes, so it is asked for once."""
        from studio.definition import read_definition

        answer = self.sagemaker("describe_pipeline_definition_for_execution", PipelineExecutionArn=execution_arn)
        return read_definition(answer["PipelineDefinition"])

    def _pipeline_arn(self, name: str) -> str:
        return str(self.sagemaker("describe_pipeline", PipelineName=name)["PipelineArn"])

    def _parameters(self, execution_arn: str) -> list[dict[str, Any]]:
        """The parameters that an execution was started with; they never change, so they are asked for once."""
        method, member = "list_pipeline_parameters_for_execution", "PipelineParameters"
        return list(self.every(method, member, PipelineExecutionArn=execution_arn))

    def forget(self) -> None:
        """After a deletion: a name may mean something else now."""
        for remembered in (self.definition, self.pipeline_arn, self.parameters):
            remembered.cache_clear()
        self.ended.clear()
        self.readings.clear()
        self.strips.clear()


def _camel(method: str) -> str:
    return "".join(part.capitalize() for part in method.split("_"))
