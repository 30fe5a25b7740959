"""A real emulator in a process of its own, driven as a user would: by its command line and by boto3."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

CONTAINERS = Path(__file__).parent / "containers"
BIN = Path(sys.executable).parent


class Emulator:
    """``emulator start`` on a free port and a folder of its own."""

    def __init__(self, data_dir: Path, **settings: object) -> None:
        self.data_dir = data_dir
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "EMULATOR_"))}
        self.environ = inherited | {
            "EMULATOR_DATA_DIR": str(data_dir),
            "EMULATOR_CONTAINERS_DIR": str(CONTAINERS),
            "EMULATOR_PORT": "0",
            **{f"EMULATOR_{name.upper()}": str(value) for name, value in settings.items()},
        }

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [BIN / "emulator", *arguments], env=self.environ, check=check, capture_output=True, text=True, timeout=60
        )

    def start(self) -> Emulator:
        self.run("start")
        return self

    def stop(self) -> None:
        self.run("stop")

    def kill(self) -> None:
        """``kill -9``, as a power user or the kernel would."""
        os.kill(self.status["pid"], signal.SIGKILL)

    @property
    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.run("status", "--json", check=False).stdout)
        return document

    @property
    def exports(self) -> dict[str, str]:
        exports: dict[str, str] = json.loads(self.run("env", "--format", "json").stdout)
        return exports

    def client(self, service: str, region: str = "us-east-1") -> Any:
        exports = self.exports
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=exports["AWS_ENDPOINT_URL"],
            aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 0}),
        )


def until(probe: Callable[[], Any], seconds: float = 60.0, every: float = 0.05) -> Any:
    """The first true answer of ``probe``; fails when it stays false for ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {probe}"
        time.sleep(every)
    return answer
