"""A scikit-learn script with its handlers, as AWS's examples have them in one file."""

import argparse
import os

import joblib
import pandas as pd
from sklearn.linear_model import Ridge


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    arguments = parser.parse_args()
    table = pd.concat([pd.read_csv(file.path, header=None) for file in os.scandir(arguments.train)])
    model = Ridge(alpha=arguments.alpha).fit(table.iloc[:, 1:].to_numpy(), table.iloc[:, 0])
    print(f"r2={model.score(table.iloc[:, 1:].to_numpy(), table.iloc[:, 0])};")
    joblib.dump(model, os.path.join(arguments.model_dir, "model.joblib"))


if __name__ == "__main__":
    main()
