"""Where in the checkout things come from: the line that made each step, the line that raised, the files that were read.

Used only in the build's own process.
"""

from __future__ import annotations

import linecache
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from pipelines.fingerprint import is_ignored


class Sources:
    """Files of the checkout ``root``, as a build touches them."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.steps: dict[str, str] = {}
        """Step name to ``file:line`` of the call that made it."""
        self.opened: set[str] = set()

    def watch_files(self) -> None:
        """From now on note every file of the checkout that is opened for reading."""
        sys.addaudithook(self._audit)

    def watch_steps(self) -> None:
        """From now on note the line that makes each step."""
        from sagemaker.mlops.workflow.steps import Step

        original: Callable[..., None] = Step.__init__

        def init(step: Any, *args: Any, **kwargs: Any) -> None:
            original(step, *args, **kwargs)
            if where := self._caller(sys._getframe(1)):
                self.steps.setdefault(str(step.name), where)

        Step.__init__ = init

    def reads(self) -> list[str]:
        """Files of the checkout read so far, imported modules among them; sorted paths relative to it."""
        modules = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        paths = self.opened | {path for module in modules if module and (path := self.relative(module))}
        return sorted(path for path in paths if not _is_tool(path) and Path(self.root, path).is_file())

    def relative(self, path: str) -> str | None:
        """``path`` relative to the checkout; None if it is elsewhere, or not source (hidden, a by-product)."""
        absolute = os.path.abspath(path)  # noqa: PTH100 (called for every file opened)
        if not absolute.startswith(self.root + os.sep):
            return None
        relative = absolute[len(self.root) + 1 :]
        parts = Path(relative).parts
        hidden = parts[0].startswith(".") or parts[0].endswith((".egg-info", ".dist-info")) or "site-packages" in parts
        return None if hidden or any(is_ignored(part) for part in parts) else "/".join(parts)

    def explain(self, error: BaseException) -> dict[str, str | None]:
        """Where an error comes from: ``step``, ``where`` (file:line) and ``line`` (its text), each as far as known."""
        step: str | None = None
        where: str | None = None
        for frame, number in traceback.walk_tb(error.__traceback__):
            step = _step_of(frame) or step
            path = self.relative(frame.f_code.co_filename)
            if path and not _is_tool(path):
                where = f"{path}:{number}"
        if isinstance(error, SyntaxError) and error.filename and (path := self.relative(error.filename)):
            where = f"{path}:{error.lineno}"
        where = where or (self.steps.get(step) if step else None)
        return {"step": step, "where": where, "line": self._text(where)}

    def _text(self, where: str | None) -> str | None:
        if where is None:
            return None
        path, _, number = where.rpartition(":")
        return linecache.getline(str(Path(self.root, path)), int(number)).strip() or None

    def _caller(self, frame: FrameType | None) -> str | None:
        while frame is not None:
            path = self.relative(frame.f_code.co_filename)
            if path and not _is_tool(path):
                return f"{path}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(arguments[0], str) or arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        if path := self.relative(arguments[0]):
            self.opened.add(path)


def _step_of(frame: FrameType) -> str | None:
    """Name of the step that a frame of the SDK's compiler works on."""
    if not frame.f_code.co_filename.endswith("_steps_compiler.py"):
        return None
    name = getattr(frame.f_locals.get("step"), "name", None)
    return None if name is None else str(name)


def _is_tool(path: str) -> bool:
    """Whether a path relative to the checkout is a module of this tool, which the hash of the inputs covers."""
    folder, _, name = path.rpartition("/")
    return folder == "pipelines" and Path(__file__).with_name(name).exists()
