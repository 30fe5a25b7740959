from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.cloudwatch.conftest import NOW, ago, dimensions


def put(cloudwatch: Any, *data: dict[str, Any]) -> None:
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "m", **datum} for datum in data])


def statistics(cloudwatch: Any, *names: str, **options: Any) -> list[dict[str, Any]]:
    plain = [name for name in names if not name.startswith("p")]
    extended = [name for name in names if name.startswith("p")]
    asked: dict[str, Any] = {"Namespace": "shop", "MetricName": "m", "Period": 60}
    asked |= {"StartTime": ago(10), "EndTime": ago(-1)} | options
    asked |= {"Statistics": plain} if plain else {}
    asked |= {"ExtendedStatistics": extended} if extended else {}
    found: list[dict[str, Any]] = cloudwatch.get_metric_statistics(**asked)["Datapoints"]
    return found


def data(cloudwatch: Any, *queries: dict[str, Any], **options: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"StartTime": ago(10), "EndTime": ago(-1), "MetricDataQueries": list(queries)} | options
    found: dict[str, Any] = cloudwatch.get_metric_data(**asked)
    return found


def query(name: str = "q", stat: str = "Average", period: int = 60, metric: str = "m", **rest: Any) -> dict[str, Any]:
    named = {"Namespace": "shop", "MetricName": metric, "Dimensions": rest.pop("Dimensions", [])}
    return {"Id": name, "MetricStat": {"Metric": named, "Period": period, "Stat": stat}, **rest}


def test_values_are_gathered_by_period(cloudwatch: Any) -> None:
    put(
        cloudwatch,
        {"Value": 1, "Timestamp": ago(5)},
        {"Value": 3, "Timestamp": ago(5) + timedelta(seconds=40)},
        {"Value": 8, "Timestamp": ago(3)},
    )
    names = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")
    assert statistics(cloudwatch, *names) == [
        {
            "Timestamp": ago(5),
            "SampleCount": 2,
            "Sum": 4,
            "Average": 2,
            "Minimum": 1,
            "Maximum": 3,
            "Unit": "None",
        },
        {"Timestamp": ago(3), "SampleCount": 1, "Sum": 8, "Average": 8, "Minimum": 8, "Maximum": 8, "Unit": "None"},
    ]
    assert [(d["Timestamp"], d["Sum"]) for d in statistics(cloudwatch, "Sum", Period=300)] == [
        (ago(5), 12),
    ]


def test_the_end_is_not_included_and_the_start_is_rounded_down(cloudwatch: Any) -> None:
    put(cloudwatch, {"Value": 1, "Timestamp": ago(5)}, {"Value": 2, "Timestamp": ago(4)})
    found = statistics(cloudwatch, "Sum", StartTime=ago(5) + timedelta(seconds=30), EndTime=ago(4))
    assert [(d["Timestamp"], d["Sum"]) for d in found] == [(ago(5), 1)]


def test_fine_periods_need_fine_data(cloudwatch: Any) -> None:
    moments = [ago(2) + timedelta(seconds=seconds) for seconds in (0, 7, 14)]
    put(cloudwatch, *({"Value": 1, "Timestamp": moment, "StorageResolution": 1} for moment in moments))
    put(cloudwatch, *({"MetricName": "coarse", "Value": 1, "Timestamp": moment} for moment in moments))
    fine = statistics(cloudwatch, "Sum", Period=10)
    assert [(d["Timestamp"], d["Sum"]) for d in fine] == [(ago(2), 2), (ago(2) + timedelta(seconds=10), 1)]
    coarse = statistics(cloudwatch, "Sum", Period=10, MetricName="coarse")
    assert [(d["Timestamp"], d["Sum"]) for d in coarse] == [(ago(2), 3)]


def test_percentiles_are_of_single_values(cloudwatch: Any) -> None:
    put(cloudwatch, {"Values": [float(n) for n in range(1, 101)], "Timestamp": ago(5)})
    found = statistics(cloudwatch, "p50", "p99", "p99.9", "p0")[0]["ExtendedStatistics"]
    assert found == {"p50": 50, "p99": 99, "p99.9": 100, "p0": 1}
    put(cloudwatch, {"Values": [1.0, 9.0], "Counts": [9.0, 1.0], "Timestamp": ago(2)})
    assert [v["ExtendedStatistics"]["p90"] for v in statistics(cloudwatch, "p90", StartTime=ago(2))] == [1]


def test_sets_of_values_count_but_hide_percentiles(cloudwatch: Any) -> None:
    values = {"SampleCount": 10, "Sum": 55, "Minimum": 1, "Maximum": 10}
    put(cloudwatch, {"StatisticValues": values, "Timestamp": ago(5)})
    assert statistics(cloudwatch, "Average", "SampleCount")[0]["Average"] == 5.5
    assert statistics(cloudwatch, "p50") == []
    assert "ExtendedStatistics" not in statistics(cloudwatch, "p50", "Sum")[0]
    assert data(cloudwatch, query(stat="p50"))["MetricDataResults"][0]["Values"] == []


def test_units_are_kept_apart_unless_one_is_asked_for(cloudwatch: Any) -> None:
    put(
        cloudwatch,
        {"Value": 1, "Unit": "Seconds", "Timestamp": ago(5)},
        {"Value": 9, "Unit": "Percent", "Timestamp": ago(5)},
    )
    assert {(d["Unit"], d["Sum"]) for d in statistics(cloudwatch, "Sum")} == {("Seconds", 1), ("Percent", 9)}
    assert [d["Sum"] for d in statistics(cloudwatch, "Sum", Unit="Percent")] == [9]
    assert data(cloudwatch, query(stat="Sum"))["MetricDataResults"][0]["Values"] == [10]


def test_a_metric_is_its_dimensions_too(cloudwatch: Any) -> None:
    put(cloudwatch, {"Value": 1, "Dimensions": dimensions(A="1", B="2"), "Timestamp": ago(5)})
    assert statistics(cloudwatch, "Sum") == []
    assert statistics(cloudwatch, "Sum", Dimensions=dimensions(A="1")) == []
    assert statistics(cloudwatch, "Sum", Dimensions=dimensions(B="2", A="1"))[0]["Sum"] == 1


REFUSED_STATISTICS: list[tuple[dict[str, Any], str, str]] = [
    ({"Period": 61}, "InvalidParameterValue", "must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple"),
    ({"StartTime": NOW, "EndTime": NOW}, "InvalidParameterValue", "StartTime must be less than the parameter"),
    (
        {"StartTime": ago(60 * 48)},
        "InvalidParameterCombination",
        "You have requested up to 2881 datapoints, which exceeds the limit of 1440.",
    ),
    ({"ExtendedStatistics": ["tm90"]}, "NotImplemented", "ExtendedStatistics tm90"),
    ({"ExtendedStatistics": ["best"]}, "InvalidParameterValue", "The value best for parameter"),
    ({"Statistics": ["Mode"]}, "ValidationError", "Member must satisfy"),
]


def test_what_aws_refuses_is_refused(cloudwatch: Any) -> None:
    for options, code, message in REFUSED_STATISTICS:
        with pytest.raises(ClientError) as caught:
            statistics(cloudwatch, **({"Statistics": ["Sum"]} | options))
        assert caught.value.response["Error"]["Code"] == code, options
        assert message in caught.value.response["Error"]["Message"]


def test_no_statistic_at_all_is_refused(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="Must specify either Statistics or ExtendedStatistics"):
        statistics(cloudwatch)


def test_many_metrics_come_at_once_latest_first(cloudwatch: Any) -> None:
    put(cloudwatch, {"Value": 1, "Timestamp": ago(5)}, {"Value": 2, "Timestamp": ago(4)})
    put(cloudwatch, {"MetricName": "n", "Value": 7, "Timestamp": ago(4)})
    queries = [query("a", "Sum"), query("b", "Maximum"), query("c", metric="n", Label="N!"), query("d", metric="o")]
    found = data(cloudwatch, *queries)["MetricDataResults"]
    assert [(r["Id"], r["Label"], r["Values"], r["StatusCode"]) for r in found] == [
        ("a", "m Sum", [2, 1], "Complete"),
        ("b", "m Maximum", [2, 1], "Complete"),
        ("c", "N!", [7], "Complete"),
        ("d", "o", [], "Complete"),
    ]
    assert found[0]["Timestamps"] == [ago(4), ago(5)]
    ascending = data(cloudwatch, query(stat="Sum"), ScanBy="TimestampAscending")["MetricDataResults"][0]
    assert ascending["Values"] == [1, 2]
    assert ascending["Label"] == "m"


def test_data_that_nobody_wants_returned_is_not(cloudwatch: Any) -> None:
    found = data(cloudwatch, query("a"), query("b", ReturnData=False))["MetricDataResults"]
    assert [result["Id"] for result in found] == ["a"]


def test_expressions_compute_with_the_queries_beside_them(cloudwatch: Any) -> None:
    put(cloudwatch, {"Value": 8, "Timestamp": ago(5)}, {"Value": 6, "Timestamp": ago(4)})
    for minutes, value in ((5, 2), (4, 0), (3, 9)):
        put(cloudwatch, {"MetricName": "n", "Value": value, "Timestamp": ago(minutes)})
    queries = [query("a", "Sum", ReturnData=False), query("b", "Sum", metric="n", ReturnData=False)]
    for text, values in (
        ("100 * a / (a + b)", [100, 80]),
        ("a / b", [4]),
        ("a - AVG(a)", [-1, 1]),
        ("-a ^ 2 + 1", [-35, -63]),
        ("2 ^ 3 ^ 0 * a", [12, 16]),
        ("ABS(MIN(a) - a)", [0, 2]),
        ("a * 0.5e1", [30, 40]),
        ("c + 1", [7, 9]),
    ):
        named: list[dict[str, Any]] = [
            {"Id": "c", "Expression": "a", "ReturnData": False},
            {"Id": "d", "Expression": text},
        ]
        (found,) = data(cloudwatch, *queries, *named)["MetricDataResults"]
        assert (found["Id"], found["Label"], found["Values"]) == ("d", "d", values), text


def test_data_comes_in_pages(cloudwatch: Any) -> None:
    put(cloudwatch, *({"Value": n, "Timestamp": ago(n + 1)} for n in range(5)))
    put(cloudwatch, *({"MetricName": "n", "Value": n, "Timestamp": ago(n + 1)} for n in range(3)))
    pages = list(
        cloudwatch.get_paginator("get_metric_data").paginate(
            StartTime=ago(10),
            EndTime=NOW,
            MetricDataQueries=[query("a"), query("b", metric="n")],
            MaxDatapoints=4,
        )
    )
    assert [[r["Values"] for r in page["MetricDataResults"]] for page in pages] == [
        [[0, 1, 2, 3], []],
        [[4], [0, 1, 2]],
    ]
    assert [[r["StatusCode"] for r in page["MetricDataResults"]] for page in pages] == [
        ["PartialData", "PartialData"],
        ["Complete", "Complete"],
    ]


REFUSED_QUERIES: list[tuple[list[dict[str, Any]], str, str]] = [
    ([{"Id": "e", "Expression": "SELECT AVG(x) FROM y"}], "NotImplemented", "no Metrics Insights"),
    ([{"Id": "e", "Expression": "SEARCH('x', 'Sum')"}], "NotImplemented", "no function SEARCH"),
    ([{"Id": "e", "Expression": "'text'"}], "NotImplemented", "metric math"),
    ([{"Id": "e", "Expression": "m1 / m2"}], "ValidationError", "'m1' is not the id of a query"),
    ([{"Id": "e", "Expression": "f + 1"}, {"Id": "f", "Expression": "e"}], "ValidationError", "refers to itself"),
    ([query("a"), {"Id": "e", "Expression": "AVG(a)"}], "ValidationError", "it must come to a time series"),
    ([query("a"), {"Id": "e", "Expression": "(a"}], "ValidationError", "a parenthesis is not closed"),
    ([query("a"), {"Id": "e", "Expression": "a +"}], "ValidationError", "it ends too early"),
    ([query("a"), {"Id": "e", "Expression": "a a"}], "ValidationError", "'a' is not expected"),
    ([query("a"), {"Id": "e", "Expression": "(" * 100 + "a"}], "ValidationError", "nested too deeply"),
    (
        [{"Id": f"e{n}", "Expression": f"((((e{n + 1}))))"} for n in range(400)] + [query("e400")],
        "ValidationError",
        "too many others",
    ),
    ([query("a", Expression="a")], "ValidationError", "and not both"),
    ([query("Upper")], "ValidationError", "not matching the expected pattern"),
    ([query("a"), query("a")], "ValidationError", "not unique: a"),
    ([{"Id": "a"}], "ValidationError", "must be specified"),
    ([query(stat="Median")], "InvalidParameterValue", "The value Median for parameter MetricStat.Stat"),
    ([query(period=45)], "InvalidParameterValue", "MetricStat.Period must be a value in the set"),
    ([query(Label="${LAST}")], "NotImplemented", "dynamic labels"),
    ([], "ValidationError", "must not be empty"),
    ([query(f"q{n}") for n in range(501)], "ValidationError", "must not have a size greater than 500"),
]


def test_wrong_queries_are_refused(cloudwatch: Any) -> None:
    for wrong, code, message in REFUSED_QUERIES:
        with pytest.raises(ClientError) as caught:
            data(cloudwatch, *wrong)
        assert caught.value.response["Error"]["Code"] == code, wrong
        assert message in caught.value.response["Error"]["Message"]
