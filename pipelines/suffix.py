"""Suffixes of pipelines' names: one definition, deployed several times side by side."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.errors import UsageError
from pipelines.record import git

BRANCH = "@branch"
LONGEST = 40


def read_suffix(text: str, root: Path) -> str:
    """``-text`` as a pipeline's name may end; ``@branch`` is the branch that the checkout is on.

    Raises:
        UsageError: nothing of the text can be in a name, or the checkout is on no branch.
    """
    if not text:
        return ""
    if text == BRANCH:
        text = git(root, "rev-parse", "--abbrev-ref", "HEAD")
        if text in ("", "HEAD"):
            raise UsageError("--suffix @branch: the checkout is on no branch. Give the suffix itself: --suffix NAME")
    plain = "-".join(re.findall(r"[a-zA-Z0-9]+", text))[:LONGEST].rstrip("-")
    if not plain:
        raise UsageError(f"--suffix {text}: a name has letters, digits and hyphens")
    return f"-{plain}"
