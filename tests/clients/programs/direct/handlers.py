"""Handlers for a model of the XGBoost algorithm: rows in, labelled scores out."""

import io
import os

import numpy as np
import xgboost


def model_fn(model_dir):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(model_dir, "xgboost-model"))
    return booster


def input_fn(body, content_type):
    assert content_type == "text/csv", content_type
    return xgboost.DMatrix(np.atleast_2d(np.loadtxt(io.StringIO(body), delimiter=",")))


def predict_fn(data, model):
    return model.predict(data)


def output_fn(prediction, accept):
    return "\n".join(f"score={value:.3f}" for value in prediction), "text/csv"
