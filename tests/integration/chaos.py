"""An emulator that is killed at random moments, and the ledgers that show whether it noticed.

A storm starts every scenario (see ``chaos_pipelines``), kills the emulator at a random moment with ``kill -9``, starts
it again, sometimes kills it while it starts, and compares what has become of the executions with an undisturbed run.
Clients retry what was not answered, with the same tokens, as every client of AWS does.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from emulator import runtime
from tests.integration.emulators import BIN, Emulator, until

PATIENCE = 60.0
"""Seconds within which the emulator answers again, and executions end."""
ORPHAN_SECONDS = 70.0
"""Within which nothing is left of an emulator that was killed: a function that a step waits for may go on for its
timeout of 60 seconds."""
SECOND_KILL = 0.3
"""How often a start is met by another kill."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Victim:
    """An emulator on one port for ever, however often it is killed, and clients that do not mind.

    ``machine``: each kill is the machine's death, which takes what would outlive the emulator along.
    """

    def __init__(self, data_dir: Path, *, machine: bool = False, **settings: object) -> None:
        self.machine = machine
        self.port = free_port()
        self.emulator = Emulator(data_dir, port=self.port, stop_grace_seconds=1, max_parallel_jobs=6, **settings)
        self.kills = 0
        self.trouble = ""
        """Why it does not start again, if it does not."""
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Of the emulator that holds the folder, also while it starts."""
        holder = runtime.running(self.emulator.data_dir)
        return holder.pid if holder else None

    def client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = boto3.client(
                    service,
                    region_name="us-east-1",
                    endpoint_url=f"http://127.0.0.1:{self.port}",
                    aws_access_key_id="test",
                    aws_secret_access_key="test",
                    config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=20),
                )
            return self._clients[service]

    def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        """Call until there is an answer."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer: dict[str, Any] = getattr(self.client(service), operation)(**request)
                return answer
            except (ConnectionError, HTTPClientError):
                assert time.monotonic() < deadline, f"{service} {operation}: no answer. {self.trouble}"
                time.sleep(0.03)

    def kill(self) -> set[tuple[int, str]]:
        """``kill -9`` whatever holds the folder; the processes that must go with it."""
        pid = self.pid
        if not pid:
            return set()
        family = descendants(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
        for other, _ in family if self.machine else ():
            with suppress(ProcessLookupError):
                os.kill(other, signal.SIGKILL)
        return family

    def start(self) -> subprocess.Popen[bytes]:
        """Begin ``emulator start`` and return at once."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        return subprocess.Popen([BIN / "emulator", "start"], env=self.emulator.environ, **quiet)


def descendants(pid: int) -> set[tuple[int, str]]:
    """A process and all below it, each as its id and the moment it started, which together are unique."""
    parents: dict[int, list[int]] = {}
    started: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
                started[int(entry.name)] = fields[19]
    found, pending = set(), [pid]
    while pending:
        current = pending.pop()
        if current in started:
            found.add((current, started[current]))
        pending += parents.get(current, [])
    return found


def alive(process: tuple[int, str]) -> bool:
    try:
        fields = Path(f"/proc/{process[0]}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[19] == process[1] and fields[0] not in "ZX"


@dataclass
class Ledger:
    """What was answered with success, and must therefore be there whatever happens after."""

    victim: Victim
    chance: random.Random
    objects: dict[str, bytes] = field(default_factory=dict)
    uncertain: dict[str, bytes] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)

    @contextmanager
    def writing(self, bucket: str) -> Iterator[None]:
        """Write all the while, in a thread."""
        over = threading.Event()
        thread = threading.Thread(target=self._write, args=(bucket, over))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _write(self, bucket: str, over: threading.Event) -> None:
        number = len(self.objects) + len(self.uncertain)
        while not over.wait(0.02):
            number += 1
            try:
                self._put(bucket, f"ledger/{number}") if number % 4 else self._group(f"ledger-{number}")
            except (ConnectionError, HTTPClientError):
                continue
            except ClientError as error:
                self.refused.append(str(error))

    def _put(self, bucket: str, key: str) -> None:
        body = self.chance.randbytes(self.chance.choice([1, 1000, 300_000]))
        self.uncertain[key] = body
        self.victim.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        self.objects[key] = self.uncertain.pop(key)

    def _group(self, name: str) -> None:
        self.victim.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
        self.groups.add(name)

    def losses(self, bucket: str) -> list[str]:
        """Whatever is not as it was answered."""
        s3, found = self.victim.client("s3"), {}
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="ledger/"):
            for item in page.get("Contents", []):
                found[item["Key"]] = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        pages = self.victim.client("sagemaker").get_paginator("list_model_package_groups").paginate()
        names = {group["ModelPackageGroupName"] for page in pages for group in page["ModelPackageGroupSummaryList"]}
        known = self.objects | self.uncertain
        return [
            *(f"object {key} is lost" for key in self.objects if key not in found),
            *(f"object {key} is not what was put" for key, body in found.items() if known.get(key) != body),
            *(f"model package group {name} is lost" for name in self.groups - names),
            *(f"refused: {text}" for text in self.refused),
        ]


class Killer:
    """Kills once after a delay, starts again, and sees to it that nothing of the dead one lives on."""

    def __init__(self, victim: Victim, chance: random.Random) -> None:
        self._victim = victim
        self._chance = chance
        self.orphans: list[str] = []

    def strike(self, delay: float) -> threading.Thread:
        again = self._chance.random() < SECOND_KILL
        second = self._chance.uniform(0.0, 1.0) if again else None
        thread = threading.Thread(target=self._strike, args=(delay, second))
        thread.start()
        return thread

    def _strike(self, delay: float, second: float | None) -> None:
        time.sleep(delay)
        family = self._victim.kill()
        if second is not None:
            start = self._victim.start()
            time.sleep(second)
            family |= self._victim.kill()
            start.communicate()
        self._restart()
        self.bury(family)

    def _restart(self) -> None:
        for _ in range(3):  # the port of a process that was just killed may need a moment
            start = self._victim.start()
            _, complaint = start.communicate()
            if start.returncode == 0:
                return
            time.sleep(0.1)
        self._victim.trouble = f"The emulator does not start again: {complaint.decode()}"

    def bury(self, family: set[tuple[int, str]]) -> None:
        deadline = time.monotonic() + ORPHAN_SECONDS
        while any(map(alive, family)) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.orphans += [f"process {process[0]} outlives its emulator" for process in family if alive(process)]


def normal(text: str, execution_id: str) -> str:
    """A text of an execution without what differs from execution to execution."""
    text = text.replace(execution_id, "<execution>")
    text = re.sub(r"(pipelines-<execution>-[\w-]+?)-\w{10}\b", r"\1-<suffix>", text)
    text = re.sub(r"('CallbackToken': )'\w+'", r"\1'<token>'", text)
    return re.sub(r"(model-package/[\w-]+)/\d+", r"\1/<version>", text)


def eventually(probe: Callable[[], Any]) -> Any:
    return until(probe, PATIENCE, 0.04)
