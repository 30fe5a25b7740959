"""A process between the emulator and a command, which ends the command when the emulator dies."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from emulator.launchers.launcher import Launch
from emulator.launchers.sandbox import wire

_BOOT = "import sys; sys.path[0] = {folder!r}; from sandbox.{module} import main; main()"
_HERE = Path(__file__).resolve().parent
_ML = "/opt/ml/"


def start_watcher(module: str, payload: dict[str, Any]) -> tuple[subprocess.Popen[bytes], socket.socket, int]:
    """Start ``sandbox.<module>`` with its work; the process, the socket to it and the reading end of its output."""
    status, theirs = socket.socketpair()
    read, write = os.pipe()
    boot = [sys.executable, "-c", _BOOT.format(folder=str(_HERE), module=module), str(theirs.fileno()), str(write)]
    with theirs:
        fds = [theirs.fileno(), write]
        watcher = subprocess.Popen(boot, pass_fds=fds, stdin=subprocess.DEVNULL, start_new_session=True)
        os.close(write)
    wire.send(status, payload)
    return watcher, status, read


def copy_inputs(launch: Launch) -> dict[str, Path]:
    """Copy every mount into the job's folder; where those lie that do not belong below ``/opt/ml``."""
    directory = launch.directory.absolute()
    elsewhere = {}
    for number, mount in enumerate(launch.mounts):
        place = directory / "ml" / os.path.relpath(mount.target, _ML)
        if not mount.target.startswith(_ML):
            elsewhere[mount.target] = place = directory / "inputs-elsewhere" / str(number)
        shutil.copytree(mount.source, place, dirs_exist_ok=True, copy_function=_copy_writable)
    return elsewhere


def _copy_writable(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if os.access(source, os.X_OK) else 0o644)
