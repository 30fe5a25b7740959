from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from tests.containers.xgboost.conftest import FEATURES, THRESHOLD, Ask, run_program, train_small, write_model

ROWS = "6,10.5,0\n22,3,1\n12,,2\n"
NAMED = [
    {"hour": 6, "wind": 10.5, "carrier": "AA"},
    {"hour": 22, "wind": 3, "carrier": "B6"},
    {"hour": 12, "wind": None, "carrier": "UA"},
]


def expected(rows: list[list[float]]) -> np.ndarray:
    names = [str(feature["name"]) for feature in FEATURES]
    matrix = xgb.DMatrix(
        np.array(rows, np.float32), feature_names=names, feature_types=["int", "q", "c"], enable_categorical=True
    )
    return np.asarray(train_small(FEATURES).predict(matrix))


SCORES = expected([[6, 10.5, 0], [22, 3, 1], [12, np.nan, 2]])


def test_batch_transform_is_told_to_ask_for_several_records_at_a_time(ask: Ask) -> None:
    told = json.loads(ask("GET", "/execution-parameters").body)
    assert told == {"MaxConcurrentTransforms": os.cpu_count(), "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


def test_ping(ask: Ask) -> None:
    assert ask("GET", "/ping").status == 200


def test_csv_answers_one_score_per_line(ask: Ask) -> None:
    answer = ask("POST", "/invocations", ROWS, content_type="text/csv; charset=utf-8")
    assert (answer.status, answer.content_type) == (200, "text/csv")
    assert [float(line) for line in answer.body.splitlines()] == pytest.approx(SCORES, abs=1e-7)


def test_json_takes_features_by_name(ask: Ask) -> None:
    answer = ask("POST", "/invocations", json.dumps({"instances": NAMED}), content_type="application/json")
    assert (answer.status, answer.content_type) == (200, "application/json")
    predictions = answer.json()["predictions"]
    assert [prediction["score"] for prediction in predictions] == pytest.approx(SCORES, abs=1e-7)
    assert [prediction["predicted_label"] for prediction in predictions] == [int(s >= THRESHOLD) for s in SCORES]


def test_json_takes_rows_as_lists(ask: Ask) -> None:
    body = json.dumps({"instances": [[6, 10.5, 0], [22, 3, 1], [12, None, 2]]})
    answer = ask("POST", "/invocations", body, content_type="application/json", accept="text/csv")
    assert answer.content_type == "text/csv"
    assert [float(line) for line in answer.body.splitlines()] == pytest.approx(SCORES, abs=1e-7)


def test_a_category_never_trained_on_is_missing(ask: Ask) -> None:
    body = json.dumps({"instances": [{"hour": 6, "wind": 1, "carrier": "ZZ"}]})
    answer = ask("POST", "/invocations", body, content_type="application/json")
    assert answer.json()["predictions"][0]["score"] == pytest.approx(float(expected([[6, 1, np.nan]])[0]), abs=1e-7)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("application/json", "application/json"),
        ("text/*", "text/csv"),
        ("*/*", "text/csv"),
        ("application/xml, application/json;q=0.5", "application/json"),
    ],
)
def test_accept_is_honoured(ask: Ask, accept: str, content_type: str) -> None:
    answer = ask("POST", "/invocations", ROWS, content_type="text/csv", accept=accept)
    assert (answer.status, answer.content_type) == (200, content_type)


@pytest.mark.parametrize(
    ("headers", "body", "status", "message"),
    [
        ({"content_type": "application/x-npy"}, "x", 415, "Content-Type application/x-npy is not supported"),
        ({}, b"x", 415, "Content-Type (none) is not supported: send text/csv or application/json"),
        ({"content_type": "text/csv", "accept": "image/png"}, ROWS, 406, "Accept image/png is not supported"),
        ({"content_type": "text/csv"}, "", 400, "the body is empty"),
        ({"content_type": "text/csv"}, "1,2\n", 400, "a row has 2 columns, the model has 3 features"),
        ({"content_type": "text/csv"}, "1,2,0\n1,2\n", 400, "the rows have different numbers of columns"),
        ({"content_type": "text/csv"}, "1,2,0\n1,2,0,4\n", 400, "the body is not CSV of numbers"),
        ({"content_type": "text/csv"}, "hour,wind,carrier\n1,2,0\n", 400, "the body is not CSV of numbers"),
        ({"content_type": "text/csv"}, b"\xff\xfe,1,2\n", 400, "the body is not CSV of numbers"),
        ({"content_type": "text/csv"}, "1,2,7\n", 400, "feature carrier has a number that is none of its categories"),
        ({"content_type": "text/csv"}, "1,inf,0\n", 400, "a value is infinite"),
        ({"content_type": "application/json"}, "{", 400, "the body is not JSON"),
        ({"content_type": "application/json"}, "[" * 100_000, 400, "the body is not JSON"),
        ({"content_type": "application/json"}, '{"instances": []}', 400, "with at least one instance"),
        ({"content_type": "application/json"}, "[[1, 2, 0]]", 400, 'the body is not {"instances": [...]}'),
        ({"content_type": "application/json"}, '{"instances": [7]}', 400, "instance 0 is neither an object nor a list"),
        ({"content_type": "application/json"}, '{"instances": [[1, 2]]}', 400, "it has 2 values, the model has 3"),
        ({"content_type": "application/json"}, '{"instances": [[1, [], 0]]}', 400, "instance 0: "),
        ({"content_type": "application/json"}, '{"instances": [[1, 1e300, 0]]}', 400, "too large"),
    ],
)
def test_a_bad_request_is_explained(
    ask: Ask, headers: dict[str, str], body: str | bytes, status: int, message: str
) -> None:
    answer = ask("POST", "/invocations", body, **headers)
    assert (answer.status, message in answer.body.decode()) == (status, True), answer
    assert ask("GET", "/ping").status == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"speed": 3}, "instance 0: there is no feature speed; there are hour, wind, carrier"),
        ({"wind": "strong"}, "instance 0: feature wind is a number, 'strong' is not"),
        ({"wind": True}, "instance 0: feature wind is a number, True is not"),
        ({"carrier": 1}, "instance 0: feature carrier is a category: 1 is not a string"),
    ],
)
def test_a_bad_feature_is_named(ask: Ask, change: dict[str, object], message: str) -> None:
    body = json.dumps({"instances": [NAMED[0] | change]})
    answer = ask("POST", "/invocations", body, content_type="application/json")
    assert (answer.status, answer.body.decode().strip()) == (400, message)


def test_a_missing_feature_is_named(ask: Ask) -> None:
    body = json.dumps({"instances": [{"hour": 1, "carrier": "AA"}]})
    answer = ask("POST", "/invocations", body, content_type="application/json")
    assert (answer.status, "feature wind is missing" in answer.body.decode()) == (400, True)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/invocations", 405), ("GET", "/models", 404)])
def test_other_paths_and_methods(ask: Ask, method: str, path: str, status: int) -> None:
    assert ask(method, path).status == status


def test_a_large_batch_has_an_answer_per_row(ask: Ask) -> None:
    answer = ask("POST", "/invocations", ROWS * 20_000, content_type="text/csv")
    lines = answer.body.splitlines()
    assert len(lines) == 60_000
    assert lines[:3] == lines[-3:]


def test_without_a_model_serve_ends_with_1(tmp_path: Path) -> None:
    result = run_program("serve", base=tmp_path)
    assert result.returncode == 1
    path = tmp_path / "model" / "xgboost-model"
    assert result.stderr == f"error: {path} is missing: the model archive needs it at its root\n"


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    (folder / "xgboost-model").write_text("no model")
    result = run_program("serve", base=tmp_path)
    assert result.returncode == 1
    assert f"error: {folder}/xgboost-model is not a model of XGBoost" in result.stderr


def test_metadata_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    (folder / "metadata.json").write_text(json.dumps({"features": FEATURES[:2]}))
    result = run_program("serve", base=tmp_path)
    assert result.returncode == 1
    assert "metadata.json has 2 features and" in result.stderr
