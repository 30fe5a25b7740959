"""Shell completion, as docs/deployment.md says to switch it on."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from pipelines.endpoint import find_program

DOCS = Path(__file__).parents[2] / "docs" / "deployment.md"
PROGRAM = find_program("pipelines") or ""


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {"PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}"} | variables
    return subprocess.run([PROGRAM], env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(shell: str) -> None:
    script = run(_PIPELINES_COMPLETE=f"{shell}_source").stdout
    assert f"_PIPELINES_COMPLETE={shell}_complete" in script
    assert f"_PIPELINES_COMPLETE={shell}_source pipelines" in DOCS.read_text()


@pytest.mark.parametrize(
    ("words", "index", "expected"),
    [
        ("pipelines ro", 1, ["rollback"]),
        ("pipelines images ", 2, ["build", "list", "push"]),
        ("pipelines validate --form", 2, ["--format"]),
        ("pipelines validate --format sa", 3, ["sarif"]),
        ("pipelines upsert ti", 2, ["tiny"]),
        ("pipelines upsert tiny --env d", 4, ["dev"]),
        ("pipelines images push sm", 3, ["small"]),
    ],
)
def test_what_can_come_next_is_offered(project: Path, words: str, index: int, expected: list[str]) -> None:
    printed = run(
        _PIPELINES_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(index), PIPELINES_ROOT=str(project)
    ).stdout
    assert sorted(re.findall(r"^\w+,(\S*)$", printed, re.MULTILINE)) == expected


def test_bash_takes_the_line_of_the_docs(project: Path) -> None:
    (line,) = [line for line in DOCS.read_text().splitlines() if "bash_source" in line]
    script = (
        f"{line}\nCOMP_WORDS=(pipelines upsert ti)\nCOMP_CWORD=2\n_pipelines_completion pipelines\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    environ = os.environ | {"PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}", "PIPELINES_ROOT": str(project)}
    done = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["tiny"], done.stderr
