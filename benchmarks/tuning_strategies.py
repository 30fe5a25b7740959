"""Whether Bayesian search finds more than random search with as many training jobs, on functions with known optima.

    python -m benchmarks.tuning_strategies [--seeds 20]

Branin (2 parameters, 20 jobs) and Hartmann (6 parameters, 30 jobs) are what papers on the subject use; the third has
choices and a logarithmic scale. The figure is the mean of the best value over the seeds, less the optimum: smaller is
better, and the ratio of the two must stay below 1. No training job runs: a strategy needs only values and objectives.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from emulator.jobs.tuning.ranges import Choice, Number, Parameter
from emulator.jobs.tuning.strategies import STRATEGIES, Tried

TARGET = 1.0
_WEIGHTS = (1.0, 1.2, 3.0, 3.2)
_SCALES = ((10, 3, 17, 3.5, 1.7, 8), (0.05, 10, 17, 0.1, 8, 14), (3, 3.5, 1.7, 10, 17, 8), (17, 8, 0.05, 10, 0.1, 14))
_CENTRES = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


@dataclass(frozen=True, slots=True)
class Problem:
    name: str
    parameters: Sequence[Parameter]
    objective: Callable[[dict[str, str]], float]
    optimum: float
    jobs: int


def branin(values: dict[str, str]) -> float:
    x, y = float(values["x"]), float(values["y"])
    bend = y - 5.1 * x * x / (4 * math.pi**2) + 5 * x / math.pi - 6
    return bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann(values: dict[str, str]) -> float:
    point = [float(values[f"x{number}"]) for number in range(6)]
    return -sum(
        weight * math.exp(-sum(a * (x - p) ** 2 for a, x, p in zip(scales, point, centres, strict=True)))
        for weight, scales, centres in zip(_WEIGHTS, _SCALES, _CENTRES, strict=True)
    )


def mixed(values: dict[str, str]) -> float:
    """Best at a rate of 0.01, a depth of 6 and the second optimiser."""
    rate, depth = math.log10(float(values["rate"])) + 2, int(values["depth"]) - 6
    return rate**2 + 0.05 * depth**2 + {"sgd": 1.0, "adam": 0.0, "rms": 0.5}[values["optimiser"]]


PROBLEMS = (
    Problem(
        "branin", [Number("x", -5, 10, "Linear", False), Number("y", 0, 15, "Linear", False)], branin, 0.397887, 20
    ),
    Problem("hartmann", [Number(f"x{n}", 0, 1, "Linear", False) for n in range(6)], hartmann, -3.32237, 30),
    Problem(
        "mixed",
        [
            Number("rate", 1e-5, 1, "Logarithmic", False),
            Number("depth", 2, 12, "Linear", True),
            Choice("optimiser", ("sgd", "adam", "rms")),
        ],
        mixed,
        0.0,
        20,
    ),
)


def reached(strategy: str, problem: Problem, seed: int) -> float:
    """How far the best of the jobs is from the optimum."""
    tried: list[Tried] = []
    for number in range(problem.jobs):
        values = STRATEGIES[strategy].choose(problem.parameters, number, seed, tried, maximize=False)
        assert values is not None, "these strategies have no end"
        tried.append(Tried(values, problem.objective(values)))
    return min(trial.objective for trial in tried if trial.objective is not None) - problem.optimum


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    seeds = range(parser.parse_args().seeds)
    missed = 0
    for problem in PROBLEMS:
        gaps = {
            strategy: mean(reached(strategy, problem, seed) for seed in seeds) for strategy in ("Bayesian", "Random")
        }
        ratio = gaps["Bayesian"] / gaps["Random"]
        missed += ratio >= TARGET
        print(
            f"{problem.name:10} {problem.jobs} jobs, {len(seeds)} seeds: Bayesian {gaps['Bayesian']:.4f}, Random"
            f" {gaps['Random']:.4f} from the optimum; ratio {ratio:.2f} (below {TARGET:g}: {ratio < TARGET})"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
