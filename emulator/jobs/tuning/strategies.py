"""How the next values are chosen. A strategy keeps nothing: what it chooses follows from the seed, the number of the
job and what the earlier jobs reached, so that a restart chooses the same.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.jobs.tuning.ranges import Choice, Number, Parameter

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

STARTUP = 6
"""Jobs with random values before a model of the objective is worth anything."""
CANDIDATES = 48


@dataclass(frozen=True, slots=True)
class Tried:
    """Values of an earlier job and what it reached; ``objective`` is None while it runs."""

    values: dict[str, str]
    objective: float | None


class Strategy(ABC):
    @abstractmethod
    def choose(
        self, parameters: Sequence[Parameter], number: int, seed: int, tried: Sequence[Tried], *, maximize: bool
    ) -> dict[str, str] | None:
        """The values of job ``number`` (from 0), None if everything has been tried."""

    def count(self, parameters: Sequence[Parameter]) -> int | None:
        """How many jobs there are altogether, None if there is no end."""
        return None


class Random(Strategy):
    """Every job by itself, uniform on the scales of the ranges."""

    def choose(
        self, parameters: Sequence[Parameter], number: int, seed: int, tried: Sequence[Tried], *, maximize: bool
    ) -> dict[str, str] | None:
        generator = random.Random(f"{seed}/{number}")
        return {
            parameter.name: parameter.at(generator.random())
            if isinstance(parameter, Number)
            else generator.choice(parameter.values)
            for parameter in parameters
        }


class Grid(Strategy):
    """Every combination of the choices once, the last parameter fastest."""

    def choose(
        self, parameters: Sequence[Parameter], number: int, seed: int, tried: Sequence[Tried], *, maximize: bool
    ) -> dict[str, str] | None:
        chosen: dict[str, str] = {}
        for parameter in reversed(parameters):
            assert isinstance(parameter, Choice)
            number, place = divmod(number, len(parameter.values))
            chosen[parameter.name] = parameter.values[place]
        return None if number else dict(reversed(chosen.items()))

    def count(self, parameters: Sequence[Parameter]) -> int | None:
        return math.prod(len(parameter.values) for parameter in parameters if isinstance(parameter, Choice))


class Bayesian(Strategy):
    """By a model of the objective (optuna's multivariate tree-structured Parzen estimator) once some jobs are known.

    Running jobs count as bad ones where they are, so that jobs side by side do not try the same.
    """

    def choose(
        self, parameters: Sequence[Parameter], number: int, seed: int, tried: Sequence[Tried], *, maximize: bool
    ) -> dict[str, str] | None:
        known = [trial for trial in tried if trial.objective is not None]
        if len(known) < STARTUP or not parameters:
            return Random().choose(parameters, number, seed, tried, maximize=maximize)
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(
            seed=(seed + number) % 2**32,
            n_startup_trials=0,
            n_ei_candidates=CANDIDATES,
            multivariate=True,
            constant_liar=True,
        )
        study = optuna.create_study(direction="maximize" if maximize else "minimize", sampler=sampler)
        space = _space(parameters)
        study.add_trials([_trial(trial, parameters, space) for trial in tried])
        places = study.ask(space).params
        return {p.name: p.at(places[p.name]) if isinstance(p, Number) else str(places[p.name]) for p in parameters}


STRATEGIES: dict[str, Strategy] = {"Bayesian": Bayesian(), "Random": Random(), "Grid": Grid(), "Hyperband": Random()}
"""Hyperband chooses at random, too, and differs by which jobs it lets go on (see ``stopping``)."""


def _space(parameters: Sequence[Parameter]) -> dict[str, BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        parameter.name: FloatDistribution(0.0, 1.0)
        if isinstance(parameter, Number)
        else CategoricalDistribution(parameter.values)
        for parameter in parameters
    }


def _trial(trial: Tried, parameters: Sequence[Parameter], space: dict[str, BaseDistribution]) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    places = {
        p.name: p.place(trial.values[p.name]) if isinstance(p, Number) else trial.values[p.name] for p in parameters
    }
    state = TrialState.RUNNING if trial.objective is None else TrialState.COMPLETE
    return create_trial(state=state, params=places, distributions=space, value=trial.objective)


def fits(values: dict[str, str], parameters: Sequence[Parameter]) -> bool:
    """Whether values of another tuning job lie within these ranges."""
    return all(
        parameter.name in values
        and (
            parameter.place(values[parameter.name]) is not None
            if isinstance(parameter, Number)
            else values[parameter.name] in parameter.values
        )
        for parameter in parameters
    )
