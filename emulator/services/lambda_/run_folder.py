"""The folder of one invocation, and what it shows to whoever looks into it after a crash.

It is claimed before anything runs: the descriptor of a locked file goes to the process that runs the function, so the
claim ends when that process has concluded the invocation, or has died.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

from emulator.launchers.holding import hold, is_held
from emulator.launchers.trash import remove_tree

_CLAIM, _BEGUN, _OUTCOME = "claim", "begun", "outcome.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``payload`` is JSON text; with ``failed`` it describes an error. ``tail`` is the end of the log."""

    payload: str
    failed: bool
    tail: bytes = b""

    @classmethod
    def error(cls, request_id: str, kind: str, message: str) -> Outcome:
        """An error as Lambda's runtimes give it."""
        return cls(json.dumps({"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}), True)


class RunFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def claim(self) -> int:
        """Make the folder anew; the descriptor that holds the claim for as long as any process has it open."""
        self.remove()
        self.path.mkdir(parents=True)
        return hold(self.path / _CLAIM)

    @property
    def is_claimed(self) -> bool:
        """Whether a process has the invocation at this moment."""
        return is_held(self.path / _CLAIM)

    def begin(self) -> None:
        """Note, before the function runs, that it may have had its effects from now on."""
        file = os.open(self.path / _BEGUN, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        folder = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        for fd in (file, folder):
            os.fsync(fd)
            os.close(fd)

    @property
    def begun(self) -> bool:
        return (self.path / _BEGUN).exists()

    def conclude(self, outcome: Outcome) -> None:
        """Leave the outcome, wholly or not at all."""
        tail = base64.b64encode(outcome.tail).decode()
        scratch = self.path / "outcome.new"
        scratch.write_text(json.dumps({"payload": outcome.payload, "failed": outcome.failed, "tail": tail}))
        scratch.rename(self.path / _OUTCOME)

    @property
    def outcome(self) -> Outcome | None:
        try:
            content = json.loads((self.path / _OUTCOME).read_text())
        except (FileNotFoundError, ValueError):  # a machine that loses its power leaves empty files
            return None
        return Outcome(content["payload"], content["failed"], base64.b64decode(content["tail"]))

    def remove(self) -> None:
        if self.path.exists():
            remove_tree(self.path)
