"""What is tuned where a request leaves that open (API reference, "Autotune"): the ranges that AWS recommends.

XGBoost is the only algorithm of AWS's that runs here; its ranges are those of the Developer Guide, "Tune an XGBoost
Model", without the number of rounds and of classes, which a training job needs of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CONTINUOUS = {
    "alpha": (0, 1000),
    "colsample_bylevel": (0.1, 1),
    "colsample_bynode": (0.1, 1),
    "colsample_bytree": (0.5, 1),
    "eta": (0.1, 0.5),
    "gamma": (0, 5),
    "lambda": (0, 1000),
    "min_child_weight": (0, 120),
    "subsample": (0.5, 1),
}
_INTEGER = {"max_delta_step": (0, 10), "max_depth": (1, 10)}


def recommended_ranges(static: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """A ParameterRanges for XGBoost, without what the request fixes."""
    return {
        "IntegerParameterRanges": _ranges(_INTEGER, static),
        "ContinuousParameterRanges": _ranges(_CONTINUOUS, static),
    }


def _ranges(bounds: Mapping[str, tuple[float, float]], static: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"Name": name, "MinValue": str(low), "MaxValue": str(high), "ScalingType": "Auto"}
        for name, (low, high) in bounds.items()
        if name not in static
    ]
