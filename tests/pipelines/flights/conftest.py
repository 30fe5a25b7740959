"""The definition of the pipeline, built offline once per session: the SDK takes seconds to import."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.build import BuiltPipeline, build_pipeline
from pipelines.catalog import find_pipeline
from pipelines.environments import load_target

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltPipeline:
    environment = load_target(ROOT, "local").environment
    return build_pipeline(find_pipeline(ROOT, "flights"), environment, tmp_path_factory.mktemp("build"), print)
