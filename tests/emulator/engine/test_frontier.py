from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulator.engine.definition import read_definition
from emulator.engine.frontier import Frontier
from emulator.engine.graph import Graph
from emulator.engine.transitions import SUCCEEDED
from tests.emulator.engine.fakes import condition, equals, processing, text_of


def frontier_of(text: str) -> Frontier:
    definition = read_definition(text)
    return Frontier(definition, Graph.of(definition))


def drain(frontier: Frontier, outcomes: dict[str, bool] | None = None) -> list[str]:
    order = []
    while len(frontier):
        order.append(frontier.pop())
        frontier.end(order[-1], SUCCEEDED, (outcomes or {}).get(order[-1]))
    return order


def test_ready_steps_come_in_the_order_of_the_definition() -> None:
    steps = [processing("D", "A"), processing("B"), processing("A"), processing("C", "D", "B")]
    assert drain(frontier_of(text_of(steps))) == ["B", "A", "D", "C"]


def test_the_other_branch_is_skipped_with_all_that_needs_it() -> None:
    then = [condition("Inner", [equals(1, 1)], [processing("Deep")]), processing("Then")]
    steps = [
        condition("Outer", [equals(1, 1)], then, [processing("Else")]),
        processing("AfterThen", "Then"),
        processing("AfterDeep", "Deep", "Else"),
        processing("Last", "AfterDeep"),
        processing("AfterOuter", "Outer"),
    ]
    text = text_of(steps)
    no = frontier_of(text)
    assert drain(no, {"Outer": False}) == ["Outer", "Else", "AfterOuter"]
    assert no.skipped == {"Inner", "Deep", "Then", "AfterThen", "AfterDeep", "Last"}
    yes = frontier_of(text)
    assert drain(yes, {"Outer": True, "Inner": True}) == ["Outer", "Inner", "Deep", "Then", "AfterThen", "AfterOuter"]
    assert yes.skipped == {"Else", "AfterDeep", "Last"}


def test_a_step_that_has_begun_before_is_taken_out_of_turn() -> None:
    frontier = frontier_of(text_of([processing("A"), processing("B")]))
    frontier.take("B")
    assert drain(frontier) == ["A"]


@given(st.data())
def test_every_step_of_an_acyclic_graph_runs_once_after_its_needs(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    needs = [sorted(data.draw(st.sets(st.integers(0, i - 1)))) if i else [] for i in range(size)]
    order = data.draw(st.permutations(range(size)))
    steps = [processing(f"S{i}", *(f"S{need}" for need in needs[i])) for i in order]
    done = drain(frontier_of(text_of(steps)))
    assert sorted(done) == sorted(f"S{i}" for i in range(size))
    for i in range(size):
        for need in needs[i]:
            assert done.index(f"S{need}") < done.index(f"S{i}")
