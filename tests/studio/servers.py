"""Studio in a process of its own, as a user would start it, and plain HTTP to it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlencode, urlsplit


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def location(self) -> str:
        return self.headers["location"]

    @property
    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.text)
        assert found, self.text
        return found[1]

    @property
    def words(self) -> str:
        """The text without markup."""
        bare = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", self.text, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(bare))


@dataclass
class Server:
    url: str
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return self._ask("POST", path, urlencode(form), headers)

    def events(self, path: str) -> Iterator[str]:
        """Lines of an event stream until it ends."""
        connection = self._connect()
        try:
            connection.request("GET", path)
            response: HTTPResponse = connection.getresponse()
            while line := response.readline():
                yield line.decode().rstrip("\n")
        finally:
            connection.close()

    @contextmanager
    def stream(self, path: str) -> Iterator[HTTPResponse]:
        """An answer that is still being sent."""
        connection = self._connect()
        try:
            connection.request("GET", path)
            yield connection.getresponse()
        finally:
            connection.close()

    def _connect(self) -> HTTPConnection:
        address = urlsplit(self.url)
        return HTTPConnection(address.hostname or "", address.port, timeout=30)

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        connection = self._connect()
        try:
            named = {name.replace("_", "-"): value for name, value in {**self.headers, **headers}.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read().decode(errors="replace"))
        finally:
            connection.close()


@contextmanager
def serving(exports: Mapping[str, str], *arguments: str) -> Iterator[Server]:
    """``studio --port 0`` with the environment of a client."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "studio.cli", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        env=inherited | {name: value for name, value in exports.items() if value is not None},
        text=True,
    )
    assert process.stdout
    try:
        first = process.stdout.readline()
        assert first.startswith("Studio at http://"), first
        yield Server(first.split()[2])
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
