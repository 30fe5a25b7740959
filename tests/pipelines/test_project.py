from pathlib import Path

import pytest

from pipelines.project import find_root


def test_root_is_the_nearest_checkout_above(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPELINES_ROOT", raising=False)
    assert find_root(project / "steps" / "train") == project.resolve()


def test_elsewhere_it_is_the_checkout_of_the_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPELINES_ROOT", raising=False)
    assert find_root(tmp_path) == Path(__file__).resolve().parents[2]


def test_a_variable_overrides_it(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIPELINES_ROOT", str(project))
    assert find_root(tmp_path) == project.resolve()
