"""DescribePipeline requests per second: the emulator against moto's server.

Both run as their own process; one raw client with a kept-alive connection sends the same bytes to each, in turns. (With
``http.client`` half of a request's time is the client's own and the ratio says little of the servers.) A busy machine
distorts rates, so the processor time that a server spends on a request is printed beside them (Linux).

Run: ``python -m benchmarks.describe_pipeline``.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

TARGET_RATIO = 10.0
PIPELINE = "flights"
DEFINITION = json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [
    {"Name": f"Step{number}", "Type": "Fail", "Arguments": {"ErrorMessage": "x" * 200}} for number in range(10)
]})  # fmt: skip
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=123456789012/20261122/us-east-1/sagemaker/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + "0" * 64
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    with ExitStack() as stack:
        servers = {"moto": stack.enter_context(_moto()), "emulator": stack.enter_context(_emulator())}
        for server in servers.values():
            _create_pipeline(server.port)
        for _ in range(options.rounds):
            for server in servers.values():
                server.measure(options.seconds)
    return _report(servers)


@dataclass
class Server:
    port: int
    process: subprocess.Popen[bytes]
    rates: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)

    def measure(self, seconds: float) -> None:
        before = self.processor_time()
        count, elapsed = _requests(self.port, seconds)
        self.rates.append(count / elapsed)
        self.costs.append(1000 * (self.processor_time() - before) / count)

    def processor_time(self) -> float:
        """Seconds of processor time spent so far; 0 where /proc does not tell."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _report(servers: dict[str, Server]) -> int:
    for name, server in servers.items():
        rate, cost = statistics.median(server.rates), statistics.median(server.costs)
        print(f"{name:10} {rate:8.0f} DescribePipeline/s (best round {max(server.rates):.0f}), {cost:.2f} ms CPU each")
    ours, theirs = servers["emulator"], servers["moto"]
    ratio = statistics.median(our / their for our, their in zip(ours.rates, theirs.rates, strict=True))
    print(f"{'ratio':10} {ratio:8.1f} (target: at least {TARGET_RATIO:.0f})", end="")
    print(f", processor time {statistics.median(theirs.costs) / max(statistics.median(ours.costs), 1e-9):.1f}")
    return 0 if ratio >= TARGET_RATIO else 1


@contextmanager
def _moto() -> Iterator[Server]:
    port = _free_port()
    with _server([sys.executable, "-m", "moto.server", "-p", str(port)], port, "/moto-api/") as server:
        yield server


@contextmanager
def _emulator() -> Iterator[Server]:
    port = _free_port()
    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        environ = {"EMULATOR_PORT": str(port), "EMULATOR_DATA_DIR": folder, "PYTHONPATH": str(root)}
        program = "from emulator import server, settings; server.run(settings.Settings.load(), lambda _: None)"
        with _server([sys.executable, "-c", program], port, "/_emulator/health", environ) as server:
            yield server


@contextmanager
def _server(command: list[str], port: int, path: str, environ: dict[str, str] | None = None) -> Iterator[Server]:
    """A server process, from its first answer until the block ends."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=os.environ | (environ or {}), stdout=quiet, stderr=quiet) as process:
        try:
            _wait(process, port, path)
            yield Server(port, process)
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
            return
        except (OSError, HTTPException):
            time.sleep(0.05)
        finally:
            connection.close()
    raise SystemExit(f"{process.args!r} does not answer on port {port}")


def _create_pipeline(port: int) -> None:
    import boto3

    client = boto3.client(
        "sagemaker",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="123456789012",
        aws_secret_access_key="test",
    )
    client.create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition=DEFINITION,
        RoleArn="arn:aws:iam::123456789012:role/sagemaker-execution",
        ClientRequestToken="describe-pipeline-benchmark-0123",
    )
    client.close()


def _requests(port: int, seconds: float) -> tuple[int, float]:
    """How many requests were answered in how many seconds."""
    client = RawClient(port, _request(port))
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        answer = client.send()
        count += 1
        if not answer.startswith(b"HTTP/1.1 200") or b'"PipelineDefinition"' not in answer:
            raise SystemExit(f"port {port} answered {answer[:500]!r}")
    client.close()
    return count, elapsed


def _request(port: int) -> bytes:
    body = json.dumps({"PipelineName": PIPELINE})
    headers = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": "application/x-amz-json-1.1",
        "Content-Length": str(len(body)),
        "X-Amz-Target": "SageMaker.DescribePipeline",
        "X-Amz-Date": "20261122T000000Z",
        "Authorization": AUTHORIZATION,
    }
    lines = [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(["POST / HTTP/1.1", *lines, "", body]).encode()


class RawClient:
    """One kept-alive connection and one request, sent again and again: next to no time is the client's own."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._socket = self._connect()

    def send(self) -> bytes:
        """The whole answer, head and body."""
        self._socket.sendall(self._request)
        answer = self._socket.recv(65536)
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        head = head.lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(body) < length:
            chunk = self._more()
            answer, body = answer + chunk, body + chunk
        if b"connection: close" in head:
            self.close()
            self._socket = self._connect()
        return answer

    def close(self) -> None:
        self._socket.close()

    def _more(self) -> bytes:
        chunk = self._socket.recv(65536)
        if not chunk:
            raise SystemExit(f"port {self._port} closed the connection in the middle of an answer")
        return chunk

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
