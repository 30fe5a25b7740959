"""``train`` in algorithm mode: the channels ``train`` and ``validation``, the metrics in the log, the model's file."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xgboost as xgb

from ..container import Container
from ..errors import UserError
from . import cluster, data, folds, hyperparameters, metrics
from .callbacks import Checkpoints, Monitor, StopOnSignal
from .cluster import ALONE, Cluster
from .model import MODEL_FILE, save

_CHANNELS = ("train", "validation", "code")
_TUNING_METRIC = "_tuning_objective_metric"


def train(container: Container) -> None:
    """Train as the hyperparameters and channels of the job say, and write the model.

    Raises:
        UserError: they cannot be used; the message names the hyperparameter, channel or file.
    """
    values = hyperparameters.check(container.hyperparameters)
    _check_channels(container)
    resources = container.resources
    hosts = resources.get("hosts") or ALONE.hosts
    if len(hosts) == 1:
        _train_in(ALONE, values, container)
        return
    if "_kfold" in values:
        raise UserError("_kfold: cross-validation runs on one host; ask for InstanceCount 1")
    cluster.run(hosts, resources["current_host"], _has_data(container), lambda all: _train_in(all, values, container))


def _train_in(members: Cluster, values: dict[str, Any], container: Container) -> None:
    """Train with the members' data, and write the model on their master."""
    matrices = _read(container, members, weighted=values.get("csv_weights") == 1)
    for name, matrix in matrices.items():
        print(f"{name.capitalize()} matrix has {matrix.num_row()} rows and {matrix.num_col()} columns", flush=True)
    try:
        if "_kfold" in values:
            boosters = folds.train(values, matrices, fit)
            names = [f"{MODEL_FILE}-{number}" for number in range(len(boosters))]
        else:
            boosters, names = [_train_one(values, matrices, container, members)], [MODEL_FILE]
    except (xgb.core.XGBoostError, ValueError) as error:
        raise UserError(f"XGB train call failed with exception:\n{str(error).strip()}") from error
    if members.is_master:
        for booster, name in zip(boosters, names, strict=True):
            save(booster, container.model / name)


def _check_channels(container: Container) -> None:
    channels = container.channels
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    if extra := [name for name in channels if name not in _CHANNELS]:
        raise UserError(f"Extraneous channel found: {', '.join(extra)}")


def _has_data(container: Container, name: str = "train") -> bool:
    """Whether this host has got a part of a channel; a pipe cannot be looked into."""
    mode = container.channels[name].get("TrainingInputMode", "File")
    return mode == "Pipe" or bool(data.data_files(container.channel(name)))


def _read(container: Container, members: Cluster, weighted: bool) -> dict[str, xgb.DMatrix]:
    channels = container.channels
    matrices = {}
    for name in _CHANNELS[:2]:
        if name in channels:
            members.agree(name, _has_data(container, name))
            kind = data.content_type(channels[name].get("ContentType"))
            with_weights, place = weighted and name == "train", container.channel(name)
            if channels[name].get("TrainingInputMode", "File") == "Pipe":
                matrices[name] = data.read_pipe(place.with_name(f"{name}_0"), kind, with_weights)
            else:
                matrices[name] = data.read_channel(place, kind, with_weights)
    return matrices


def _train_one(
    values: dict[str, Any], matrices: Mapping[str, xgb.DMatrix], container: Container, members: Cluster
) -> xgb.Booster:
    stop = StopOnSignal()
    previous = signal.signal(signal.SIGTERM, stop.request)
    try:
        booster, _ = fit(values, matrices, [stop], container.checkpoint_folder, members)
    finally:
        signal.signal(signal.SIGTERM, previous)
    if stop.requested and values.get("save_model_on_termination") != "true":
        print("stopped: without save_model_on_termination no model is saved", flush=True)
        sys.exit(0)
    return booster


def fit(
    values: dict[str, Any],
    matrices: Mapping[str, xgb.DMatrix],
    callbacks: list[xgb.callback.TrainingCallback],
    checkpoints: Path | None = None,
    members: Cluster = ALONE,
) -> tuple[xgb.Booster, dict[str, Any]]:
    """One model, with the metrics of every round printed as ``[0]<tab>train-rmse:…``; and these metrics."""
    parameters = hyperparameters.of_xgboost(values)
    metric = values.get(_TUNING_METRIC, "").removeprefix("validation:")
    if metric in metrics.OF_XGBOOST:
        parameters["eval_metric"] = list(dict.fromkeys([*parameters.get("eval_metric", []), metric]))
    custom = metrics.added([*values.get("eval_metric", []), *([metric] if metric else [])])
    if custom and "eval_metric" not in parameters:
        parameters["disable_default_eval_metric"] = 1
    resumed, done = (None, 0) if checkpoints is None else Checkpoints.latest(checkpoints)
    if early := values.get("early_stopping_rounds"):
        where = "validation" if "validation" in matrices else "train"
        callbacks = [*callbacks, xgb.callback.EarlyStopping(rounds=early, data_name=where, save_best=True)]
    if members.is_master:
        callbacks = [Monitor(done), *callbacks, *([Checkpoints(checkpoints, done)] if checkpoints else [])]
    history: dict[str, Any] = {}
    booster = xgb.train(
        parameters,
        matrices["train"],
        max(0, values["num_round"] - done),
        evals=[(matrix, name) for name, matrix in matrices.items()],
        custom_metric=custom,
        evals_result=history,
        callbacks=callbacks,
        xgb_model=resumed,
        verbose_eval=False,
    )
    return booster, history
