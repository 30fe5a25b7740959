"""Place a graph in layers: every edge runs downwards, none runs through a node, and the order of the input is kept.

Sugiyama's way in four passes: layers by longest path, invisible points on edges that pass layers, an order within
each layer with few crossings, and x by pooling adjacent violators, which is the least-squares place that keeps the
order and the distances. Between two rows lies an empty band, and edges bend only there: that is why none can cross a
node.

Pure and deterministic: the same graph gives the same picture, whatever its nodes' states are.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

ROW_GAP = 56.0
"""Height of the empty band between rows."""
NODE_GAP = 28.0
"""Between two nodes of a row."""
LANE = 18.0
"""Width that an edge passing through a row has for itself."""
ORDER_SWEEPS = 6
PLACE_SWEEPS = 10
MARGIN = 16.0


class CycleError(ValueError):
    """The edges lead in a circle, so there are no layers."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node to place: its name and its size."""

    name: str
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A node in its place: its upper left corner and its row."""

    name: str
    x: float
    y: float
    width: float
    height: float
    layer: int


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as points from top to bottom; its stretches are vertical within rows and free between them."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    nodes: dict[str, Placed]
    lines: tuple[Line, ...]
    width: float
    height: float


@dataclass(slots=True)
class _Cell:
    """A node, or the lane of an edge, in a row."""

    width: float
    height: float
    above: list[int]
    below: list[int]
    layer: int
    is_lane: bool
    x: float = 0.0
    place: int = 0


@lru_cache(maxsize=256)
def layout(boxes: tuple[Box, ...], edges: tuple[tuple[str, str], ...]) -> Layout:
    """Place ``boxes``; ``edges`` are pairs of names, parallel ones count once.

    Raises:
        CycleError: the edges lead in a circle.
        KeyError: an edge names a box that is not there.
    """
    if not boxes:
        return Layout({}, (), 2 * MARGIN, 2 * MARGIN)
    index = {box.name: number for number, box in enumerate(boxes)}
    pairs = list(dict.fromkeys((index[source], index[target]) for source, target in edges))
    layers = _layers(len(boxes), pairs)
    cells = [_Cell(box.width, box.height, [], [], layers[i], False) for i, box in enumerate(boxes)]
    routes = _route(cells, pairs)
    rows = _rows(cells)
    _reduce_crossings(cells, rows)
    _place(cells, rows)
    tops = _tops(cells, rows)
    return _result(boxes, cells, pairs, routes, tops)


def _layers(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """The layer of each node: one below the lowest of those it depends on."""
    below: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in pairs:
        below[source].append(target)
        waiting[target] += 1
    layers = [0] * count
    ready = [node for node in range(count) if not waiting[node]]
    for node in ready:  # grows while it is read
        for target in below[node]:
            layers[target] = max(layers[target], layers[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if len(ready) < count:
        raise CycleError("The graph has a cycle.")
    return layers


def _route(cells: list[_Cell], pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Join the cells of every edge; edges of one source share their lanes, as a cable does its duct."""
    lanes: dict[tuple[int, int], int] = {}
    joined: set[tuple[int, int]] = set()
    routes = []
    for source, target in pairs:
        route = [source]
        for layer in range(cells[source].layer + 1, cells[target].layer):
            lane = lanes.get((source, layer))
            if lane is None:
                lane = lanes[source, layer] = len(cells)
                cells.append(_Cell(LANE, 0.0, [], [], layer, True))
            route.append(lane)
        route.append(target)
        routes.append(route)
        for upper, lower in pairwise(route):
            if (upper, lower) not in joined:
                joined.add((upper, lower))
                cells[upper].below.append(lower)
                cells[lower].above.append(upper)
    return routes


def _rows(cells: list[_Cell]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(1 + max(cell.layer for cell in cells))]
    for number, cell in enumerate(cells):
        cell.place = len(rows[cell.layer])
        rows[cell.layer].append(number)
    return rows


def _reduce_crossings(cells: list[_Cell], rows: list[list[int]]) -> None:
    """Sort rows by the middle of their neighbours, down and up in turn, and keep the best that was seen."""
    best, fewest = [list(row) for row in rows], _crossings(cells, rows)
    for sweep in range(ORDER_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        for row in rows[1:] if downwards else reversed(rows[:-1]):
            _sort_row(cells, row, downwards)
        crossings = _crossings(cells, rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    for row, order in zip(rows, best, strict=True):
        row[:] = order
        _number(cells, row)


def _sort_row(cells: list[_Cell], row: list[int], downwards: bool) -> None:
    """Sort a row by the mean place of its neighbours; a cell without neighbours stays where it is."""
    keys: dict[int, float] = {}
    for number in row:
        cell = cells[number]
        neighbours = cell.above if downwards else cell.below
        keys[number] = _mean([cells[n].place for n in neighbours]) if neighbours else float(cell.place)
    row.sort(key=keys.__getitem__)
    _number(cells, row)


def _number(cells: list[_Cell], row: list[int]) -> None:
    for place, number in enumerate(row):
        cells[number].place = place


def _crossings(cells: list[_Cell], rows: list[list[int]]) -> int:
    """How often edges cross, counted as inversions between each two rows."""
    total = 0
    for row in rows[:-1]:
        seen: list[int] = []
        for number in row:
            ends = sorted(cells[lower].place for lower in cells[number].below)
            total += sum(len(seen) - bisect_left(seen, end + 1) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _place(cells: list[_Cell], rows: list[list[int]]) -> None:
    """Give every cell the x of its centre: near its neighbours', in order, at a distance."""
    offsets = [_offsets(cells, row) for row in rows]
    for row, offset in zip(rows, offsets, strict=True):
        for number, x in zip(row, offset, strict=True):
            cells[number].x = x - offset[-1] / 2
    for sweep in range(PLACE_SWEEPS):
        downwards = sweep % 2 == 0
        numbers = range(len(rows)) if downwards else range(len(rows) - 1, -1, -1)
        for i in numbers:
            _place_row(cells, rows[i], offsets[i], downwards, both=sweep >= PLACE_SWEEPS - 4)


def _offsets(cells: list[_Cell], row: list[int]) -> list[float]:
    """The least distance of each cell's centre from the first one's."""
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + cells[left].width / 2 + NODE_GAP + cells[right].width / 2)
    return offsets


def _place_row(cells: list[_Cell], row: list[int], offsets: list[float], downwards: bool, both: bool) -> None:
    wishes, weights = [], []
    for number, offset in zip(row, offsets, strict=True):
        cell = cells[number]
        neighbours = [*cell.above, *cell.below] if both else (cell.above if downwards else cell.below)
        wish = _mean([cells[n].x for n in neighbours]) if neighbours else cell.x
        wishes.append(wish - offset)
        weights.append((4.0 if cell.is_lane else 1.0) if neighbours else 0.2)
    for number, offset, x in zip(row, offsets, pool_adjacent_violators(wishes, weights), strict=True):
        cells[number].x = x + offset


def pool_adjacent_violators(wishes: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The non-decreasing sequence nearest to ``wishes`` by weighted least squares, in linear time."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for wish, weight in zip(wishes, weights, strict=True):
        mean, total, length = wish, weight, 1
        while blocks and blocks[-1][0] > mean:
            earlier, heavier, longer = blocks.pop()
            mean = (mean * total + earlier * heavier) / (total + heavier)
            total, length = total + heavier, length + longer
        blocks.append((mean, total, length))
    return [mean for mean, _, length in blocks for _ in range(length)]


def _tops(cells: list[_Cell], rows: list[list[int]]) -> list[tuple[float, float]]:
    """The upper and lower edge of every row."""
    tops, y = [], MARGIN
    for row in rows:
        height = max(cells[number].height for number in row)
        tops.append((y, y + height))
        y += height + ROW_GAP
    return tops


def _result(
    boxes: Sequence[Box],
    cells: list[_Cell],
    pairs: Sequence[tuple[int, int]],
    routes: list[list[int]],
    tops: list[tuple[float, float]],
) -> Layout:
    left = min(cell.x - cell.width / 2 for cell in cells) - MARGIN
    right = max(cell.x + cell.width / 2 for cell in cells) + MARGIN
    nodes = {}
    for box, cell in zip(boxes, cells, strict=False):
        top, bottom = tops[cell.layer]
        y = top + (bottom - top - box.height) / 2
        nodes[box.name] = Placed(box.name, cell.x - box.width / 2 - left, y, box.width, box.height, cell.layer)
    lines = tuple(
        Line(boxes[source].name, boxes[target].name, _points(cells, nodes, boxes, route, tops, left))
        for (source, target), route in zip(pairs, routes, strict=True)
    )
    return Layout(nodes, lines, right - left, tops[-1][1] + MARGIN)


def _points(
    cells: list[_Cell],
    nodes: dict[str, Placed],
    boxes: Sequence[Box],
    route: list[int],
    tops: list[tuple[float, float]],
    left: float,
) -> tuple[tuple[float, float], ...]:
    source, target = nodes[boxes[route[0]].name], nodes[boxes[route[-1]].name]
    begin, end = source.x + source.width / 2, target.x + target.width / 2
    points = [(begin, source.y + source.height), (begin, tops[source.layer][1])]
    for number in route[1:-1]:
        x, (top, bottom) = cells[number].x - left, tops[cells[number].layer]
        points += [(x, top), (x, bottom)]
    points += [(end, tops[target.layer][0]), (end, target.y)]
    return tuple(_without_repeats(points))


def _without_repeats(points: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for point in points:
        if not kept or kept[-1] != point:
            kept.append(point)
    return kept


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
