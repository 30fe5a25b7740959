"""Charts as SVG geometry: lines through time, ROC curves, axes. Pure; templates write the markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    name: str
    path: str
    last: Point


@dataclass(frozen=True, slots=True)
class Chart:
    width: float
    height: float
    curves: tuple[Curve, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


MOST_POINTS = 400
LEFT, TOP, RIGHT, BOTTOM = 44.0, 8.0, 10.0, 20.0


def chart(
    curves: Sequence[tuple[str, Sequence[Point]]],
    width: float = 420.0,
    height: float = 150.0,
    x_range: Point | None = None,
    y_range: Point | None = None,
) -> Chart:
    """Curves in one frame with round ticks; long curves are thinned, and what has no place, as NaN, is left out."""
    curves = [(name, [point for point in curve if all(map(isfinite, point))]) for name, curve in curves]
    points = [point for _, curve in curves for point in curve]
    x_low, x_high = x_range or _range([x for x, _ in points])
    y_low, y_high = y_range or _range([y for _, y in points])
    x_scale = (width - LEFT - RIGHT) / (x_high - x_low)
    y_scale = (height - TOP - BOTTOM) / (y_high - y_low)

    def place(point: Point) -> Point:
        return LEFT + (point[0] - x_low) * x_scale, height - BOTTOM - (point[1] - y_low) * y_scale

    drawn = []
    for name, curve in curves:
        placed = [place(point) for point in thin(curve)]
        if placed:
            drawn.append(Curve(name, "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in placed), placed[-1]))
    x_ticks = tuple(Tick(place((value, y_low))[0], number(value)) for value in ticks(x_low, x_high))
    y_ticks = tuple(Tick(place((x_low, value))[1], number(value)) for value in ticks(y_low, y_high, 4))
    return Chart(width, height, tuple(drawn), x_ticks, y_ticks)


def thin(curve: Sequence[Point]) -> list[Point]:
    step = max(1, len(curve) // MOST_POINTS)
    kept = list(curve[::step])
    if curve and kept[-1] != curve[-1]:
        kept.append(curve[-1])
    return kept


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers within a range."""
    raw = (high - low) / most
    size = 10.0 ** floor(log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    first = -(-low // step)
    return [round((first + i) * step, 12) for i in range(int((high - first * step) / step + 1e-9) + 1)]


def number(value: float) -> str:
    """A figure with at most six digits."""
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _range(values: Sequence[float]) -> Point:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low > 1e-12 * max(abs(low), abs(high), 1e-12):
        return low, high
    room = abs(low) * 0.1 if abs(low) > 1e-12 else 1.0  # the room of a number next to nothing has no reciprocal
    return low - room, high + room
