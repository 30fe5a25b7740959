"""Evaluation reports as SageMaker's model quality reports are written: figures, a confusion matrix, a ROC curve."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from studio.aws import Aws, Problem

LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Report:
    """``figures`` by name; ``matrix`` as {true label: {predicted label: count}}; ``roc`` as points (false, true)."""

    figures: dict[str, float]
    matrix: dict[str, dict[str, float]]
    roc: tuple[tuple[float, float], ...]

    @property
    def labels(self) -> list[str]:
        return list(dict.fromkeys([*self.matrix, *(label for row in self.matrix.values() for label in row)]))


def read_report(aws: Aws, bucket: str, key: str) -> Report | None:
    """The report in an object; None where there is none, or it is no JSON object of a fitting size."""
    try:
        answer = aws.s3("get_object", Bucket=bucket, Key=key)
    except Problem as problem:
        if problem.is_missing:
            return None
        raise
    with answer["Body"] as body:
        if answer["ContentLength"] > LARGEST:
            return None
        return parse_report(body.read())


def parse_report(data: bytes) -> Report | None:
    try:
        document = json.loads(data)
    except ValueError:
        return None
    if not isinstance(document, dict):
        return None
    matrix = next(_found(document, "confusion_matrix"), {})
    curve = next(_found(document, "receiver_operating_characteristic_curve"), {})
    return Report(dict(figures(document)), _matrix(matrix), _curve(curve))


def figures(document: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The single figures of a report: ``{"auc": {"value": 0.7}}`` and ``{"auc": 0.7}`` both give ("auc", 0.7)."""
    for name, value in document.items():
        if name in ("confusion_matrix", "receiver_operating_characteristic_curve", "precision_recall_curve"):
            continue
        if is_number(value):
            yield name, float(value)
        elif isinstance(value, dict) and is_number(value.get("value")):
            yield name, float(value["value"])
        elif isinstance(value, dict):
            yield from figures(value)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return is_number(value) and isfinite(value)


def _found(document: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    for key, value in document.items():
        if isinstance(value, dict):
            if key == name:
                yield value
            else:
                yield from _found(value, name)


def _matrix(value: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    rows = {str(true): row for true, row in value.items() if isinstance(row, dict)}
    return {true: {str(label): float(n) for label, n in row.items() if _is_count(n)} for true, row in rows.items()}


def _curve(value: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    x, y = value.get("false_positive_rates") or [], value.get("true_positive_rates") or []
    pairs = zip(x, y, strict=False)
    return tuple((float(a), float(b)) for a, b in pairs if is_number(a) and is_number(b))
