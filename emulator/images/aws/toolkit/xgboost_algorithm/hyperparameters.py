"""The hyperparameters of algorithm mode: which there are, and what each may be.

Names, ranges and the wording of refusals are AWS's (SageMaker Developer Guide, "XGBoost hyperparameters").
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UserError
from .metrics import ALL_METRICS, OF_XGBOOST


@dataclass(frozen=True)
class Number:
    """A range, shown as ``[0, 1]``; a round bracket leaves the end out."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False

    def parse(self, text: str) -> int | float:
        number = int(text) if self.whole else float(text)
        if not (self.low <= number <= self.high) or (self.open_low and number == self.low):
            raise OutOfRange(number, str(self))
        if self.open_high and number == self.high:
            raise OutOfRange(number, str(self))
        return number

    def __str__(self) -> str:
        left = "(-inf" if self.low == -math.inf else f"{'(' if self.open_low else '['}{self.low:g}"
        right = "+inf)" if self.high == math.inf else f"{self.high:g}{')' if self.open_high else ']'}"
        return f"{left}, {right}"


@dataclass(frozen=True)
class Choice:
    values: tuple[str, ...]

    def parse(self, text: str) -> str:
        if text not in self.values:
            raise OutOfRange(text, str(list(self.values)))
        return text


@dataclass(frozen=True)
class Listed:
    """Values separated by commas."""

    accepts: Callable[[str], bool]
    shown: str

    def parse(self, text: str) -> list[str]:
        values = [value.strip() for value in text.split(",")]
        for value in values:
            if not self.accepts(value):
                raise OutOfRange(values, self.shown)
        return values


@dataclass(frozen=True)
class Nested:
    """A Python tuple or list, as in ``(1, -1)`` and ``[[0, 1], [2]]``; XGBoost reads the text itself."""

    def parse(self, text: str) -> str:
        try:
            ast.literal_eval(text)
        except SyntaxError as error:
            raise ValueError(str(error)) from error
        return text


class OutOfRange(Exception):
    pass


def _accepts_metric(name: str) -> bool:
    base, at, threshold = name.partition("@")
    if not at:
        return name in ALL_METRICS
    try:
        float(threshold.removesuffix("-"))
    except ValueError:
        return False
    return base in ("error", "ndcg", "map")


_FRACTION = Number(0, 1)
_SHARE = Number(0, 1, open_low=True)
_POSITIVE = Number(0)
_COUNT = Number(1, whole=True)
_NATURAL = Number(0, whole=True)
_FLAG = Number(0, 1, whole=True)
_OBJECTIVES = (
    "binary:logistic binary:logitraw binary:hinge count:poisson multi:softmax multi:softprob rank:pairwise rank:ndcg"
    " rank:map reg:linear reg:squarederror reg:logistic reg:gamma reg:pseudohubererror reg:squaredlogerror"
    " reg:absoluteerror reg:quantileerror reg:tweedie survival:aft survival:cox"
)
_UPDATERS = (
    "grow_colmaker distcol grow_histmaker grow_local_histmaker grow_skmaker sync refresh prune"
    " grow_quantile_histmaker shotgun coord_descent"
)
_TUNING = tuple(f"validation:{name}" for name in ALL_METRICS)

Kind = Number | Choice | Listed | Nested
KNOWN: dict[str, Kind] = {
    "num_round": _COUNT,
    "csv_weights": _FLAG,
    "early_stopping_rounds": _COUNT,
    "booster": Choice(("gbtree", "gblinear", "dart")),
    "verbosity": Number(0, 3, whole=True),
    "silent": _FLAG,
    "nthread": _COUNT,
    "eta": _FRACTION,
    "gamma": _POSITIVE,
    "max_depth": _NATURAL,
    "min_child_weight": _POSITIVE,
    "max_delta_step": _POSITIVE,
    "subsample": _SHARE,
    "sampling_method": Choice(("uniform", "gradient_based")),
    "colsample_bytree": _SHARE,
    "colsample_bylevel": _SHARE,
    "colsample_bynode": _SHARE,
    "lambda": _POSITIVE,
    "alpha": _POSITIVE,
    "tree_method": Choice(("auto", "exact", "approx", "hist", "gpu_hist")),
    "sketch_eps": Number(0, 1, open_low=True, open_high=True),
    "scale_pos_weight": Number(0, open_low=True),
    "updater": Listed(lambda name: name in _UPDATERS.split(), str(_UPDATERS.split())),
    "dsplit": Choice(("row", "col")),
    "refresh_leaf": _FLAG,
    "process_type": Choice(("default", "update")),
    "grow_policy": Choice(("depthwise", "lossguide")),
    "max_leaves": _NATURAL,
    "max_bin": _NATURAL,
    "predictor": Choice(("auto", "cpu_predictor", "gpu_predictor")),
    "monotone_constraints": Nested(),
    "interaction_constraints": Nested(),
    "sample_type": Choice(("uniform", "weighted")),
    "normalize_type": Choice(("tree", "forest")),
    "rate_drop": _FRACTION,
    "one_drop": _FLAG,
    "skip_drop": _FRACTION,
    "lambda_bias": _FRACTION,
    "tweedie_variance_power": Number(1, 2, open_low=True, open_high=True),
    "huber_slope": Number(0, open_low=True),
    "quantile_alpha": _FRACTION,
    "objective": Choice(tuple(_OBJECTIVES.split())),
    "num_class": Number(2, whole=True),
    "base_score": Number(),
    "_kfold": Number(2, whole=True),
    "_num_cv_round": _COUNT,
    "_tuning_objective_metric": Choice(_TUNING),
    "eval_metric": Listed(_accepts_metric, str(list(ALL_METRICS))),
    "seed": Number(-(2**31), 2**31 - 1, whole=True),
    "num_parallel_tree": _COUNT,
    "save_model_on_termination": Choice(("true", "false")),
    "aft_loss_distribution": Choice(("normal", "logistic", "extreme")),
    "aft_loss_distribution_scale": Number(0, open_low=True),
    "deterministic_histogram": Choice(("true", "false")),
    "single_precision_histogram": Choice(("true", "false")),
    "enable_categorical": Choice(("true", "false")),
    "max_cat_to_onehot": _NATURAL,
    "max_cat_threshold": _NATURAL,
    "use_dask_gpu_training": Choice(("true", "false")),
}


def check(given: Mapping[str, str]) -> dict[str, Any]:
    """The hyperparameters with their types.

    Raises:
        UserError: one is missing, unknown, not of its type or out of its range; worded as AWS does.
    """
    if "num_round" not in given:
        raise UserError("Missing required hyperparameter: num_round")
    values = {name: _parse(name, text) for name, text in given.items()}
    _check_together(values)
    return values


def _parse(name: str, text: str) -> Any:
    if name not in KNOWN:
        raise UserError(f"Extraneous hyperparameter found: {name}")
    try:
        return KNOWN[name].parse(str(text).strip().strip('"'))
    except OutOfRange as error:
        value, accepted = error.args
        raise UserError(f"Hyperparameter {name}: {value} is not in {accepted}") from error
    except ValueError as error:
        raise UserError(f"Hyperparameter {name}: could not parse value (caused by ValueError)") from error


def _check_together(values: Mapping[str, Any]) -> None:
    objective = values.get("objective", "")
    if objective in ("multi:softmax", "multi:softprob") and "num_class" not in values:
        raise UserError("Require input for parameter 'num_class' for multi-classification")
    if "num_class" in values and "objective" not in values:
        raise UserError("Do not need to setup parameter 'num_class' for learning task other than multi-classification.")
    if "auc" in values.get("eval_metric", []) and not objective.startswith(("binary:", "rank:", "multi:")):
        raise UserError("Metric 'auc' can only be applied for classification and ranking problems.")
    if "gpu_hist" in (values.get("tree_method"), *[values.get("predictor", "").replace("gpu_predictor", "gpu_hist")]):
        raise UserError("tree_method 'gpu_hist' and predictor 'gpu_predictor' need a GPU, which this emulator has not")
    if values.get("use_dask_gpu_training") == "true":
        raise UserError("use_dask_gpu_training needs GPUs, which this emulator has not")


def of_xgboost(values: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that go to ``xgboost.train``: without those that only AWS's image has, and removed ones."""
    own = {"num_round", "csv_weights", "early_stopping_rounds", "save_model_on_termination", "use_dask_gpu_training"}
    removed = {"silent", "sketch_eps", "dsplit", "predictor", "lambda_bias", "deterministic_histogram"}
    removed |= {"single_precision_histogram", "enable_categorical"}
    kept = {name: value for name, value in values.items() if name not in own | removed and not name.startswith("_")}
    metrics = [name for name in kept.get("eval_metric", []) if name.partition("@")[0] in OF_XGBOOST]
    kept.pop("eval_metric", None)
    if metrics:
        kept["eval_metric"] = metrics
    if "updater" in kept:
        kept["updater"] = ",".join(kept["updater"])
    if kept.get("objective") == "reg:linear":
        kept["objective"] = "reg:squarederror"  # its name since 0.90; by the old one a model cannot be sliced
    return kept
