from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emulator import runtime
from tests.integration.emulators import Emulator, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    emulator = Emulator(tmp_path)
    process = subprocess.Popen(
        [Path(sys.executable).parent / "emulator", "start", "--foreground"],
        env=emulator.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        until(lambda: runtime.running(tmp_path) and emulator.status["status"] == "running")
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert "Emulator at http://127.0.0.1:" in output
    assert runtime.running(tmp_path) is None
    assert not (tmp_path / runtime.RUNTIME).exists()


@pytest.mark.parametrize("setting", [{"EMULATOR_WARM": "perhaps"}, {"EMULATOR_PORT": "http"}])
def test_a_wrong_setting_is_named(tmp_path: Path, setting: dict[str, str]) -> None:
    done = _run_daemon(Emulator(tmp_path).environ | setting)
    assert done.returncode == 1
    assert next(iter(setting)) in done.stdout


def test_a_state_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("this is not a database file, and long enough to be looked at" * 20)
    done = _run_daemon(Emulator(tmp_path).environ)
    assert done.returncode == 1
    assert f"cannot use its state in {tmp_path}" in done.stdout
    assert "not a database" in done.stdout


def _run_daemon(environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The daemon with its report going to standard output."""
    return subprocess.run(
        [sys.executable, "-m", "emulator.daemon"],
        env=environ | {runtime.REPORT_VARIABLE: "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_answers_within_the_promised_time(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    emulator.start().stop()  # bytecode is compiled once
    before = time.monotonic()
    emulator.start()
    took = time.monotonic() - before
    emulator.stop()
    assert took < 0.8 * max(1.0, os.getloadavg()[0])  # a busy machine is given its time


def test_a_full_disk_at_start_is_explained(tmp_path: Path) -> None:
    command = f"ulimit -f 8; exec {Path(sys.executable).parent / 'emulator'} start"
    done = subprocess.run(
        ["sh", "-c", command], env=Emulator(tmp_path).environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert f"cannot use its state in {tmp_path}" in done.stderr
    assert "--data-dir" in done.stderr
