"""How a job's programs ended, written down before anything is made of it: from then on they do not run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator.jobs.kind import Ending
from emulator.launchers.launcher import Exit

NAME = "ending.json"


def write(folder: Path, ending: Ending) -> None:
    """Note an ending in a job's folder: wholly or not at all.

    Raises:
        OSError: it cannot be written.
    """
    exited = ending.exited
    how = [exited.code, exited.signal, exited.out_of_memory]
    content = {"cause": ending.cause, "exit": how, "failure": ending.failure, "host": ending.host}
    scratch = folder / "ending.new"
    scratch.write_text(json.dumps(content))
    scratch.rename(folder / NAME)


def read(folder: Path) -> Ending | None:
    """The ending that was noted, None if none was."""
    try:
        content: dict[str, Any] = json.loads((folder / NAME).read_text())
    except FileNotFoundError:
        return None
    code, signal, out_of_memory = content["exit"]
    exited = Exit(code=code, signal=signal, out_of_memory=out_of_memory)
    return Ending(exited, content["cause"], content["failure"], content["host"])
