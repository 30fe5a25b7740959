"""DescribePipeline requests per second: the emulator against moto's server.

Both run as their own process; one raw HTTP client with a kept-alive connection sends the same signed-looking request to
each, in turns. On a busy machine the rates say more of the scheduler than of the servers: the processor time that a
server spends on a request is printed beside them (Linux). Run: ``python benchmarks/describe_pipeline.py``.
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
    body = json.dumps({"PipelineName": PIPELINE})
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "SageMaker.DescribePipeline",
        "X-Amz-Date": "20261122T000000Z",
        "Authorization": AUTHORIZATION,
    }
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        connection.request("POST", "/", body, headers)
        response = connection.getresponse()
        document = response.read()
        count += 1
        if response.status != 200 or b'"PipelineDefinition"' not in document:
            raise SystemExit(f"port {port} answered {response.status}: {document[:300]!r}")
    connection.close()
    return count, elapsed


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
