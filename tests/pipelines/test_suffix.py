from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipelines.errors import UsageError
from pipelines.suffix import read_suffix
from pipelines.workspace import Workspace


@pytest.mark.parametrize(
    ("text", "suffix"), [("", ""), ("x", "-x"), ("feature/New_thing", "-feature-New-thing"), ("-a-", "-a")]
)
def test_a_suffix_is_made_fit_for_a_name(text: str, suffix: str, tmp_path: Path) -> None:
    assert read_suffix(text, tmp_path) == suffix


def test_the_branch_of_the_checkout(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="on no branch"):
        read_suffix("@branch", tmp_path)
    subprocess.run(["git", "init", "-q", "-b", "fix/depth"], cwd=tmp_path, check=True)
    author = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    subprocess.run(["git", *author, "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path, check=True)
    assert read_suffix("@branch", tmp_path) == "-fix-depth"


def test_nothing_left_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="letters, digits"):
        read_suffix("///", tmp_path)


def test_pipelines_of_the_checkout_get_it_and_others_do_not(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINES_ROOT", str(project))
    workspace = Workspace("local", print, suffix="x")
    assert (workspace.deployed("tiny"), workspace.deployed("other")) == ("tiny-x", "other")
    assert workspace.option == " --suffix x"
