"""Handlers that travel in the model archive's folder ``code``: to put them there, the SDK adds a repack job."""

import os

import xgboost


def model_fn(model_dir):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(model_dir, "xgboost-model"))
    return booster
