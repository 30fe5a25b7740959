from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "steps").glob("*/script.py"))
IMAGES = {"preprocess": "processing", "train": "xgboost", "evaluate": "xgboost"}
DISTRIBUTIONS = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu"}


def imported(path: Path) -> set[str]:
    """Top-level names of the modules that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names.add(str(node.module).partition(".")[0])
    return names


def test_every_script_has_an_image() -> None:
    assert [path.parent.name for path in SCRIPTS] == sorted(IMAGES)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.parent.name)
def test_a_script_imports_only_what_its_image_has(path: Path) -> None:
    requirements = ROOT / "containers" / IMAGES[path.parent.name] / "requirements.txt"
    installed = {line.partition("==")[0] for line in requirements.read_text().splitlines()}
    for name in imported(path) - sys.stdlib_module_names:
        assert DISTRIBUTIONS.get(name, name) in installed, f"{path} imports {name}, not in {requirements}"
