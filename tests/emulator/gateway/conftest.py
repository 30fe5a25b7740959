"""A gateway on a real server, with small operations registered under the names of real ones."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn

from emulator.aws import operations
from emulator.aws.operations import Handler, Operation
from emulator.gateway.compiled import compiled
from emulator.gateway.gateway import Gateway, create_gateway
from emulator.gateway.invoke import make_invoke
from emulator.gateway.transport import OneSegmentProtocol
from emulator.services import sagemaker_metrics, sts
from emulator.services.cloudwatch import data, listing, putting, statistics
from emulator.services.context import App
from emulator.services.iam import managed_policies, role_policies, role_tags, roles, users
from emulator.settings import Settings
from emulator.store.database import Database
from emulator.store.metrics import Metrics
from emulator.store.resources import SCHEMA, Resources
from emulator.store.trial_metrics import TrialMetrics

REGISTERED = (
    roles,
    managed_policies,
    role_policies,
    role_tags,
    users,
    sts,
    data,
    listing,
    putting,
    statistics,
    sagemaker_metrics,
)
Register = Callable[..., None]


@dataclass
class Wire:
    """A running gateway and clients to it."""

    app: App
    port: int
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, key: str = "123456789012", secret: str = "test", **options: Any) -> Any:
        import boto3

        options = {"region_name": "us-east-1", "endpoint_url": self.url} | options
        client = boto3.client(service, aws_access_key_id=key, aws_secret_access_key=secret, **options)
        self.stack.callback(client.close)
        return client

    def send(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def call(self, operation: str, body: bytes, **headers: str) -> tuple[HTTPResponse, bytes]:
        """A SageMaker request, unsigned, with any bytes as its body."""
        sent = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"} | headers
        return self.send("POST", "/", body, sent)


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    """Register a handler for the length of a test, in place of the real one if there is one."""

    def put(service: str, name: str, handler: Handler, *, blocking: bool = False) -> None:
        monkeypatch.setitem(operations._OPERATIONS, (service, name), Operation(service, name, handler, blocking))
        compiled.cache_clear()

    yield put
    compiled.cache_clear()


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., App]]:
    databases = []

    def make(**settings: Any) -> App:
        database = Database(tmp_path / "state.db", SCHEMA)
        databases.append(database)
        nothing: Any = SimpleNamespace()
        app = App(replace(Settings(data_dir=tmp_path), **settings), Resources(database), *[nothing] * 4, invoke=nothing)
        app.metrics = Metrics(database)
        app.trial_metrics = TrialMetrics(database)
        app.invoke = make_invoke(app)
        return app

    yield make
    for database in databases:
        database.close()


@pytest.fixture
def serve(make_app: Callable[..., App]) -> Iterator[Callable[..., Wire]]:
    """Start a gateway with the given settings."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Wire:
            app = make_app(**settings)
            return Wire(app, _start(create_gateway(app, "test isolation"), stack), stack)

        yield start


@pytest.fixture
def wire(serve: Callable[..., Wire]) -> Wire:
    return serve()


def _start(gateway: Gateway, stack: ExitStack) -> int:
    listener = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP))
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(
        gateway, http=OneSegmentProtocol, ws="none", lifespan="off", log_config=None, access_log=False, log_level="info"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def stop() -> None:
        server.should_exit = True
        server.force_exit = True
        thread.join()
        gateway.close()

    stack.callback(stop)
    return int(listener.getsockname()[1])
