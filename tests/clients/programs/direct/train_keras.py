"""A Keras model of one dense layer, saved as TensorFlow Serving wants it."""

import argparse
import os

import keras
import numpy as np


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--model_dir")  # the SDK's own, of parameter servers
    arguments = parser.parse_args()
    features = np.random.default_rng(0).random((64, 3)).astype(np.float32)
    labels = features @ np.array([3.0, 1.0, 0.0], np.float32)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.3), loss="mse")
    history = model.fit(features, labels, epochs=arguments.epochs, verbose=0)
    print(f"loss={history.history['loss'][-1]:.6f};")
    model.export(os.path.join(os.environ["SM_MODEL_DIR"], "1"))


if __name__ == "__main__":
    main()
