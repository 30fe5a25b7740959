"""The emulator's end of the conversation with a model's server: /ping, /execution-parameters, /invocations."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.launchers.launcher import Process

PORT = 8080
PING_SECONDS = 600.0
"""How long a container may take until it answers /ping. AWS does not document it for batch transform."""
_PING_TIMEOUT = 2.0
_PING_INTERVAL = 0.02
_RETRY_SECONDS = 0.2
_CONNECT_SECONDS = 10.0


class ServerGone(Exception):
    """The container has ended, or the job is being stopped."""


class NoAnswer(Exception):
    """The server did not answer a request in time, or broke the connection."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str | None
    body: bytes


class _Connection(http.client.HTTPConnection):
    def __init__(self, process: Process, port: int, timeout: float) -> None:
        super().__init__("127.0.0.1", port, timeout=timeout)
        self._process = process

    def connect(self) -> None:
        self.sock = self._process.connect(self.port, _CONNECT_SECONDS)
        self.sock.settimeout(self.timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class ModelServer:
    """A running container that serves a model. Threads may call ``invoke`` at the same time."""

    def __init__(self, process: Process, port: int, stopped: Callable[[], bool], timeout: float, retries: int) -> None:
        self._process = process
        self._port = port
        self._stopped = stopped
        self._timeout = timeout
        self._retries = retries
        self._local = threading.local()
        self._open: list[_Connection] = []

    def close(self) -> None:
        """Close every connection, once no thread calls any more."""
        for connection in self._open:
            connection.close()

    def wait_until_ready(self, seconds: float = PING_SECONDS) -> None:
        """Until /ping says 200.

        Raises:
            ServerGone: the container ended before.
            NoAnswer: it did not in time.
        """
        deadline = time.monotonic() + seconds
        said = "nothing listens at port 8080"
        while time.monotonic() < deadline:
            self.check()
            try:
                status = self._once("GET", "/ping", b"", {}, _PING_TIMEOUT).status
                if status == 200:
                    return
                said = f"it answers {status}"
            except OSError as error:
                said = str(error) or said
            except http.client.HTTPException as error:
                said = f"what it answers is no HTTP: {error!r}"
            self._process.wait(_PING_INTERVAL)
        raise NoAnswer(f"the container did not answer GET /ping with 200 within {seconds:g} seconds: {said}")

    def execution_parameters(self) -> dict[str, Any]:
        """What the container asks for; nothing where it does not know the path."""
        try:
            answer = self._once("GET", "/execution-parameters", b"", {}, _PING_TIMEOUT)
            found = json.loads(answer.body) if answer.status == 200 else {}
        except (OSError, http.client.HTTPException, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def invoke(self, body: bytes, headers: dict[str, str]) -> Answer:
        """The answer to one payload; tried again where the server failed, not where it refused.

        Raises:
            ServerGone: the container ended, or the job is being stopped.
            NoAnswer: there was none within the time, tried as often as asked.
        """
        failure = ""
        for attempt in range(self._retries + 1):
            if attempt:
                self._process.wait(_RETRY_SECONDS * attempt)
            self.check()
            try:
                answer = self._kept(body, headers)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                self.check()
                failure = f"{type(error).__name__}: {error}"
                continue
            if answer.status < 500 or attempt == self._retries:
                return answer
        raise NoAnswer(f"Unable to get response from algorithm ({failure})")

    def check(self) -> None:
        if self._stopped() or self._process.wait(0) is not None:
            raise ServerGone

    def _once(self, method: str, path: str, body: bytes, headers: dict[str, str], timeout: float) -> Answer:
        connection = _Connection(self._process, self._port, timeout)
        try:
            return _exchange(connection, method, path, body, headers)
        finally:
            connection.close()

    def _kept(self, body: bytes, headers: dict[str, str]) -> Answer:
        """Over this thread's own connection. A server may have closed it while it was idle: then over a new one."""
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            try:
                return _exchange(connection, "POST", "/invocations", body, headers)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self._drop()
        connection = self._local.connection = _Connection(self._process, self._port, self._timeout)
        self._open.append(connection)
        return _exchange(connection, "POST", "/invocations", body, headers)

    def _drop(self) -> None:
        connection: _Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._open.remove(connection)
            self._local.connection = None


def _exchange(connection: _Connection, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    connection.request(method, path, body=body or None, headers=headers)
    response = connection.getresponse()
    return Answer(response.status, response.getheader("Content-Type"), response.read())
