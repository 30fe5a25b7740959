"""What the served model answers, asked without a socket."""

from __future__ import annotations

import asyncio
import io
import json
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import xgboost

from emulator.images.aws.toolkit import serve
from emulator.images.aws.toolkit.container import Container
from emulator.images.aws.toolkit.errors import UserError
from emulator.images.aws.toolkit.handlers import Defaults
from emulator.images.aws.toolkit.handlers import load as load_handlers
from tests.emulator.images.aws.toolkit.conftest import as_csv, table


class Seen(NamedTuple):
    status: int
    kind: str
    body: bytes


def ask(application: serve.Application, method: str, path: str, body: bytes = b"", **headers: str) -> Seen:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": named}
    asyncio.run(application(scope, receive, send))
    return Seen(sent[0]["status"], dict(sent[0]["headers"])[b"content-type"].decode(), sent[1]["body"])


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    for name in ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"):
        monkeypatch.delenv(name, raising=False)
    rows = table()
    booster = xgboost.train({"max_depth": 2, "nthread": 1}, xgboost.DMatrix(rows[:, 1:], label=rows[:, 0]), 3)
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "xgboost-model").write_bytes(booster.save_raw("ubj"))
    return Container(tmp_path)


@pytest.fixture
def algorithm(container: Container) -> serve.Application:
    return serve.Application(serve.load(container))


def handlers(container: Container, text: str) -> serve.Application:
    (container.model / "code" / "inference.py").write_text(text)
    return serve.Application(load_handlers(container, "inference.py", Defaults()))


def test_ping_and_execution_parameters(algorithm: serve.Application) -> None:
    assert ask(algorithm, "GET", "/ping").status == 200
    assert json.loads(ask(algorithm, "GET", "/execution-parameters").body)["BatchStrategy"] == "MULTI_RECORD"
    assert ask(algorithm, "GET", "/other").status == 404


def test_the_algorithm_answers_csv_with_a_line_for_each_row(algorithm: serve.Application, container: Container) -> None:
    rows = table(4, seed=3)[:, 1:]
    seen = ask(algorithm, "POST", "/invocations", as_csv(rows), content_type="text/csv")
    booster = xgboost.Booster(model_file=bytearray((container.model / "xgboost-model").read_bytes()))
    expected = booster.predict(xgboost.DMatrix(rows))
    assert seen.kind == "text/csv"
    np.testing.assert_allclose([float(line) for line in seen.body.split()], expected, rtol=1e-4)


def test_the_algorithm_answers_json_and_json_lines(algorithm: serve.Application) -> None:
    request = {"body": b"0.1,0.2,0.3\n0.1,,0.3", "content_type": "text/csv"}
    seen = ask(algorithm, "POST", "/invocations", accept="application/json", **request)  # type: ignore[arg-type]
    assert len(json.loads(seen.body)["predictions"]) == 2
    seen = ask(algorithm, "POST", "/invocations", accept="application/jsonlines", **request)  # type: ignore[arg-type]
    assert set(json.loads(seen.body.splitlines()[0])) == {"score"}


def test_libsvm_may_leave_out_the_last_features(algorithm: serve.Application) -> None:
    seen = ask(algorithm, "POST", "/invocations", b"0 0:0.5\n", content_type="text/libsvm")
    assert seen.status == 200
    assert float(seen.body) > 0


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status"),
    [
        (b"{}", "application/json", "*/*", 415),
        (b"a,b,c", "text/csv", "*/*", 415),
        (b"1,2,3,4,5", "text/csv", "*/*", 400),
        (b"1,2,3", "text/csv", "image/png", 406),
        (b"", "text/csv", "*/*", 204),
    ],
)
def test_requests_that_cannot_be_answered(
    algorithm: serve.Application, body: bytes, kind: str, accept: str, status: int
) -> None:
    assert ask(algorithm, "POST", "/invocations", body, content_type=kind, accept=accept).status == status


def test_a_pickled_booster_is_served(container: Container) -> None:
    path = container.model / "xgboost-model"
    path.write_bytes(pickle.dumps(xgboost.Booster(model_file=bytearray(path.read_bytes()))))
    application = serve.Application(serve.load(container))
    assert ask(application, "POST", "/invocations", b"1,2,3", content_type="text/csv").status == 200


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(UserError, match="there is no xgboost-model"):
        serve.load(Container(tmp_path))


DOUBLE = "class Model:\n    def predict(self, rows): return rows * 2\ndef model_fn(folder): return Model()\n"


def test_handlers_left_out_are_aws_s_defaults(container: Container) -> None:
    application = handlers(container, DOUBLE)
    seen = ask(application, "POST", "/invocations", b"[[1, 2]]", content_type="application/json")
    assert (seen.kind, json.loads(seen.body)) == ("application/json", [[2.0, 4.0]])
    seen = ask(application, "POST", "/invocations", b"1,2\n3,4\n", content_type="text/csv", accept="text/csv")
    assert seen.body == b"2.0,4.0\n6.0,8.0\n"
    buffer = io.BytesIO()
    np.save(buffer, np.ones((2, 2)))
    seen = ask(
        application,
        "POST",
        "/invocations",
        buffer.getvalue(),
        content_type="application/x-npy",
        accept="application/x-npy",
    )
    assert np.load(io.BytesIO(seen.body)).tolist() == [[2, 2], [2, 2]]


def test_all_four_handlers_are_called(container: Container) -> None:
    application = handlers(
        container,
        "def model_fn(folder): return 'm'\n"
        "def input_fn(body, kind): return [kind, body]\n"
        "def predict_fn(value, model): return [model, *value]\n"
        "def output_fn(value, accept): return '|'.join(value), 'text/plain'\n",
    )
    seen = ask(application, "POST", "/invocations", b"hi", content_type="text/csv", accept="text/csv")
    assert seen == Seen(200, "text/plain", b"m|text/csv|hi")


def test_transform_fn_stands_for_three(container: Container) -> None:
    text = "def model_fn(f): return 3\ndef transform_fn(model, body, kind, accept): return f'{model} {body}', accept\n"
    assert ask(handlers(container, text), "POST", "/invocations", b"x", content_type="text/csv").body == b"3 x"
    with pytest.raises(UserError, match="Cannot use transform_fn implementation in conjunction with predict_fn"):
        handlers(container, text + "def predict_fn(value, model): return 1\n")


def test_a_handler_that_fails_answers_500_with_its_traceback(container: Container) -> None:
    application = handlers(container, "def model_fn(f): return 1\ndef input_fn(body, kind): raise KeyError('gone')\n")
    seen = ask(application, "POST", "/invocations", b"x", content_type="text/csv")
    assert seen.status == 500
    assert b"KeyError: 'gone'" in seen.body


def test_without_model_fn_the_advice_is_aws_s(container: Container) -> None:
    with pytest.raises(UserError, match="Please provide a model_fn implementation"):
        handlers(container, "")


def test_a_handler_may_take_the_server_s_context(container: Container) -> None:
    application = handlers(
        container,
        "def model_fn(folder, context): return context.system_properties['gpu_id']\n"
        "def input_fn(body, kind): return body\n"
        "def predict_fn(data, model, context): return [data, model]\n"
        "def output_fn(prediction, accept, context=None): return str(prediction), 'text/plain'\n",
    )
    seen = ask(application, "POST", "/invocations", b"x", content_type="text/csv")
    assert (seen.status, seen.body) == (200, b"['x', None]")


def test_a_framework_takes_inference_py_where_nothing_names_a_program(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "_has", lambda module: False)
    with pytest.raises(UserError, match="SAGEMAKER_PROGRAM must name"):
        serve.load(container)
    text = "def model_fn(folder): return 7\ndef transform_fn(model, body, kind, accept): return str(model), kind\n"
    (container.model / "code" / "inference.py").write_text(text)
    seen = ask(serve.Application(serve.load(container)), "POST", "/invocations", b"1", content_type="text/csv")
    assert seen.body == b"7"
