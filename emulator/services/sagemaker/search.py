"""Search: resources by what their Describe says (API reference, "Search", "SearchExpression", "Filter").

Every type that this emulator has operations for is searched; of the others there are none to be found.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from emulator.aws.operations import Request, Response, find, operation
from emulator.services.context import Context
from emulator.services.sagemaker.paging import page_of
from emulator.store.resources import Query

_TYPES = {
    "TrainingJob": ("training-job", "DescribeTrainingJob", "TrainingJobName"),
    "HyperParameterTuningJob": (
        "hyper-parameter-tuning-job", "DescribeHyperParameterTuningJob", "HyperParameterTuningJobName",
    ),
    "Model": ("model", "DescribeModel", "ModelName"),
    "ModelPackage": ("model-package", "DescribeModelPackage", "ModelPackageName"),
    "ModelPackageGroup": ("model-package-group", "DescribeModelPackageGroup", "ModelPackageGroupName"),
    "Pipeline": ("pipeline", "DescribePipeline", "PipelineName"),
    "Experiment": ("experiment", "DescribeExperiment", "ExperimentName"),
    "ExperimentTrial": ("experiment-trial", "DescribeTrial", "TrialName"),
    "ExperimentTrialComponent": ("experiment-trial-component", "DescribeTrialComponent", "TrialComponentName"),
    "PipelineExecution": ("pipeline-execution", "DescribePipelineExecution", "PipelineExecutionArn"),
}  # fmt: skip
"""A type of resource to its kind here, the operation that describes it, and that operation's member."""
_RECORDS = {"ExperimentTrial": "Trial", "ExperimentTrialComponent": "TrialComponent"}
"""Members of a SearchRecord that are not called as the type is."""
_BY_ARN = {"ModelPackage", "PipelineExecution"}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_DEFAULT_SORT = "LastModifiedTime"
_DEFAULT_RESULTS = 10


@operation("sagemaker", "Search", blocking=True)
def search(request: Request, context: Context) -> Response:
    expression = request.get("SearchExpression", {})
    found = [document for document in _documents(request["Resource"], context) if _holds(expression, document)]
    _sort(found, request.get("SortBy", _DEFAULT_SORT), request.get("SortOrder", "Descending"))
    page, token = page_of(found, request, _DEFAULT_RESULTS)
    return {
        "Results": [_record(request["Resource"], document) for document in page],
        "NextToken": token,
        "TotalHits": {"Value": len(found), "Relation": "EqualTo"},
    }


def _documents(name: str, context: Context) -> Iterator[dict[str, Any]]:
    if name not in _TYPES:
        return
    kind, described_by, member = _TYPES[name]
    describe = find("sagemaker", described_by)
    assert describe is not None
    for resource in context.app.resources.walk(context.scope, Query(kind)):
        request = {member: resource.arn if name in _BY_ARN else resource.name}
        document = describe.handler(request, context)
        assert isinstance(document, dict)
        yield {**document, "Tags": context.app.resources.tags(resource.arn)}


def _record(name: str, document: dict[str, Any]) -> dict[str, Any]:
    return {_RECORDS.get(name, name): {"Model": document} if name == "Model" else document}


def _holds(expression: dict[str, Any], document: dict[str, Any]) -> bool:
    """``Filters``, ``NestedFilters`` and ``SubExpressions``, joined by And unless it says Or."""
    held = [
        *(_filter_holds(each, document) for each in expression.get("Filters", [])),
        *(_nested_holds(each, document) for each in expression.get("NestedFilters", [])),
        *(_holds(each, document) for each in expression.get("SubExpressions", [])),
    ]
    return any(held) if held and expression.get("Operator") == "Or" else all(held)


def _nested_holds(nested: dict[str, Any], document: dict[str, Any]) -> bool:
    """One item of a list must satisfy every filter, whose names begin with the list's."""
    name = nested["NestedPropertyName"]
    prefix = f"{name}."
    filters = [{**each, "Name": each["Name"].removeprefix(prefix)} for each in nested["Filters"]]
    lists = list(_values(document, name))
    return any(all(_filter_holds(each, item) for each in filters) for item in lists if isinstance(item, dict))


def _filter_holds(given: dict[str, Any], document: dict[str, Any]) -> bool:
    values = list(_values(document, given["Name"]))
    wanted, how = given.get("Value", ""), given.get("Operator", "Equals")
    match how:
        case "Exists":
            return bool(values)
        case "NotExists":
            return not values
        case "NotEquals":
            return not any(_compare(operator.eq, value, wanted) for value in values)
        case "Contains":
            return any(wanted.lower() in str(value).lower() for value in values)
        case "In":
            return any(_compare(operator.eq, value, item.strip()) for value in values for item in wanted.split(","))
        case _:
            return any(_compare(_COMPARISONS[how], value, wanted) for value in values)


def _compare(comparison: Callable[[Any, Any], bool], value: Any, wanted: str) -> bool:
    """Numbers as numbers, times as times, everything else as text."""
    try:
        if isinstance(value, bool):
            return comparison(str(value).lower(), wanted.lower())
        if isinstance(value, int | float):
            return comparison(float(value), _number(wanted))
    except ValueError:
        return False
    return comparison(str(value), wanted)


def _number(text: str) -> float:
    """A number, or the seconds of a time as AWS writes it."""
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _values(document: Any, name: str) -> Iterator[Any]:
    """The values at a dotted name, through lists; ``Tags.KEY`` is the value of the tag."""
    head, _, rest = name.partition(".")
    if head == "Tags" and isinstance(document, dict):
        yield from (tag["Value"] for tag in document.get("Tags", []) if tag["Key"] == rest)
        return
    if isinstance(document, list):
        for item in document:
            yield from _values(item, name)
        return
    if isinstance(document, dict) and name in document:  # hyperparameters and metrics have names of their own
        head, rest = name, ""
    value = document.get(head) if isinstance(document, dict) else None
    if value is None:
        return
    if rest:
        yield from _values(value, rest)
    else:
        yield from value if isinstance(value, list) else [value]


def _sort(found: list[dict[str, Any]], name: str, order: str) -> None:
    """Those that lack the property come last."""
    keyed = [(next(_values(document, name), None), document) for document in found]
    having = [pair for pair in keyed if pair[0] is not None]
    having.sort(key=lambda pair: _sort_key(pair[0]), reverse=order == "Descending")
    found[:] = [document for _, document in having] + [document for value, document in keyed if value is None]


def _sort_key(value: Any) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int | float) else (0.0, str(value))
