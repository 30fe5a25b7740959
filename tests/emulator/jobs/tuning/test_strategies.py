import itertools
import random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.jobs.tuning.ranges import Choice, Number
from emulator.jobs.tuning.strategies import STARTUP, STRATEGIES, Tried, fits

X, Y = Number("x", -5, 10, "Linear", False), Number("y", 0, 15, "Linear", False)
COLOUR = Choice("colour", ("red", "green", "blue"))


def run(strategy, parameters, objective, seed, jobs, *, maximize=False):
    tried = []
    for number in range(jobs):
        values = STRATEGIES[strategy].choose(parameters, number, seed, tried, maximize=maximize)
        tried.append(Tried(values, objective(values)))
    return tried


def bowl(values):
    return (float(values["x"]) - 2) ** 2 + (float(values["y"]) - 4) ** 2


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_equal_seeds_choose_equally_and_others_differently(strategy):
    runs = [[t.values for t in run(strategy, [X, COLOUR], lambda v: float(v["x"]), s, STARTUP + 2)] for s in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_bayesian_search_beats_random_search_at_an_equal_budget():
    reached = {
        strategy: mean(min(t.objective for t in run(strategy, [X, Y], bowl, seed, 20)) for seed in range(4))
        for strategy in ("Random", "Bayesian")
    }
    assert reached["Bayesian"] < reached["Random"] / 2


def test_bayesian_search_learns_choices_and_which_way_is_up():
    tried = run("Bayesian", [COLOUR], lambda values: float(values["colour"] == "green"), 3, 24, maximize=True)
    later = [trial.values["colour"] for trial in tried[STARTUP:]]
    assert later.count("green") > len(later) / 2


def test_running_jobs_are_not_tried_again_beside_themselves():
    known = [Tried({"x": str(x), "y": "4"}, (x - 2.0) ** 2) for x in range(-5, 11, 2)]
    first = STRATEGIES["Bayesian"].choose([X, Y], 8, 1, known, maximize=False)
    second = STRATEGIES["Bayesian"].choose([X, Y], 9, 1, [*known, Tried(first, None)], maximize=False)
    assert second != first


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_grid_is_every_combination_once(sizes):
    parameters = [Choice(f"p{n}", tuple(str(v) for v in range(size))) for n, size in enumerate(sizes)]
    grid = STRATEGIES["Grid"]
    count = grid.count(parameters)
    chosen = [tuple(grid.choose(parameters, n, 0, [], maximize=True).values()) for n in range(count)]
    assert chosen == list(itertools.product(*(parameter.values for parameter in parameters)))
    assert grid.choose(parameters, count, 0, [], maximize=True) is None


def test_what_fits_into_ranges():
    assert fits({"x": "3", "colour": "red", "more": "1"}, [X, COLOUR])
    assert not fits({"x": "30", "colour": "red"}, [X, COLOUR])
    assert not fits({"x": "3", "colour": "pink"}, [X, COLOUR])
    assert not fits({"x": "3"}, [X, COLOUR])


def test_random_values_cover_the_range():
    generator = random.Random(0)
    values = [
        float(STRATEGIES["Random"].choose([X], n, generator.randrange(99), [], maximize=True)["x"]) for n in range(60)
    ]
    assert min(values) < -3
    assert max(values) > 8
