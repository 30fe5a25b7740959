"""A node of the graph: its box, and what is drawn within it.

A fan, and a ForEach step, is a box of squares, one for each of its steps, or unfolded a grid of nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

from studio.layout import Box
from studio.steps import StepState

WIDTH, HEIGHT = 208.0, 54.0
CELL, CELLS_A_ROW, MOST_ROWS = 16.0, 11, 10
SIZES = (CELL, 12.0, 8.0, 6.0)
"""Of a square with the space around it."""
UNKNOWN_ROWS, UNKNOWN_COLUMNS = 3, 4
"""The room for a ForEach step whose items are known only when it runs."""
UNKNOWN_NODES = 4 * UNKNOWN_COLUMNS
"""Nodes of such a step when it is unfolded. Further steps are squares below, which have room from the start too."""
SPARE_ROWS, SPARE_CELL = 6, 8.0
GRID_GAP = 12.0


@dataclass(frozen=True, slots=True)
class Node:
    """A step, or a fan of steps. ``members`` are the squares of a fan or of a ForEach step.

    ``expected`` is how many members there will be, None if that is known only once the ForEach step runs. The box
    depends on it and never on the members, so that nothing moves while they come: squares get smaller instead.
    """

    name: str
    title: str
    type: str
    state: StepState
    members: tuple[StepState, ...] = ()
    is_fan: bool = False
    is_open: bool = False
    expected: int | None = None

    @property
    def columns(self) -> int:
        """Nodes beside each other when it is unfolded."""
        return UNKNOWN_COLUMNS if self.expected is None else max(1, min(8, ceil(sqrt(self.expected))))

    @property
    def rows(self) -> int:
        """Rows of squares of the usual size for which there is room."""
        return UNKNOWN_ROWS if self.expected is None else max(1, min(MOST_ROWS, ceil(self.expected / CELLS_A_ROW)))

    @property
    def box(self) -> Box:
        if not (self.is_fan or self.type == "ForEach"):
            return Box(self.name, WIDTH, HEIGHT)
        if self.is_open:
            spare = SPARE_ROWS * SPARE_CELL + GRID_GAP if self.expected is None else 0.0
            return Box(self.name, self._grid_width, HEIGHT + self._grid_height + spare)
        return Box(self.name, WIDTH, HEIGHT + self.rows * CELL + 6)

    @property
    def _grid_width(self) -> float:
        return self.columns * (WIDTH + GRID_GAP) + GRID_GAP

    @property
    def _grid_height(self) -> float:
        """Of the nodes of an unfolded step."""
        count = UNKNOWN_NODES if self.expected is None else max(len(self.members), self.expected)
        return ceil(count / self.columns) * (HEIGHT + GRID_GAP)

    @property
    def unfolded(self) -> tuple[StepState, ...]:
        """The members that are drawn as nodes."""
        if not self.is_open:
            return ()
        return self.members[:UNKNOWN_NODES] if self.expected is None else self.members

    @property
    def cells(self) -> list[Cell]:
        """The members that are drawn as squares; the last are left out where there is no room for them."""
        return self._spare_cells() if self.is_open else self._folded_cells()

    def _spare_cells(self) -> list[Cell]:
        """Those for which there is no node, of one size however many they are, so that none moves."""
        a_row, top = int((self._grid_width - 2 * GRID_GAP) // SPARE_CELL), HEIGHT + self._grid_height
        return [
            Cell(member, GRID_GAP + n % a_row * SPARE_CELL, top + n // a_row * SPARE_CELL, SPARE_CELL * 0.75)
            for n, member in enumerate(self.members[len(self.unfolded) :][: a_row * SPARE_ROWS])
        ]

    def _folded_cells(self) -> list[Cell]:
        """As large as there is room for all."""
        width, height = CELLS_A_ROW * CELL, self.rows * CELL
        size = next((s for s in SIZES if (width // s) * (height // s) >= len(self.members)), SIZES[-1])
        a_row, most = int(width // size), int((width // size) * (height // size))
        return [
            Cell(member, 16 + n % a_row * size, HEIGHT + n // a_row * size, size * 0.75)
            for n, member in enumerate(self.members[:most])
        ]


@dataclass(frozen=True, slots=True)
class Cell:
    """A square within its node, and the step that it stands for."""

    state: StepState
    x: float
    y: float
    size: float
