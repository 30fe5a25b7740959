"""A training script of script mode: arguments for hyperparameters, variables for folders."""

import argparse
import os

import pandas as pd

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--factor", type=int)
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    arguments = parser.parse_args()
    table = pd.read_csv(os.path.join(arguments.train, "numbers.csv"), header=None)
    if not arguments.factor:
        raise ValueError("a factor of nothing")
    print(f"score={float(table.to_numpy().sum() * arguments.factor)};")
    table.to_csv(os.path.join(arguments.model_dir, "model.csv"))
