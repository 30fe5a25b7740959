"""The command ``studio``, and ``emulator start --studio``."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.error import URLError

from tests.integration.emulators import Emulator, until
from tests.studio.servers import serving
from tests.studio.world import World


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "studio.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_it_ends_with_the_emulator_that_started_it(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "data")
    emulator.environ["STUDIO_PORT"] = "0"
    said = emulator.run("start", "--studio").stdout
    try:
        found = re.search(r"Studio at (http://127\.0\.0\.1:\d+)", said)
        assert found, said
        with urllib.request.urlopen(f"{found[1]}/pipelines") as answer:
            assert b"No pipelines" in answer.read()
    finally:
        emulator.kill()
    until(lambda: _is_gone(found[1]), 10)


def _is_gone(url: str) -> bool:
    try:
        with urllib.request.urlopen(url):
            return False
    except (URLError, ConnectionError):
        return True


def test_a_port_in_use_is_said_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run("--port", str(other.getsockname()[1]))
    assert done.returncode == 1
    assert "Address already in use" in done.stderr
    assert "--port 0" in done.stderr


def test_prices_must_be_prices(tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text('{"ml.m5.large": "dear"}')
    done = run("--prices", str(tmp_path / "prices.json"))
    assert done.returncode == 1
    assert "a JSON object of prices is needed" in done.stderr


def test_off_loopback_there_is_a_token_though_none_was_given(emulator: Emulator) -> None:
    with serving(emulator.exports, "--host", "0.0.0.0") as server:
        address, token = re.match(r"http://0\.0\.0\.0:(\d+)/\?token=(\S{20,})", server.url).groups()  # type: ignore[union-attr]
        server.url = f"http://127.0.0.1:{address}"
        assert server.get("/pipelines", Host="studio.example").status == 401
        assert server.get("/static/studio.js", Host="studio.example").status == 401
        entered = server.get(f"/?token={token}", Host="studio.example")
        assert entered.location == "/"
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        server.headers["Cookie"] = cookie.split(";")[0]
        assert server.get("/pipelines", Host="studio.example").status == 200


def test_prices_give_what_a_run_cost(emulator: Emulator, world: World, tmp_path: Path) -> None:
    (tmp_path / "prices.json").write_text('{"ml.m5.large": 3600}')
    path = f"/pipelines/quality/executions/{world.id(world.good)}?view=times"
    with serving(emulator.exports, "--prices", str(tmp_path / "prices.json")) as server:
        words = server.get(path).words
    costs = [float(cost) for cost in re.findall(r"\$([\d.]+)", words)]
    assert len(costs) == 3, words
    assert costs[-1] > 0, "a dollar a second"
    assert abs(sum(costs[:-1]) - costs[-1]) < 0.001
