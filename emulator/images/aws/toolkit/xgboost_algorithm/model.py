"""The model's file: a pickled booster where AWS's image of XGBoost up to 1.2 was asked for, XGBoost's own from 1.3."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import xgboost as xgb

from ..container import variable
from ..errors import UserError

MODEL_FILE = "xgboost-model"
_LAST_PICKLED = (1, 2)


def is_pickled(version: str) -> bool:
    """Whether AWS's image of this version (``1.2-1``) pickles its models."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    return bool(numbers) and numbers <= _LAST_PICKLED


def save(booster: xgb.Booster, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_pickled(variable("EMULATOR_IMAGE_VERSION")):
        with path.open("wb") as file:
            pickle.dump(booster, file)
    else:
        path.write_bytes(booster.save_raw("ubj"))


def load(folder: Path) -> list[xgb.Booster]:
    """Every model of a folder; those of a cross-validation answer together.

    Raises:
        UserError: there is none, or it is not XGBoost's.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name.startswith(MODEL_FILE))
    if not paths:
        paths = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    if not paths:
        raise UserError(f"Unable to load model: there is no {MODEL_FILE} in {folder}")
    return [_load(path) for path in paths]


def _load(path: Path) -> xgb.Booster:
    content = path.read_bytes()
    try:
        if content[:1] == b"\x80":  # the first byte of a pickle
            booster = pickle.loads(content)  # the job's own model, as AWS's image reads it
            if not isinstance(booster, xgb.Booster):
                raise UserError(
                    f"Unable to load model: {path.name} is a pickled {type(booster).__name__}, not a Booster"
                )
            return booster
        return xgb.Booster(model_file=bytearray(content))
    except (xgb.core.XGBoostError, pickle.UnpicklingError, ImportError, AttributeError) as error:
        raise UserError(f"Unable to load model: {path.name}: {str(error).splitlines()[-1]}") from error
