from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.gateway.conftest import Wire
from tests.emulator.services.cloudwatch.conftest import NOW, ago


def put(cloudwatch: Any, **datum: Any) -> None:
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "m", **datum}])


def refused(cloudwatch: Any, **datum: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        put(cloudwatch, **datum)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "MissingParameter", "At least one of the parameters MetricData.member.1.Values"),
    ({"Value": 1e200}, "InvalidParameterValue", "for parameter MetricData.member.1.Value is invalid"),
    ({"Value": 1, "Values": [1]}, "InvalidParameterCombination", "are mutually exclusive and you have specified"),
    ({"Values": [1, 2], "Counts": [1]}, "InvalidParameterValue", "must be of the same size"),
    ({"Values": [1.0] * 151}, "InvalidParameterValue", "must not have a size greater than 150"),
    (
        {"Values": [1], "Counts": [0]},
        "InvalidParameterValue",
        "The value 0 for parameter MetricData.member.1.Counts",
    ),
    ({"Value": 1, "Timestamp": NOW - timedelta(days=15)}, "InvalidParameterValue", "within the past two weeks"),
    ({"Value": 1, "Timestamp": NOW + timedelta(hours=3)}, "InvalidParameterValue", "no more than two hours ahead"),
    ({"Value": 1, "StorageResolution": 5}, "InvalidParameterValue", "StorageResolution must be one of"),
    ({"Value": 1, "Unit": "Furlongs"}, "ValidationError", "Member must satisfy enum value set"),
    (
        {"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 3, "Maximum": 2}},
        "InvalidParameterCombination",
        "Maximum must be greater",
    ),
    (
        {"Value": 1, "Dimensions": [{"Name": "a", "Value": "1"}, {"Name": "a", "Value": "2"}]},
        "InvalidParameterValue",
        "Dimensions.member.2.Name is invalid",
    ),
]


def test_what_aws_refuses_is_refused(cloudwatch: Any) -> None:
    for datum, code, message in REFUSED:
        found, said = refused(cloudwatch, **datum)
        assert found == code, datum
        assert message in said


def test_no_number_is_refused(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON has no such value; the other protocols do."""
    for protocol in ("smithy-rpc-v2-cbor", "query"):
        monkeypatch.setattr("botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS", (protocol,))
        assert refused(wire.client("cloudwatch"), Value=float("nan")) == (
            "InvalidParameterValue",
            "The value NaN for parameter MetricData.member.1.Value is invalid.",
        )


def test_modelled_exceptions_can_be_caught(any_cloudwatch: Any) -> None:
    with pytest.raises(any_cloudwatch.exceptions.InvalidParameterValueException):
        put(any_cloudwatch, Value=1, Timestamp=ago(60 * 24 * 20))


def test_aws_own_namespaces_are_closed(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="The value AWS/EC2 for parameter Namespace is invalid"):
        cloudwatch.put_metric_data(Namespace="AWS/EC2", MetricData=[{"MetricName": "m", "Value": 1}])


def test_all_or_nothing_of_a_request_is_stored(cloudwatch: Any) -> None:
    with pytest.raises(ClientError):
        cloudwatch.put_metric_data(
            Namespace="shop", MetricData=[{"MetricName": "m", "Value": 1}, {"MetricName": "n", "Values": []}]
        )
    assert cloudwatch.list_metrics()["Metrics"] == []


def test_more_than_1000_metrics_are_refused(cloudwatch: Any) -> None:
    data = [{"MetricName": f"m{number}", "Value": 1} for number in range(1001)]
    with pytest.raises(ClientError, match="MetricData must not have a size greater than 1000"):
        cloudwatch.put_metric_data(Namespace="shop", MetricData=data)


def test_entities_are_refused_by_name(cloudwatch: Any) -> None:
    with pytest.raises(ClientError, match="EntityMetricData") as caught:
        cloudwatch.put_metric_data(Namespace="shop", EntityMetricData=[{}])
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
