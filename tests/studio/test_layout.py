"""The layout's promises, held on any graph."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.layout import Box, CycleError, Layout, layout, pool_adjacent_violators

Graph = tuple[tuple[Box, ...], tuple[tuple[str, str], ...]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 24))
    sizes = st.floats(20, 300, allow_nan=False)
    boxes = tuple(Box(f"n{i}", draw(sizes), draw(sizes)) for i in range(count))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] < pair[1])
    edges = draw(st.lists(pairs, max_size=3 * count)) if count > 1 else []
    return boxes, tuple((f"n{a}", f"n{b}") for a, b in edges)


@settings(max_examples=60)
@given(graphs())
def test_nodes_do_not_overlap_and_lie_within_the_picture(graph: Graph) -> None:
    placed = layout(*graph)
    nodes = list(placed.nodes.values())
    for i, one in enumerate(nodes):
        assert one.x >= 0
        assert one.y >= 0
        assert one.x + one.width <= placed.width + 0.01
        assert one.y + one.height <= placed.height + 0.01
        for other in nodes[i + 1 :]:
            apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
            apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert apart_x or apart_y, (one, other)


@settings(max_examples=60)
@given(graphs())
def test_edges_run_downwards_from_node_to_node(graph: Graph) -> None:
    placed = layout(*graph)
    assert {(line.source, line.target) for line in placed.lines} == set(graph[1])
    for line in placed.lines:
        source, target = placed.nodes[line.source], placed.nodes[line.target]
        assert line.points[0] == (source.x + source.width / 2, source.y + source.height)
        assert line.points[-1] == (target.x + target.width / 2, target.y)
        heights = [y for _, y in line.points]
        assert all(upper <= lower + 1e-6 for upper, lower in pairwise(heights))
        assert source.y + source.height < target.y


@settings(max_examples=60)
@given(graphs())
def test_edges_never_run_through_nodes(graph: Graph) -> None:
    placed = layout(*graph)
    for line in placed.lines:
        for start, end in pairwise(line.points):
            for node in placed.nodes.values():
                assert not _enters(start, end, placed, node.name), (line, node)


def _enters(start: tuple[float, float], end: tuple[float, float], placed: Layout, name: str) -> bool:
    """Whether a stretch has an inner point of the node: it is either vertical or lies between rows."""
    node = placed.nodes[name]
    slack = 0.01
    if end[1] <= node.y + slack or start[1] >= node.y + node.height - slack:
        return False
    assert start[0] == pytest.approx(end[0]), "only vertical stretches may pass a row"
    return node.x + slack < start[0] < node.x + node.width - slack


@given(graphs())
@settings(max_examples=50)
def test_the_same_graph_gives_the_same_picture(graph: Graph) -> None:
    again = layout.__wrapped__(*graph)
    assert layout(*graph) == again


def test_siblings_keep_the_order_in_which_they_are_defined() -> None:
    names = ["first", "second", "third", "fourth"]
    boxes = tuple(Box(name, 100, 40) for name in ["root", *names])
    placed = layout(boxes, tuple(("root", name) for name in names))
    assert sorted(names, key=lambda name: placed.nodes[name].x) == names


def test_a_parent_stands_over_the_middle_of_its_children() -> None:
    boxes = tuple(Box(name, 100, 40) for name in "abc")
    placed = layout(boxes, (("a", "b"), ("a", "c")))
    middle = (placed.nodes["b"].x + placed.nodes["c"].x) / 2
    assert placed.nodes["a"].x == pytest.approx(middle)


def test_a_chain_is_one_straight_line() -> None:
    boxes = tuple(Box(f"n{i}", 100 + i % 7, 40) for i in range(50))
    placed = layout(boxes, tuple((f"n{i}", f"n{i + 1}") for i in range(49)))
    assert len({round(x, 6) for line in placed.lines for x, _ in line.points}) == 1


def test_crossed_pairs_are_uncrossed() -> None:
    boxes = tuple(Box(name, 100, 40) for name in "abxy")
    placed = layout(boxes, (("a", "y"), ("b", "x")))
    assert placed.nodes["y"].x < placed.nodes["x"].x


def test_a_circle_is_refused() -> None:
    boxes = (Box("a", 1, 1), Box("b", 1, 1))
    with pytest.raises(CycleError):
        layout(boxes, (("a", "b"), ("b", "a")))


def test_nothing_gives_an_empty_picture() -> None:
    assert layout((), ()).nodes == {}


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_pooling_keeps_order_and_mean(wishes: list[float]) -> None:
    pooled = pool_adjacent_violators(wishes, [1.0] * len(wishes))
    assert all(a <= b + 1e-6 for a, b in pairwise(pooled))
    assert sum(pooled) == pytest.approx(sum(wishes), abs=1e-6)
    if wishes == sorted(wishes):
        assert pooled == wishes
