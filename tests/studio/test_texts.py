"""The small pure parts: expressions, times, forms, commands, logs, reports, charts, costs."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.addresses import split_uri
from studio.charts import chart, ticks
from studio.commands import cli, start_members
from studio.costs import TABLE, Prices, cost, read_prices, usual_prices
from studio.definition import Parameter
from studio.expressions import references, resolve, walk, words
from studio.forms import check_value
from studio.job_view import view_job
from studio.jobs import KINDS
from studio.live import event
from studio.log_lines import find_cause, printable
from studio.reports import parse_report
from studio.security import Access, forbids_write, is_loopback
from studio.times import ago, duration

JSON_GET = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Eval.PropertyFiles.Report"}, "Path": "auc.value"}}


def test_expressions_in_words() -> None:
    assert words(JSON_GET) == "Eval Report → auc.value"
    assert words({"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.Bucket"}]}}) == "s3://Bucket"
    assert list(references({"a": [JSON_GET]})) == ["Steps.Eval.PropertyFiles.Report"]


def test_expressions_resolve_or_raise() -> None:
    known = {"Parameters.N": 3}
    look = lambda expression: known[expression["Get"]]  # noqa: E731
    assert resolve({"Std:Join": {"On": "-", "Values": ["a", {"Get": "Parameters.N"}]}}, look) == "a-3"
    with pytest.raises(KeyError):
        resolve({"Get": "Parameters.Other"}, look)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("Outputs['train'].Uri", "s3"),
        ("Outputs[0].Uri", "s3"),
        ("a.b", 1),
        ("['a']['b']", 1),
        ("x['dotted.key']", 2),
    ],
)
def test_paths(path: str, value: object) -> None:
    document = {"Outputs": [{"OutputName": "train", "Uri": "s3"}], "a": {"b": 1}, "x": {"dotted.key": 2}}
    assert walk(document, path) == value


def test_a_path_that_leads_nowhere() -> None:
    with pytest.raises(KeyError):
        walk({"a": [1]}, "a[4]")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (59.6, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_ago() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert ago(now - timedelta(seconds=3), now) == "just now"
    assert ago(now + timedelta(seconds=3), now) == "just now"
    assert ago(now - timedelta(minutes=1), now) == "1 minute ago"
    assert ago(now - timedelta(days=800), now) == "2 years ago"


@pytest.mark.parametrize(
    ("parameter", "text", "wrong"),
    [
        (Parameter("P", "Integer"), "2.5", "A whole number is needed"),
        (Parameter("P", "Integer"), "", "A value is needed"),
        (Parameter("P", "Float"), "nan", "A finite number"),
        (Parameter("P", "Float"), "1e-3", ""),
        (Parameter("P", "Boolean"), "yes", "true or false"),
        (Parameter("P", "String", "", True), "", ""),
        (Parameter("P", "String"), "x" * 1025, "At most 1024"),
        (Parameter("P", "String", choices=("a", "b")), "c", "One of: a, b."),
    ],
)
def test_values_are_checked(parameter: Parameter, text: str, wrong: str) -> None:
    assert check_value(parameter, text).startswith(wrong)
    assert bool(check_value(parameter, text)) == bool(wrong)


def test_commands_can_be_pasted() -> None:
    members = start_members("p", {"Note": "it's"}, PipelineExecutionDisplayName="")
    command = cli("sagemaker", "StartPipelineExecution", **members)
    assert command == (
        "aws sagemaker start-pipeline-execution --pipeline-name p"
        """ --pipeline-parameters '[{"Name":"Note","Value":"it'"'"'s"}]'"""
    )


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (["ok", "Traceback (most recent call last):", "  File", "ValueError: x", "bye"], 3),
        (["a", "bash: foo: command not found", "b"], 1),
        (["a", "[error] no room", "b"], 1),
        (["a", "Killed"], 1),
        (["a", "b", " "], 1),
        ([], None),
    ],
)
def test_the_line_that_explains(lines: list[str], cause: int | None) -> None:
    found = find_cause(lines)
    assert (found.line if found else None) == cause


@given(st.text())
def test_printable_text_has_no_control_characters(text: str) -> None:
    assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066" for c in printable(text))


def test_printable_drops_colours() -> None:
    assert printable("\x1b[31mred\x1b[0m\x07\tx\r\n") == "red    x"


def test_reports() -> None:
    document = {
        "m": {
            "auc": {"value": 0.7, "standard_deviation": 0.1},
            "f1": 0.5,
            "confusion_matrix": {"0": {"0": 5, "1": 1}, "1": {"0": 2, "1": 4}},
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": [0, 1],
                "true_positive_rates": [0, 1],
            },
        }
    }
    report = parse_report(json.dumps(document).encode())
    assert report is not None
    assert report.figures == {"auc": 0.7, "f1": 0.5}
    assert report.labels == ["0", "1"]
    assert report.roc == ((0.0, 0.0), (1.0, 1.0))
    assert parse_report(b"[1]") is None
    assert parse_report(b"\xff") is None


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_and_within(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert len(found) <= 7
    assert all(low - width * 1e-6 <= tick <= low + width * (1 + 1e-6) for tick in found)


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-1e4, 1e4)), min_size=1, max_size=900))
def test_curves_stay_within_their_frame(points: list[tuple[float, float]]) -> None:
    drawn = chart([("a", points)])
    (curve,) = drawn.curves
    places = [tuple(map(float, pair.split())) for pair in curve.path[1:].split("L")]
    assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height and math.isfinite(x + y) for x, y in places)


def test_a_value_without_a_place_is_left_out_of_a_curve() -> None:
    drawn = chart([("loss", [(0.0, 2.0), (1.0, math.nan), (2.0, math.inf), (3.0, 1.0)]), ("none", [(0.0, math.nan)])])
    (curve,) = drawn.curves
    assert (curve.name, curve.path.count("L")) == ("loss", 1)


def test_prices(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"ml.m5.large": 0.115}')
    prices = read_prices(tmp_path / "p.json")
    assert (prices.hourly("ml.m5.large"), prices.hourly("ml.m5.xlarge"), prices.source) == (0.115, 0.23, "p.json")
    assert prices.hourly("ml.m6.large") is None
    assert prices.hourly("local") is None
    (tmp_path / "p.json").write_text("[1]")
    with pytest.raises(ValueError, match="a JSON object of prices is needed"):
        read_prices(tmp_path / "p.json")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("studio.localhost", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.nip.io", False),
        ("0.0.0.0", False),
        ("", False),
    ],
)
def test_loopback_names(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_writes_need_the_secret() -> None:
    access = Access()
    assert forbids_write(access, {}, access.csrf) == ""
    assert forbids_write(access, {}, "guessed")
    assert forbids_write(access, {}, "")
    assert forbids_write(access, {"origin": "http://a:1", "host": "b:1"}, access.csrf)
    assert forbids_write(access, {"sec-fetch-site": "same-site"}, access.csrf)
    assert forbids_write(Access(csrf=access.csrf, read_only=True), {}, access.csrf).startswith("Studio runs read-only")


def test_events_are_one_line_of_data() -> None:
    assert event("patch", {"a": "x\ny"}) == 'event: patch\ndata: {"a": "x\\ny"}\n\n'


@pytest.mark.parametrize(
    ("uri", "parts"), [("s3://b/k/x", ("b", "k/x")), ("s3://b", ("b", "")), ("s3://b/a#?c", ("b", "a#?c"))]
)
def test_s3_uris(uri: str, parts: tuple[str, str]) -> None:
    assert split_uri(uri) == parts


def test_other_uris_are_no_s3_uris() -> None:
    with pytest.raises(KeyError):
        split_uri("https://b/k")


def test_the_usual_prices_are_those_of_the_tool_with_their_date() -> None:
    """One table, that neither program has to ask the other for."""
    theirs = Path(__file__).parents[2] / "pipelines" / "prices.json"
    assert TABLE.read_bytes() == theirs.read_bytes()
    prices = usual_prices()
    assert re.match(r"20\d\d-\d\d-\d\d, us-east-1", prices.source)
    assert prices.hourly("ml.c5.xlarge") == prices.dollars["ml.c5.xlarge"]
    assert prices.hourly("ml.m5.large") == pytest.approx(prices.dollars["ml.m5.xlarge"] / 2)
    assert prices.hourly("ml.g5.medium") is None, "sizes of machines with accelerators do not cost in proportion"


def test_what_a_job_of_two_kinds_of_machines_cost() -> None:
    groups = [("ml.m5.large", 2), ("ml.g5.xlarge", 1)]
    document = {
        "TrainingJobName": "j",
        "ResourceConfig": {
            "InstanceGroups": [
                {"InstanceGroupName": name, "InstanceType": name, "InstanceCount": n} for name, n in groups
            ]
        },
        "BillableTimeInSeconds": 1800,
    }
    job = view_job(KINDS["training"], document)
    assert (job.instance, job.instance_count) == ("ml.m5.large, 2 instances, ml.g5.xlarge", 3)
    assert cost(job, Prices({"ml.m5.large": 1.0, "ml.g5.xlarge": 10.0})) == 6.0
    assert cost(job, Prices({"ml.m5.large": 1.0})) is None
