"""SageMaker Metrics, by which programs log the metrics of a run: BatchPutMetrics and BatchGetMetrics.

Put to a trial component, read by ARN. A training job has values too: those read from its log by regular expressions.
AWS does not document in what unit times are told here; the emulator takes and gives Unix seconds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from emulator.aws.arns import sagemaker_arn
from emulator.aws.errors import ResourceNotFound
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.store.metrics import Metric, Wanted
from emulator.store.trial_metrics import Raw, TrialMetrics

TRIAL_COMPONENT = "experiment-trial-component"
TRAINING_NAMESPACE = "/aws/sagemaker/TrainingJobs"
PERIODS = {"OneMinute": 60, "FiveMinute": 300, "OneHour": 3600}
OLDEST_SECONDS, NEWEST_SECONDS = 14 * 86_400, 2 * 3_600
MAX_METRICS = 100
MAX_RESULTS = 2880
"""Values of one query's answer; the rest is cut off and the answer says ``Truncated``. AWS does not tell its limit."""


def _deviation(values: Sequence[float]) -> float:
    """Of a sample; importing ``statistics`` takes longer than everything else of this module."""
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / max(1, len(values) - 1))


Statistic = Callable[[Sequence[float]], float]
STATISTICS: dict[str, Statistic] = {
    "Min": min,
    "Max": max,
    "Avg": lambda values: math.fsum(values) / len(values),
    "Count": len,
    "StdDev": _deviation,
    "Last": lambda values: values[-1],
}


@operation("sagemaker-metrics", "BatchPutMetrics", blocking=True)
def batch_put_metrics(request: Request, context: Context) -> Response:
    """Values that are not valid are told by their index, counted from 0; the others are kept."""
    name = request["TrialComponentName"]
    arn = sagemaker_arn(context.account, context.region, TRIAL_COMPONENT, name)
    component = context.app.resources.by_arn(arn)
    if component is None:
        raise ResourceNotFound(f"Trial component '{name}' does not exist.")
    now = time.time()
    errors, kept = [], []
    for index, datum in enumerate(request["MetricData"]):
        raw = Raw(datum["Timestamp"].timestamp(), datum.get("Step"), datum["Value"])
        if now - OLDEST_SECONDS <= raw.time <= now + NEWEST_SECONDS and math.isfinite(raw.value):
            kept.append((datum["MetricName"], raw))
        else:
            errors.append({"Code": "VALIDATION_ERROR", "MetricIndex": index})
    _trials(context).put(component.arn, kept)
    return {"Errors": errors} if errors else {}


@operation("sagemaker-metrics", "BatchGetMetrics", blocking=True)
def batch_get_metrics(request: Request, context: Context) -> Response:
    return {"MetricQueryResults": [_answer(query, context) for query in request["MetricQueries"]]}


def summaries_of(context: Context, component: str, source: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What DescribeTrialComponent says of the metrics of a component, and of the training job that it stands for."""
    trials, arn = _trials(context), (source or {}).get("SourceArn", "")
    found = [(component, name, trials.values(component, name)) for name in trials.names(component)]
    if _kind_of(arn) == "training-job":
        found += [(arn, name, values) for name, values in _of_training_job(context, arn.rpartition("/")[2])]
    return [_summary(*each) for each in found]


def _summary(source: str, name: str, raw: list[Raw]) -> dict[str, Any]:
    values = [each.value for each in raw]
    numbers = {name: float(compute(values)) for name, compute in STATISTICS.items()}
    return {"MetricName": name, "SourceArn": source, "TimeStamp": raw[-1].time, **numbers, "Count": len(values)}


def _of_training_job(context: Context, job: str) -> list[tuple[str, list[Raw]]]:
    wanted = Wanted(TRAINING_NAMESPACE, dimensions={"TrainingJobName": job})
    metrics, _ = context.app.metrics.metrics(context.scope, wanted, 0, MAX_METRICS)
    return [(metric.name, _points(context, metric)) for metric in metrics]


def _points(context: Context, metric: Metric) -> list[Raw]:
    points = context.app.metrics.points(context.scope, metric, 0, math.inf)
    return [Raw(point.time, None, point.minimum) for point in points]


def _kind_of(arn: str) -> str:
    """``training-job`` of the ARN of a training job."""
    return arn.split(":", 5)[-1].partition("/")[0]


def _trials(context: Context) -> TrialMetrics:
    return context.app.trial_metrics


def _answer(query: dict[str, Any], context: Context) -> dict[str, Any]:
    by_step = query["XAxisType"] == "IterationNumber"
    if by_step != (query["Period"] == "IterationNumber"):
        message = "XAxisType IterationNumber goes with Period IterationNumber, XAxisType Timestamp with the others."
        return {"Status": "ValidationError", "Message": message, "XAxisValues": [], "MetricValues": []}
    values = _raw(query, context)
    points = [(_step(raw, number), raw) for number, raw in enumerate(values)] if by_step else _by_time(values, query)
    low, high = query.get("Start", -math.inf), query.get("End", math.inf)
    wanted = sorted((pair for pair in points if low <= pair[0] <= high), key=lambda pair: pair[0])
    compute = STATISTICS[query["MetricStat"]]
    found = [(x, compute([raw.value for _, raw in group])) for x, group in groupby(wanted, lambda pair: pair[0])]
    return {
        "Status": "Truncated" if len(found) > MAX_RESULTS else "Complete",
        "XAxisValues": [x for x, _ in found[:MAX_RESULTS]],
        "MetricValues": [float(value) for _, value in found[:MAX_RESULTS]],
    }


def _step(raw: Raw, number: int) -> int:
    """The step that a value was logged with; those without are counted."""
    return number if raw.step is None else raw.step


def _by_time(values: list[Raw], query: dict[str, Any]) -> list[tuple[int, Raw]]:
    period = PERIODS[query["Period"]]
    return [(int(raw.time // period * period), raw) for raw in values]


def _raw(query: dict[str, Any], context: Context) -> list[Raw]:
    arn, name = query["ResourceArn"], query["MetricName"]
    if _kind_of(arn) != "training-job":
        return _trials(context).values(arn, name)
    return _points(context, Metric(TRAINING_NAMESPACE, name, {"TrainingJobName": arn.rpartition("/")[2]}))
