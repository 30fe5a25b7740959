"""Documents that are derived from the code are current. Rewrite them with: python -m tests.test_docs"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from emulator.settings import Settings

ROOT = Path(__file__).parent.parent
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
HEAD = """\
# Settings of the emulator

Every setting is an environment variable, read when the emulator starts; options of `emulator start` win over it. Where
AWS documents no behaviour, the setting that decides it says so.

| variable | default | meaning |
|---|---|---|
"""


def settings_page() -> str:
    """docs/settings.md as emulator/settings.py wants it: one row per field, in its order, with its docstring."""
    meanings = field_docstrings((ROOT / "emulator" / "settings.py").read_text(), "Settings")
    rows = []
    for field in fields(Settings):
        default = str(field.default) if field.default not in ("", Path()) else ""
        meaning = re.sub(r"``(.+?)``", r"`\1`", " ".join(meanings[field.name].split()))
        rows.append(f"| `EMULATOR_{field.name.upper()}` | {f'`{default}`' if default else ''} | {meaning} |\n")
    return HEAD + "".join(rows)


def field_docstrings(source: str, class_name: str) -> dict[str, str]:
    """The string literal below each annotated field of a class."""
    body = next(
        node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == class_name
    )
    found = {}
    for field, below in itertools.pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
    return found


def test_every_setting_has_a_meaning() -> None:
    meanings = field_docstrings((ROOT / "emulator" / "settings.py").read_text(), "Settings")
    assert [field.name for field in fields(Settings) if not meanings.get(field.name)] == []


def test_the_settings_page_is_current() -> None:
    assert SETTINGS_PAGE.read_text() == settings_page(), "docs/settings.md is stale: python -m tests.test_docs"


def test_links_between_the_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert pages
    assert broken == []


def named_tests(page: str) -> Iterator[tuple[str, str]]:
    """``file::test`` of the last cells of a table; ``…`` is the file named before, ``…/`` the folders above it."""
    files = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("*.py")]
    latest = ""
    for row in page.splitlines():
        for path, _, test in (name.partition("::") for name in re.findall(r"`([^`]+)`", row.rpartition(" | ")[2])):
            if path.startswith("…/"):
                latest = next((file for file in files if file.endswith(path[1:])), path)
            elif path.startswith("tests/"):
                latest = path
            if path.startswith(("tests/", "…")):
                yield latest, test


def test_every_test_that_a_rule_names_is_there() -> None:
    missing = [
        f"{path}::{test}"
        for path, test in named_tests((ROOT / "docs" / "pipelines-semantics.md").read_text())
        if not (ROOT / path).exists() or (test and f"def {test}(" not in (ROOT / path).read_text())
    ]
    assert missing == []


if __name__ == "__main__":
    SETTINGS_PAGE.write_text(settings_page())
