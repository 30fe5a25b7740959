"""Pages show files as they are. Rewrite them with: python -m tests.pipelines.test_docs"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines import testing
from pipelines.group import ORDER

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / name for name in ("testing.md", "deployment.md")]
SHOWN = re.compile(r"(<!-- file: (?P<path>\S+) -->\n```python\n).*?(?=```\n)", re.DOTALL)


def page(path: Path) -> str:
    return SHOWN.sub(lambda match: match[1] + (ROOT / match["path"]).read_text(), path.read_text())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_shows_the_file_as_it_is(path: Path) -> None:
    assert len(SHOWN.findall(path.read_text())) == 1
    assert path.read_text() == page(path), f"docs/{path.name} is stale: python -m tests.pipelines.test_docs"


def test_the_page_names_what_the_plugin_has() -> None:
    text = (ROOT / "docs" / "testing.md").read_text()
    for fixture in ("pipeline_under_test", "sagemaker_variables", "sagemaker_emulator", "pipelines_root"):
        assert f"`{fixture}`" in text
        assert hasattr(testing, fixture)
    for thing in (testing.PipelineUnderTest, testing.PipelineRun):
        members = {name for name in (*vars(thing), *getattr(thing, "__annotations__", {})) if not name.startswith("_")}
        assert [name for name in members - {"name", "arn", "connection"} if f".{name}" not in text] == []


def test_the_page_on_deployment_names_only_commands_that_are_there() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text()
    assert set(re.findall(r"pipelines ([a-z]+)", text)) <= set(ORDER)


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(page(path))
