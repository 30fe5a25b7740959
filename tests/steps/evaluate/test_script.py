from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score

from steps.evaluate import script
from tests.steps.conftest import Chain, both, pack_model, run_script

RATES = ("true_positive_rate", "false_positive_rate", "true_negative_rate", "false_negative_rate")
SCALARS = ("auc", "accuracy", "precision", "recall", "f0_5", "f1", "f2", *RATES)


def report(chain: Chain) -> dict[str, dict[str, object]]:
    loaded: dict[str, dict[str, dict[str, object]]] = json.loads((chain.evaluation / "evaluation.json").read_text())
    assert list(loaded) == ["binary_classification_metrics"]
    return loaded["binary_classification_metrics"]


def predictions(chain: Chain) -> tuple[np.ndarray, np.ndarray, float]:
    """Labels, scores and threshold, computed here and not by the script."""
    metadata = json.loads((chain.model / "metadata.json").read_text())
    rows = pd.read_csv(chain.data / "test" / "test.csv", header=None).to_numpy(np.float32)
    booster = xgb.Booster(model_file=bytearray((chain.model / "xgboost-model").read_bytes()))
    scores = booster.inplace_predict(rows[:, 1:], validate_features=False)
    return rows[:, 0], scores, metadata["threshold"]


def test_the_report_has_model_quality_form(chain: Chain) -> None:
    metrics = report(chain)
    for name in SCALARS:
        assert set(metrics[name]) == {"value", "standard_deviation"}, name
        assert 0 <= metrics[name]["value"] <= 1  # type: ignore[operator]
        assert 0 <= metrics[name]["standard_deviation"] < 0.2  # type: ignore[operator]
    assert set(metrics["confusion_matrix"]) == {"0", "1"}
    assert all(set(row) == {"0", "1"} for row in metrics["confusion_matrix"].values())  # type: ignore[call-overload]
    assert set(metrics) == {
        *SCALARS,
        "confusion_matrix",
        "receiver_operating_characteristic_curve",
        "precision_recall_curve",
    }


def test_the_figures_are_right(chain: Chain) -> None:
    labels, scores, threshold = predictions(chain)
    called = scores >= threshold
    metrics = report(chain)
    expected = {
        "auc": roc_auc_score(labels, scores),
        "accuracy": (called == labels).mean(),
        "precision": precision_score(labels, called),
        "recall": recall_score(labels, called),
        "f1": f1_score(labels, called),
    }
    for name, value in expected.items():
        assert metrics[name]["value"] == pytest.approx(value, abs=1e-9), name
    matrix = metrics["confusion_matrix"]
    assert matrix["0"]["1"] == ((labels == 0) & called).sum()  # type: ignore[index]
    assert sum(matrix[actual][said] for actual in "01" for said in "01") == len(labels)  # type: ignore[index]


def test_the_curves_run_from_corner_to_corner(chain: Chain) -> None:
    curve = report(chain)["receiver_operating_characteristic_curve"]
    alarms, hits = (np.array(curve[name]) for name in ("false_positive_rates", "true_positive_rates"))
    assert (alarms[0], hits[0], alarms[-1], hits[-1]) == (0, 0, 1, 1)
    assert (np.diff(alarms) >= 0).all()
    assert len(alarms) == len(hits) <= script.CURVE_POINTS
    assert np.trapezoid(hits, alarms) == pytest.approx(report(chain)["auc"]["value"], abs=0.01)


def test_baselines_know_only_train(chain: Chain) -> None:
    baselines = json.loads((chain.evaluation / "baselines.json").read_text())
    labels = predictions(chain)[0]
    assert baselines["never_late"]["metrics"]["auc"] == 0.5
    assert baselines["never_late"]["metrics"]["accuracy"] == pytest.approx(1 - labels.mean())
    train = pd.DataFrame({"label": [1, 0, 1, 1], "carrier": [0, 0, 1, np.nan], "scheduled_departure": [60, 90, 60, 5]})
    test = pd.DataFrame({"carrier": [0, 1, 2], "scheduled_departure": [119, 60, 60]})
    measured = script.measure_baselines(train, test, np.array([0, 1, 0]), 0.6)["carrier_and_hour"]["metrics"]
    assert measured["auc"] == 1.0  # 0.5, 1 and, for a carrier that train never had, 0.75
    assert measured["accuracy"] == pytest.approx(2 / 3)


def test_the_log_compares_model_and_baselines(chain: Chain) -> None:
    lines = chain.log.splitlines()[-3:]
    assert [line.split(":")[0] for line in lines] == ["model", "never_late", "carrier_and_hour"]
    assert f"auc={report(chain)['auc']['value']:.4f}" in lines[0]


def test_two_runs_are_byte_identical(chain: Chain, tmp_path: Path) -> None:
    result = run_script(
        "evaluate", "--model", chain.archive, "--output", tmp_path / "again", *both(chain.data), cwd=tmp_path
    )
    assert result.returncode == 0, result.stderr
    for path in chain.evaluation.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_few_rows_have_no_standard_deviation() -> None:
    labels, scores = np.array([0.0, 1, 0, 1]), np.array([0.1, 0.9, 0.8, 0.7])
    assert script.standard_deviations(labels, scores, 0.5) == {}
    assert script.describe({"auc": 0.75}, {}) == {"auc": {"value": 0.75, "standard_deviation": "NaN"}}


def test_ratios_without_denominator_are_zero() -> None:
    metrics = script.measure(np.array([0.0, 1]), np.array([0.1, 0.2]), 0.5)
    assert (metrics["precision"], metrics["recall"], metrics["f1"]) == (0, 0, 0)


def test_a_missing_model_ends_with_1_and_an_exit_message(chain: Chain, tmp_path: Path) -> None:
    message = tmp_path / "message"
    arguments = ["--model", tmp_path, "--output", tmp_path / "out", "--message", message, *both(chain.data)]
    result = run_script("evaluate", *arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == f"error: {message.read_text()}\n"
    assert "model.tar.gz is missing" in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_archive_without_metadata_is_refused(chain: Chain, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "xgboost-model").write_bytes((chain.model / "xgboost-model").read_bytes())
    archive = pack_model(model, tmp_path / "archive")
    with pytest.raises(script.BadInput, match=r"it has no metadata\.json"):
        script.read_model(archive / "model.tar.gz")


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_text("no archive")
    with pytest.raises(script.BadInput, match="is not a model of the train step"):
        script.read_model(tmp_path / "model.tar.gz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no .csv file"),
        ("", "is empty"),
        ("0,1,2,3\n", "has 4 columns; the model needs 3, label first"),
        ("late,a,b\n0,1,2\n", "is not CSV of numbers without a header"),
    ],
)
def test_unusable_rows_are_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "rows.csv").write_text(content)
    with pytest.raises(script.BadInput, match=message) as raised:
        script.read_rows(tmp_path, ["a", "b"])
    assert str(tmp_path) in str(raised.value)
