"""A Processing script in the style of AWS's examples: impute, scale, encode, split."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

COLUMNS = ["sex", "length", "diameter", "height", "whole_weight", "shucked_weight", "viscera_weight", "shell_weight"]
LABEL = "rings"
BASE = Path("/opt/ml/processing")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input-data", required=True)
    arguments = parser.parse_args()
    print("input:", arguments.input_data)
    (path,) = (BASE / "input").glob("*.csv")
    table = pd.read_csv(path, header=None, names=[*COLUMNS, LABEL])
    numeric = Pipeline([("imputer", SimpleImputer(strategy="median")), ("scaler", StandardScaler())])
    categorical = Pipeline(
        [("imputer", SimpleImputer(strategy="constant", fill_value="missing")), ("onehot", OneHotEncoder())]
    )
    transform = ColumnTransformer([("numeric", numeric, COLUMNS[1:]), ("categorical", categorical, COLUMNS[:1])])
    rows = np.column_stack([table[LABEL], transform.fit_transform(table[COLUMNS])])
    np.random.default_rng(0).shuffle(rows)
    parts = np.split(rows, [int(0.7 * len(rows)), int(0.85 * len(rows))])
    for name, part in zip(("train", "validation", "test"), parts, strict=True):
        pd.DataFrame(part).to_csv(BASE / name / f"{name}.csv", header=False, index=False)


if __name__ == "__main__":
    main()
