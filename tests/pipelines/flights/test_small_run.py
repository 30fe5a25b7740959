"""The flights pipeline from raw data to the registry, on a twentieth of the flights; shown in docs/testing.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.flights.seed import seed
from pipelines.testing import PipelineUnderTest


@pytest.fixture
def flights(pipeline_under_test: Callable[[str], PipelineUnderTest], tmp_path: Path) -> PipelineUnderTest:
    seed(tmp_path)
    header, *rows = (tmp_path / "flights.csv").read_text().splitlines()
    (tmp_path / "flights.csv").write_text("\n".join([header, *rows[::20]]))
    pipeline = pipeline_under_test("flights")
    pipeline.put({path.name: path for path in tmp_path.iterdir()})
    return pipeline


def test_the_graph(flights: PipelineUnderTest) -> None:
    assert flights.steps["Evaluate"].after == ("Train", "Preprocess")
    assert flights.steps["Register"].branch == ("CheckQuality", "if")


@pytest.mark.timeout(300)
def test_quality_decides_and_the_cache_hits(flights: PipelineUnderTest) -> None:
    run = flights.run(MinAuc=0.5, NumRound=5)
    assert run.status == "Succeeded", run.reasons
    assert list(run.steps) == ["Preprocess", "Train", "Evaluate", "CheckQuality", "Register"]
    report = run.output_json("Evaluate", "evaluation", "evaluation.json")
    assert report["binary_classification_metrics"]["auc"]["value"] > 0.5
    assert run.model_package()["ModelApprovalStatus"] == "PendingManualApproval"

    again = flights.run(MinAuc=0.99, NumRound=5)
    assert again.cached == {"Preprocess", "Train"}
    assert again.status == "Failed"
    assert "MinAuc is 0.99" in again.reasons["QualityTooLow"]
