from pathlib import Path

import pytest

from pipelines.catalog import find_pipeline, list_pipelines
from pipelines.errors import PipelineNotFound


def test_a_pipeline_is_a_folder_with_a_pipeline_module(project: Path) -> None:
    (project / "pipelines" / "not_one").mkdir()
    folder = project / "pipelines" / "late_flights"
    folder.mkdir()
    (folder / "pipeline.py").write_text('"""Late.\n\nMore."""\n')
    assert [(source.name, source.summary) for source in list_pipelines(project)] == [
        ("late-flights", "Late."),
        ("tiny", "A pipeline with each way in which the SDK uploads code."),
    ]
    assert find_pipeline(project, "late-flights").module == "pipelines.late_flights.pipeline"


def test_a_module_that_does_not_parse_has_no_summary(project: Path) -> None:
    (project / "pipelines" / "tiny" / "pipeline.py").write_text("def (")
    assert find_pipeline(project, "tiny").summary == ""


def test_an_unknown_pipeline_names_the_known_and_the_nearest(project: Path) -> None:
    with pytest.raises(PipelineNotFound, match=r"no pipeline 'tinny'. Did you mean 'tiny'\? Known: tiny"):
        find_pipeline(project, "tinny")
