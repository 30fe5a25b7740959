"""Which running jobs are not worth going on with, judged by what the objective was after each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

Series = Sequence[float]
"""The values of the objective that a job has reported, one per epoch."""
REDUCTION = 3
"""Hyperband: of the jobs that reach a rung, one in so many goes on."""
MEDIAN_MINIMUM = 3
"""Earlier jobs that a median is taken of. AWS does not say how few are too few."""


def worse_than_median(current: Series, previous: Sequence[Series], *, maximize: bool) -> bool:
    """AWS's rule (Developer Guide, "Stop Training Jobs Early"): the epoch's value against the median of the running
    averages of the previous jobs up to the same epoch.
    """
    if not current:
        return False
    epoch = len(current)
    averages = [list(accumulate(series))[epoch - 1] / epoch for series in previous if len(series) >= epoch]
    if len(averages) < MEDIAN_MINIMUM:
        return False
    middle = median(averages)
    return current[-1] < middle if maximize else current[-1] > middle


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job is in Hyperband: its number, the epochs that were judged before, and the bounds of every job's."""

    number: int
    before: int
    lowest: int
    highest: int


def out_of_hyperband(current: Series, others: Sequence[Series], place: Place, *, maximize: bool) -> bool:
    """Asynchronous successive halving: a job that reaches a rung goes on if it is among the best third there.

    It is judged at each rung once. The rungs of a job begin at ``lowest`` times a power of three, by turns, so that
    some are given longer before they are judged: the brackets of Hyperband. At ``highest`` every job has had its share.
    """
    epoch = len(current)
    if epoch >= place.highest:
        return True
    passed = [rung for rung in rungs(place.number, place.lowest, place.highest) if place.before < rung <= epoch]
    if not passed:
        return False
    rung = passed[-1]
    best = max if maximize else min
    at_rung = [best(series[:rung]) for series in others if len(series) >= rung]
    if len(at_rung) + 1 < REDUCTION:
        return False
    mine = best(current[:rung])
    better = sum(value > mine if maximize else value < mine for value in at_rung)
    return better >= (len(at_rung) + 1) // REDUCTION


def rungs(number: int, lowest: int, highest: int) -> list[int]:
    """The epochs at which job ``number`` is judged."""
    every = []
    rung = lowest
    while rung < highest:
        every.append(rung)
        rung *= REDUCTION
    return every[number % len(every) :] if every else []
