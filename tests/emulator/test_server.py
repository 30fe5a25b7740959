"""A whole emulator as a process of its own: it starts fast, says why it cannot, and ends when told."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from emulator import server
from emulator.settings import Settings, SettingsError

PROGRAM = """
import sys
from emulator.server import run
from emulator.settings import Settings
run(Settings.load(), lambda url: print(url, flush=True))
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with _start(tmp_path) as process:
        try:
            yield process
        finally:
            process.kill()


def _start(data_dir: Path) -> subprocess.Popen[str]:
    environ = os.environ | {"EMULATOR_DATA_DIR": str(data_dir), "EMULATOR_PORT": "0"}
    return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environ, stdout=subprocess.PIPE, text=True)


def _url(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _health(url: str) -> dict[str, object]:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", "/_emulator/health")
        document: dict[str, object] = json.loads(connection.getresponse().read())
        return document
    finally:
        connection.close()


def _client(url: str, service: str) -> object:
    import boto3

    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="test",
    )


def test_it_answers_at_the_url_it_reports(process: subprocess.Popen[str], tmp_path: Path) -> None:
    health = _health(_url(process))
    assert health["pid"] == process.pid
    assert health["data_dir"] == str(tmp_path)
    assert health["isolation"]


def test_every_service_is_behind_one_port(process: subprocess.Popen[str]) -> None:
    url = _url(process)
    for service, call, key in (
        ("sagemaker", "list_pipelines", "PipelineSummaries"),
        ("s3", "list_buckets", "Buckets"),
        ("iam", "list_roles", "Roles"),
        ("sts", "get_caller_identity", "Account"),
        ("logs", "describe_log_groups", "logGroups"),
    ):
        client = _client(url, service)
        try:
            assert key in getattr(client, call)()
        finally:
            client.close()  # type: ignore[attr-defined]


def test_the_account_has_the_bucket_that_the_sdks_take(process: subprocess.Popen[str]) -> None:
    client = _client(_url(process), "s3")
    try:
        names = [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]  # type: ignore[attr-defined]
        assert names == ["sagemaker-us-east-1-123456789012"]
    finally:
        client.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(process: subprocess.Popen[str], number: signal.Signals) -> None:
    assert _url(process)
    start = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=10) != 0
    assert time.monotonic() - start < 5


def test_a_kept_alive_connection_does_not_hold_up_the_end(process: subprocess.Popen[str]) -> None:
    host, port = _url(process).removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        process.terminate()
        process.wait(timeout=server.SHUTDOWN_SECONDS + 5)


def test_what_was_stored_is_there_after_a_kill(tmp_path: Path) -> None:
    for expected in ([], ["Trainer"]):
        with _start(tmp_path) as process:
            client = _client(_url(process), "iam")
            roles = client.list_roles()["Roles"]  # type: ignore[attr-defined]
            assert [role["RoleName"] for role in roles] == expected
            if not roles:
                client.create_role(RoleName="Trainer", AssumeRolePolicyDocument='{"Statement": []}')  # type: ignore[attr-defined]
            client.close()  # type: ignore[attr-defined]
            process.kill()


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} on 127.0.0.1 is in use .*emulator start --port 0"):
            server.run(Settings(data_dir=tmp_path, port=port), lambda url: None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70000), ("192.0.2.77", 0), ("no.such.host.invalid", 0)])
def test_an_address_that_cannot_be_had_is_named(tmp_path: Path, host: str, port: int) -> None:
    with pytest.raises(SettingsError, match=f"Cannot listen on {host} port {port}"):
        server.run(Settings(data_dir=tmp_path, host=host, port=port), lambda url: None)


def test_other_machines_are_let_in_only_with_keys(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="EMULATOR_ACCESS_KEY_ID"):
        server.run(Settings(data_dir=tmp_path, host="0.0.0.0", port=0), lambda url: None)


def test_botocore_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys, emulator.server, uvicorn; from emulator.gateway.registry import load_services; load_services(); "
        "sys.exit(', '.join({'botocore', 'boto3', 'pandas', 'numpy'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
