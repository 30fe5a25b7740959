from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from steps.train import script
from tests.steps.conftest import Chain, run_script, train_arguments


def channels(chain: Chain, folder: Path) -> Path:
    """A test's own copy of the channels, to change."""
    for name in ("train", "validation", "features"):
        (folder / name).mkdir(parents=True)
        for path in (chain.data / name).iterdir():
            (folder / name / path.name).write_bytes(path.read_bytes())
    return folder


def features(chain: Chain) -> list[dict[str, object]]:
    loaded: list[dict[str, object]] = json.loads((chain.data / "features" / "features.json").read_text())["features"]
    return loaded


def test_the_model_knows_its_columns_and_its_threshold(chain: Chain) -> None:
    metadata = json.loads((chain.model / "metadata.json").read_text())
    assert metadata["features"] == features(chain)
    assert 0 < metadata["threshold"] < 1
    assert 0.55 < metadata["validation_auc"] < 0.95
    booster = xgb.Booster(model_file=bytearray((chain.model / "xgboost-model").read_bytes()))
    assert booster.feature_names == [feature["name"] for feature in metadata["features"]]
    assert booster.num_boosted_rounds() == metadata["trees"] <= 20


def test_the_kept_auc_is_the_last_metric_in_the_log(chain: Chain) -> None:
    metadata = json.loads((chain.model / "metadata.json").read_text())
    values = [line.partition("validation-auc:")[2].split()[0] for line in chain.log.splitlines() if "-auc:" in line]
    assert float(values[-1]) == pytest.approx(metadata["validation_auc"], abs=1e-6)


def test_two_runs_are_byte_identical(chain: Chain, tmp_path: Path) -> None:
    result = run_script("train", *train_arguments(chain.data, tmp_path / "model"), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    for name in ("xgboost-model", "metadata.json"):
        assert (tmp_path / "model" / name).read_bytes() == (chain.model / name).read_bytes()


def test_an_unknown_hyperparameter_is_refused(chain: Chain, tmp_path: Path) -> None:
    arguments = [*train_arguments(chain.data, tmp_path / "model"), "--depth", "3"]
    result = run_script("train", *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "unrecognized arguments: --depth 3" in result.stderr


def test_bad_input_ends_with_1(chain: Chain, tmp_path: Path) -> None:
    own = channels(chain, tmp_path / "own")
    (own / "train" / "train.csv").write_text("")
    result = run_script("train", *train_arguments(own, tmp_path / "model"), cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == f"error: {own / 'train' / 'train.csv'} is empty\n"
    assert not (tmp_path / "model").exists()


def test_a_missing_description_is_named(tmp_path: Path) -> None:
    with pytest.raises(script.BadInput, match=r"features\.json is missing"):
        script.read_description(tmp_path / "features.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has no .csv file"),
        ("0,1\n1,2\n", "has 2 columns; the label and 23 features make 24"),
        ("late,carrier\n0,1\n", "is not CSV of numbers without a header"),
        (("0" + ",1" * 23 + "\n") * 3, "the first column, is 0; learning needs both 0 and 1"),
        (("0" + ",1" * 23 + "\n") + ("7" + ",1" * 23 + "\n"), "the first column, is 0, 7; learning needs both 0 and 1"),
    ],
)
def test_an_unusable_channel_is_named(chain: Chain, tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "part.csv").write_text(content)
    with pytest.raises(script.BadInput, match=message) as raised:
        script.read_channel(tmp_path, features(chain))
    assert str(tmp_path) in str(raised.value)


def test_a_channel_of_several_files_is_all_of_them(chain: Chain, tmp_path: Path) -> None:
    lines = (chain.data / "validation" / "validation.csv").read_text().splitlines(keepends=True)
    (tmp_path / "b.csv").write_text("".join(lines[100:]))
    (tmp_path / "a.csv").write_text("".join(lines[:100]))
    whole = script.read_channel(chain.data / "validation", features(chain))
    parts = script.read_channel(tmp_path, features(chain))
    assert np.array_equal(parts.get_label(), whole.get_label())
    assert parts.num_row() == len(lines)


def test_the_threshold_has_the_best_f1() -> None:
    labels = np.array([0, 0, 1, 0, 1, 1])
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert script.best_threshold(labels, scores) == 0.3
