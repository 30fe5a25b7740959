"""The checkout that a command works on."""

from __future__ import annotations

import os
from pathlib import Path

ENVIRONMENTS_FILE = Path("pipelines", "environments.toml")
CHECKS_PAGES = Path("docs", "checks")


def find_root(start: Path | None = None) -> Path:
    """The nearest folder at or above ``start`` (default: the current one) with ``pipelines/environments.toml``.

    Anywhere else it is the checkout that this tool is installed from. ``PIPELINES_ROOT`` overrides both.
    """
    if chosen := os.environ.get("PIPELINES_ROOT"):
        return Path(chosen).resolve()
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / ENVIRONMENTS_FILE).is_file():
            return folder
    return Path(__file__).resolve().parent.parent
