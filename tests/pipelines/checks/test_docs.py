"""docs/checks is made of the checks and of their cases. Rewrite it with: python -m tests.pipelines.checks.test_docs"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pipelines.checks.all  # noqa: F401  (registers the checks)
from pipelines.checks.registry import CHECKS, Check, run_checks
from pipelines.project import CHECKS_PAGES
from pipelines.validate import as_text
from tests.pipelines.checks.cases import CASES, tiny

FOLDER = Path(__file__).parents[3] / CHECKS_PAGES
INDEX = "README.md"
LONGEST_LINE = 160
HEAD = """\
# What `pipelines validate` checks

`pipelines validate` reads the built definition and the sources, without AWS and without an emulator. A finding names
pipeline, step, field, source line and remedy. Errors end it with exit code 2, warnings only with `--strict`.
`--format sarif` is for code scanning, `--format json` for programs, `--list` lists the codes. A check is a function of
`pipelines/checks/`, and its docstring is its page here.

PL1xx: the sources, pipeline variables, scripts. PL2xx: parameters. PL3xx: references between steps. PL4xx: the graph,
branches, conditions. PL5xx: limits of the service. PL6xx: instance types and images. PL7xx: outputs and secrets. PL8xx:
caching and retries. PL9xx: roles.

| code | level | finds |
|---|---|---|
"""


def pages(scratch: Path) -> dict[str, str]:
    """Text by name of every page: an index, and one per check with what it says of its case."""
    checks = [check for _, check in sorted(CHECKS.items())]
    rows = [f"| [{check.code}]({check.code}.md) | {check.level} | {check.title} |\n" for check in checks]
    return {INDEX: HEAD + "".join(rows)} | {f"{each.code}.md": page(each, scratch / each.code) for each in checks}


def page(check: Check, scratch: Path) -> str:
    article = "An" if check.level == "error" else "A"
    text = f"# {check.code}: {check.title}\n\n{article} {check.level}. {check.explanation}\n"
    if check.code in CASES:
        made = tiny(scratch)
        CASES[check.code](made)
        found = [finding for finding in run_checks(made.subject()) if finding.code == check.code]
        lines = [line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in as_text(found[:1])]
        text += "\nSo it says:\n\n```\n" + "\n".join(lines) + "\n```\n"
    return f"{text}\n[All checks]({INDEX})\n"


def test_the_pages_of_the_checks_are_current(tmp_path: Path) -> None:
    written = {path.name: path.read_text() for path in FOLDER.glob("*.md")}
    assert written == pages(tmp_path), f"{CHECKS_PAGES} is stale: python -m tests.pipelines.checks.test_docs"


if __name__ == "__main__":
    for old in FOLDER.glob("*.md"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        for name, text in pages(Path(folder)).items():
            (FOLDER / name).write_text(text)
