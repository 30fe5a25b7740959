"""A Processing script in the style of AWS's examples: unpack the model, predict the test set, write the report."""

import json
import pathlib
import pickle
import tarfile

import numpy as np
import pandas as pd
import xgboost
from sklearn.metrics import mean_squared_error


def load(path: str) -> xgboost.Booster:
    """XGBoost's own file, or the pickle that the image wrote up to 1.2."""
    if pathlib.Path(path).read_bytes()[:1] == b"\x80":
        with open(path, "rb") as file:
            return pickle.load(file)
    booster = xgboost.Booster()
    booster.load_model(path)
    return booster


if __name__ == "__main__":
    with tarfile.open("/opt/ml/processing/model/model.tar.gz") as tar:
        tar.extractall(path=".", filter="data")
    model = load("xgboost-model")
    test = pd.read_csv("/opt/ml/processing/test/test.csv", header=None)
    labels = test.iloc[:, 0].to_numpy()
    predictions = model.predict(xgboost.DMatrix(test.iloc[:, 1:].to_numpy()))
    report = {
        "regression_metrics": {
            "mse": {
                "value": float(mean_squared_error(labels, predictions)),
                "standard_deviation": float(np.std(labels - predictions)),
            }
        }
    }
    folder = pathlib.Path("/opt/ml/processing/evaluation")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(report))
