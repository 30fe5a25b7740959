"""What of the network a job's program sees, and how the emulator reaches one that serves.

A program alone shares the machine's network. Images bind port 8080, so each server has a network of its own with an
outlet to the emulator, and so has each of several hosts, or their ``lan`` has one for all. In real containers, and
where one job runs at a time, the server is asked to take a port that is free (SAGEMAKER_BIND_TO_PORT).
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from emulator.jobs.plan import Plan
from emulator.launchers.launcher import Lan, Launcher

BIND_TO_PORT = "SAGEMAKER_BIND_TO_PORT"


@dataclass(frozen=True, slots=True)
class Access:
    network: bool
    endpoint_url: str
    """Where the program finds the emulator."""
    outlets: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


def access_to_emulator(plan: Plan, launcher: Launcher, lan: Lan | None, endpoint_url: str) -> Access:
    """What a program has to know to call the emulator, and what is to be known to call it."""
    if plan.port is None and lan is None:
        return Access(plan.network, endpoint_url)
    if lan is None and launcher.isolation != "namespaces":
        return Access(plan.network, endpoint_url, env={BIND_TO_PORT: str(_free_port())})
    if not plan.network:
        return Access(False, endpoint_url)
    parts = urlsplit(endpoint_url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    if lan is not None and (outlet := lan.outlet((host, port))):
        return Access(True, f"http://{outlet[0]}:{outlet[1]}")
    return Access(plan.port is None, f"http://127.0.0.1:{port}", {port: (host, port)})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
