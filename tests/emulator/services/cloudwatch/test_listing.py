from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.gateway.conftest import Wire
from tests.emulator.services.cloudwatch.conftest import ago, dimensions


def put(cloudwatch: Any, name: str, minutes: float = 0, namespace: str = "shop", **pairs: str) -> None:
    datum = {"MetricName": name, "Value": 1, "Timestamp": ago(minutes), "Dimensions": dimensions(**pairs)}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])


def names(cloudwatch: Any, **wanted: Any) -> list[str]:
    return [metric["MetricName"] for metric in cloudwatch.list_metrics(**wanted)["Metrics"]]


def test_a_metric_is_listed_once_with_its_dimensions(cloudwatch: Any) -> None:
    put(cloudwatch, "sales", 2, Town="Kiel", Kind="retail")
    put(cloudwatch, "sales", 1, Kind="retail", Town="Kiel")
    assert cloudwatch.list_metrics()["Metrics"] == [
        {"Namespace": "shop", "MetricName": "sales", "Dimensions": dimensions(Kind="retail", Town="Kiel")}
    ]


def test_filters_choose_by_namespace_name_and_dimensions(cloudwatch: Any) -> None:
    put(cloudwatch, "a", Town="Kiel")
    put(cloudwatch, "b", Town="Bonn", Kind="x")
    put(cloudwatch, "c", namespace="other")
    assert names(cloudwatch, Namespace="shop") == ["a", "b"]
    assert names(cloudwatch, MetricName="c") == ["c"]
    assert names(cloudwatch, Dimensions=[{"Name": "Town"}]) == ["a", "b"]
    assert names(cloudwatch, Dimensions=dimensions(Town="Bonn")) == ["b"]
    assert names(cloudwatch, Dimensions=[{"Name": "Town"}, {"Name": "Kind", "Value": "y"}]) == []
    assert names(cloudwatch, Namespace="sho") == []


def test_only_what_was_active_lately_is_listed_on_request(cloudwatch: Any) -> None:
    put(cloudwatch, "old", 60 * 5)
    put(cloudwatch, "new", 5)
    assert names(cloudwatch) == ["old", "new"]
    assert names(cloudwatch, RecentlyActive="PT3H") == ["new"]


def test_pages_follow_each_other(cloudwatch: Any) -> None:
    data = [{"MetricName": f"m{number:03d}", "Value": 1} for number in range(700)]
    cloudwatch.put_metric_data(Namespace="shop", MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace="shop"))
    assert [len(page["Metrics"]) for page in pages] == [500, 200]
    assert [metric["MetricName"] for page in pages for metric in page["Metrics"]] == [d["MetricName"] for d in data]


def test_a_foreign_token_is_refused(cloudwatch: Any) -> None:
    for token in ("nonsense", "YTox", "ÿ"):
        with pytest.raises(ClientError) as caught:
            cloudwatch.list_metrics(NextToken=token)
        assert caught.value.response["Error"]["Code"] == "InvalidNextToken"


def test_accounts_and_regions_do_not_see_each_other(wire: Wire, cloudwatch: Any) -> None:
    put(cloudwatch, "mine")
    assert names(wire.client("cloudwatch", key="210987654321")) == []
    assert names(wire.client("cloudwatch", region_name="eu-west-1")) == []


def test_metrics_outlive_a_restart(serve: Any) -> None:
    put(serve().client("cloudwatch"), "kept")
    assert names(serve().client("cloudwatch")) == ["kept"]


def test_every_protocol_that_clients_speak_is_spoken(any_cloudwatch: Any) -> None:
    put(any_cloudwatch, "sales", Town="Kiel")
    (metric,) = any_cloudwatch.list_metrics(Dimensions=[{"Name": "Town"}])["Metrics"]
    assert metric == {"Namespace": "shop", "MetricName": "sales", "Dimensions": dimensions(Town="Kiel")}
    found = any_cloudwatch.get_metric_statistics(
        **metric, StartTime=ago(1), EndTime=ago(-1), Period=60, Statistics=["Sum"], ExtendedStatistics=["p90"]
    )
    assert found["Datapoints"] == [{"Timestamp": ago(0), "Sum": 1, "Unit": "None", "ExtendedStatistics": {"p90": 1}}]
    query = {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    data = any_cloudwatch.get_metric_data(StartTime=ago(1), EndTime=ago(-1), MetricDataQueries=[query])
    assert data["MetricDataResults"] == [
        {"Id": "q", "Label": "sales", "Timestamps": [ago(0)], "Values": [1], "StatusCode": "Complete"}
    ]
