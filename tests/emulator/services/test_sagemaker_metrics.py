from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.services.context import Context
from emulator.services.sagemaker_metrics import summaries_of
from emulator.store.metrics import Metric, Point
from emulator.store.resources import Resource, Scope
from tests.emulator.gateway.conftest import Wire

ARN = "arn:aws:sagemaker:us-east-1:123456789012:experiment-trial-component/run-1"
SCOPE = Scope("123456789012", "us-east-1")
NOW = int(time.time()) // 3600 * 3600
"""The hour in which the tests began."""


@pytest.fixture
def metrics(wire: Wire) -> Any:
    component = Resource(SCOPE, "experiment-trial-component", "run-1", ARN, {})
    assert wire.app.resources.insert(component)
    return wire.client("sagemaker-metrics")


def put(metrics: Any, *values: tuple[float, int | None, int]) -> Any:
    data = [
        {"MetricName": "loss", "Value": value, "Timestamp": NOW + after} | ({} if step is None else {"Step": step})
        for value, step, after in values
    ]
    return metrics.batch_put_metrics(TrialComponentName="run-1", MetricData=data)


def get(metrics: Any, stat: str = "Last", period: str = "IterationNumber", **options: Any) -> dict[str, Any]:
    axis = "IterationNumber" if period == "IterationNumber" else "Timestamp"
    asked = {"MetricName": "loss", "ResourceArn": ARN, "MetricStat": stat, "Period": period, "XAxisType": axis}
    (found,) = metrics.batch_get_metrics(MetricQueries=[asked | options])["MetricQueryResults"]
    return dict(found)


def curve(found: dict[str, Any]) -> list[tuple[int, float]]:
    assert found["Status"] == "Complete"
    return list(zip(found["XAxisValues"], found["MetricValues"], strict=True))


def test_a_curve_comes_by_its_steps(metrics: Any) -> None:
    assert put(metrics, (0.9, 0, 1), (0.5, 2, 3), (0.7, 1, 2)).get("Errors") is None
    assert curve(get(metrics)) == [(0, 0.9), (1, 0.7), (2, 0.5)]
    assert curve(get(metrics, Start=1, End=1)) == [(1, 0.7)]
    assert curve(get(metrics, MetricName="other")) == []


def test_a_step_that_was_logged_again_has_statistics(metrics: Any) -> None:
    put(metrics, (1.0, 5, 1), (3.0, 5, 2), (2.0, 5, 3))
    found = {stat: curve(get(metrics, stat))[0][1] for stat in ("Min", "Max", "Avg", "Count", "StdDev", "Last")}
    assert found == {"Min": 1, "Max": 3, "Avg": 2, "Count": 3, "StdDev": 1, "Last": 2}


def test_values_without_a_step_are_counted(metrics: Any) -> None:
    put(metrics, (3.0, None, 1), (2.0, None, 2))
    assert curve(get(metrics)) == [(0, 3), (1, 2)]


def test_a_curve_comes_by_time(metrics: Any) -> None:
    put(metrics, (1.0, None, 5), (3.0, None, 50), (9.0, None, 70))
    assert curve(get(metrics, "Avg", "OneMinute")) == [(NOW, 2), (NOW + 60, 9)]
    assert curve(get(metrics, "Count", "OneHour")) == [(NOW, 3)]


def test_an_axis_that_does_not_fit_its_period_is_told_in_the_result(metrics: Any) -> None:
    found = get(metrics, XAxisType="Timestamp")
    assert found["Status"] == "ValidationError"
    assert "IterationNumber" in found["Message"]


def test_values_out_of_their_time_are_told_by_their_index_and_the_others_kept(metrics: Any) -> None:
    answer = put(metrics, (1.0, 0, 0), (2.0, 1, -15 * 86_400), (3.0, 2, 4 * 3600))
    assert answer["Errors"] == [
        {"Code": "VALIDATION_ERROR", "MetricIndex": 1},
        {"Code": "VALIDATION_ERROR", "MetricIndex": 2},
    ]
    assert curve(get(metrics)) == [(0, 1)]


def test_a_run_that_is_not_there_takes_no_metrics(metrics: Any) -> None:
    with pytest.raises(ClientError, match="Trial component 'run-2' does not exist"):
        metrics.batch_put_metrics(
            TrialComponentName="run-2", MetricData=[{"MetricName": "m", "Value": 1, "Timestamp": NOW}]
        )


def test_the_model_is_held_to(metrics: Any) -> None:
    with pytest.raises(ClientError, match="failed to satisfy constraint"):
        metrics.batch_put_metrics(
            TrialComponentName="Upper", MetricData=[{"MetricName": "m", "Value": 1, "Timestamp": NOW}]
        )


def test_what_a_training_job_printed_is_read_by_its_arn(wire: Wire, metrics: Any) -> None:
    metric = Metric("/aws/sagemaker/TrainingJobs", "loss", {"TrainingJobName": "job"})
    points = [(metric, Point.of(NOW + number, value)) for number, value in enumerate((0.9, 0.4))]
    wire.app.metrics.put(SCOPE, points)
    arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/job"
    assert curve(get(metrics, ResourceArn=arn)) == [(0, 0.9), (1, 0.4)]


def test_summaries_are_of_the_component_and_of_the_job_it_stands_for(wire: Wire, metrics: Any) -> None:
    put(metrics, (3.0, 0, 1), (1.0, 1, 2), (2.0, 2, 3))
    metric = Metric("/aws/sagemaker/TrainingJobs", "auc", {"TrainingJobName": "job"})
    wire.app.metrics.put(SCOPE, [(metric, Point.of(NOW, 0.5))])
    job = "arn:aws:sagemaker:us-east-1:123456789012:training-job/job"
    loss, auc = summaries_of(Context(SCOPE, "request", wire.app), ARN, {"SourceArn": job})
    assert loss == {
        "MetricName": "loss",
        "SourceArn": ARN,
        "TimeStamp": NOW + 3,
        "Min": 1,
        "Max": 3,
        "Avg": 2,
        "Last": 2,
        "Count": 3,
        "StdDev": 1,
    }
    assert (auc["MetricName"], auc["SourceArn"], auc["Last"], auc["StdDev"]) == ("auc", job, 0.5, 0)
    assert summaries_of(Context(SCOPE, "request", wire.app), "arn:other", None) == []
