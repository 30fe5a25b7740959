"""docs/checks/README.md is made of the checks. Rewrite it with: python -m tests.pipelines.checks.test_docs"""

from __future__ import annotations

from pathlib import Path

import pipelines.checks.all  # noqa: F401  (registers the checks)
from pipelines.checks.registry import CHECKS
from pipelines.project import CHECKS_PAGE

PAGE = Path(__file__).parents[3] / CHECKS_PAGE
HEAD = """\
# What `pipelines validate` checks

`pipelines validate` reads the built definition and the sources, without AWS and without an emulator. A finding names
pipeline, step, field, source line and remedy. Errors end it with exit code 2, warnings only with `--strict`.
`--format sarif` is for code scanning, `--format json` for programs, `--list` lists the codes. A check is a function of
`pipelines/checks/`, and its docstring is its entry here.

| codes | about |
|---|---|
| PL1xx | the sources: pipeline variables, scripts |
| PL2xx | parameters |
| PL3xx | references between steps |
| PL4xx | the graph, branches, conditions |
| PL5xx | limits of the service |
| PL6xx | instance types and images |
| PL7xx | outputs and secrets |
| PL8xx | caching and retries |
| PL9xx | roles |
"""


def page() -> str:
    """One section per check, under its code."""
    entries = [
        f"\n## {check.code}\n\n**{check.title[0].upper()}{check.title[1:]}** ({check.level}). {check.explanation}\n"
        for _, check in sorted(CHECKS.items())
    ]
    return HEAD + "".join(entries)


def test_the_page_of_the_checks_is_current() -> None:
    assert PAGE.read_text() == page(), f"{CHECKS_PAGE} is stale: python -m tests.pipelines.checks.test_docs"


if __name__ == "__main__":
    PAGE.write_text(page())
