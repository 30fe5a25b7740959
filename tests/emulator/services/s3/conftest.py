"""An S3 endpoint on a real port, and boto3 clients of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
import uvicorn
from botocore.config import Config
from starlette.requests import Request

from emulator.gateway.registry import load_services
from emulator.gateway.transport import OneSegmentProtocol
from emulator.services.context import App
from emulator.services.s3.endpoint import S3Endpoint
from emulator.store.objects import ObjectStore
from emulator.store.resources import Scope

ACCOUNT = "123456789012"


class Server:
    """The endpoint behind uvicorn in a thread, with just enough of a gateway in front."""

    def __init__(self, root: Path) -> None:
        self.objects = ObjectStore(root)
        load_services()
        self.endpoint = S3Endpoint(cast(App, SimpleNamespace(objects=self.objects)))
        config = uvicorn.Config(
            self._answer,
            port=0,
            http=OneSegmentProtocol,
            interface="asgi3",
            proxy_headers=False,
            log_level="warning",
            lifespan="off",
            timeout_keep_alive=60,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        response = await self.endpoint(request, caller(request), "REQUEST1")
        await response(scope, receive, send)

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.endpoint.close()
        self.objects.close()

    def client(self, service: str = "s3", **options: Any) -> Any:
        config = options.pop("config", None) or Config(retries={"max_attempts": 0})
        return boto3.Session().client(service, **self.connection(**options), config=config)

    def connection(self, account: str = ACCOUNT, region: str = "us-east-1") -> dict[str, str]:
        return {
            "endpoint_url": self.url,
            "aws_access_key_id": account,
            "aws_secret_access_key": "secret",
            "region_name": region,
        }


def caller(request: Request) -> Scope:
    """Account and region of a signed request; the gateway's work, done here in three lines."""
    presigned = f"Credential={request.query_params.get('X-Amz-Credential', '')}"
    found = re.search(r"Credential=(\d+)/\d+/([^/]+)/", request.headers.get("authorization", "") + presigned)
    return Scope(found[1], found[2]) if found else Scope(ACCOUNT, "us-east-1")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("s3") / "objects")
    yield server
    server.close()


@pytest.fixture
def s3(server: Server) -> Iterator[Any]:
    client = server.client()
    yield client
    client.close()


@pytest.fixture
def bucket(server: Server, request: pytest.FixtureRequest) -> str:
    """A fresh bucket of the test's own."""
    stem = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:40].strip("-")
    name = f"{stem}-{time.time_ns() % 10**12}"
    assert server.objects.create_bucket(Scope(ACCOUNT, "us-east-1"), name)
    return name


def error_of(caught: pytest.ExceptionInfo[Any]) -> tuple[str, int]:
    """Code and status of a boto3 ClientError."""
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]
