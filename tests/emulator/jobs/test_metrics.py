from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.images.aws.catalog import metric_definitions
from emulator.jobs.metrics import Expression, LogMetrics, final_metrics, required_text
from emulator.store.database import Database
from emulator.store.log_streams import LogEvent, LogStreams
from emulator.store.resources import SCHEMA, Scope

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SCOPE = Scope("123456789012", "us-east-1")
TEXTS = [
    ("auc=(.*)", "auc=", "auc=0.5"),
    (r"validation-auc:([0-9.]+)", "validation-auc:", "[3]#011validation-auc:0.71"),
    (r"ab*c(d|e)", "", "acd"),
    (r"ab*cc([0-9])", "cc", "abbcc4"),
    (r"loss \= (\S+);", "loss = ", "loss = 1e-3;"),
    (r"x{2}y=([0-9]+)", "y=", "xxy=5"),
    (r"x{2,12}(\d)", "", "xxx3"),
    (r"[abc=]+value=(\d)", "value=", "abc=value=3"),
    (r"[]abc]val=(\d)", "val=", "]val=3"),
    (r"\x41\x42CC(\d)", "", "ABCC1"),
    (r"(?i)LOSS=(\d)", "", "loss=3"),
    (r"(a)\1b(\d)", "", "aab1"),
    (r"(?:epoch )?acc: (\d+)", "acc: ", "acc: 12"),
    (r"(?P<e>x)?(?!no)ok=(\d+)", "ok=", "ok=12"),
    (r"(epoch )?acc: (\d+)", "acc: ", "acc: 12"),
    (r"\d+", "", "12"),
    ("", "", ""),
]


@pytest.mark.parametrize(("regex", "text", "matching"), TEXTS)
def test_the_required_text_is_in_every_match(regex: str, text: str, matching: str) -> None:
    assert required_text(regex) == text
    assert re.search(regex, matching)
    assert text in matching


def test_the_expressions_of_the_xgboost_algorithm_are_found_by_their_names() -> None:
    definitions = metric_definitions(XGBOOST, {})
    assert len(definitions) > 30
    for definition in definitions:
        channel, metric = definition["Name"].split(":")
        assert required_text(definition["Regex"]) == f"#011{channel}-{metric}:"


@pytest.mark.parametrize(
    ("regex", "line", "value"),
    [
        ("loss=([0-9.]+)", "loss=3.5 loss=2.5", 2.5),
        ("loss=([0-9.]+)", "nothing here", None),
        (r"\d+", "from 1 to 20", 20),
        ("loss=(.*)", "loss=high", None),
        ("loss=(.*)", "loss=nan", None),
        ("loss=(.*?);", "loss=1e-3;", 0.001),
        ("loss=(.*?);", "loss=x; loss=2;", 2),
    ],
)
def test_the_last_number_of_a_line_counts(regex: str, line: str, value: float | None) -> None:
    assert Expression(regex).value_in(line) == value


def test_final_metrics_are_the_last_ones_in_the_order_of_their_definitions() -> None:
    lines = ["loss=3", "auc=0.5", "loss=2", "done"]
    backward = [LogEvent(1000 * number, line, 0, 0) for number, line in enumerate(lines)][::-1]
    definitions = [{"Name": name, "Regex": f"{name}=(.*)"} for name in ("auc", "f1", "loss")]
    assert final_metrics(definitions, backward) == [
        {"MetricName": "auc", "Value": 0.5, "Timestamp": 1.0},
        {"MetricName": "loss", "Value": 2.0, "Timestamp": 2.0},
    ]


@pytest.fixture
def logs(tmp_path: Path) -> LogStreams:
    return LogStreams(tmp_path / "logs", Database(tmp_path / "state.db", SCHEMA), 1 << 20)


def test_a_log_is_read_on_from_where_it_was(logs: LogStreams) -> None:
    writer = logs.writer(SCOPE, "group", "stream")
    writer.write(b"loss=9\n")
    stream = logs.stream(SCOPE, "group", "stream")
    definitions = [{"Name": "loss", "Regex": "loss=([0-9]+)"}, {"Name": "n", "Regex": "n=([0-9]+)"}]
    metrics = LogMetrics("ns", {"Job": "j"}, definitions, logs, stream)
    assert list(metrics.new_points()) == [], "an earlier run printed it"
    writer.write(b"loss=3 n=1\nloss=2\nloss=")
    assert [(m.name, p.minimum) for m, p in metrics.new_points()] == [("loss", 3), ("n", 1), ("loss", 2)]
    writer.write(b"1")
    assert list(metrics.new_points()) == []
    assert [(m.name, dict(m.dimensions), p.total) for m, p in metrics.new_points(complete=True)] == [
        ("loss", {"Job": "j"}, 1)
    ]
    writer.close()
