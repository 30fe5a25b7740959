"""A small table like the Abalone data set of AWS's examples, made up with a fixed seed."""

import numpy as np


def rows(count=600):
    chance = np.random.default_rng(7)
    age = chance.uniform(1, 20, count)
    size = 0.15 + 0.03 * age + chance.normal(0, 0.03, count)
    lines = []
    for rings, length in zip(age.round().astype(int), size, strict=True):
        sex = "I" if rings < 6 else "MF"[int(chance.integers(2))]
        weight = length**3 * 4
        parts = [length, length * 0.8, length * 0.28, weight, weight * 0.43, weight * 0.22, weight * 0.28]
        lines.append(",".join([sex, *(f"{part:.4f}" for part in parts), str(rings)]))
    return "\n".join(lines) + "\n"
