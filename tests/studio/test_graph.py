"""Definitions to graphs: needs, branches, states of steps that did not run, folded fans."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.definition import Definition, read_definition
from studio.graph import FAN, Graph, build_graph
from studio.layout import layout
from studio.steps import StepState, read_state


def step(name: str, *needs: str, type: str = "Processing", **arguments: Any) -> dict[str, Any]:
    return {"Name": name, "Type": type, "Arguments": arguments, "DependsOn": list(needs)}


def define(*steps: dict[str, Any]) -> Definition:
    return read_definition(json.dumps({"Version": "2020-12-01", "Steps": steps}))


def edges(definition: Definition) -> set[tuple[str, str]]:
    return {(edge.source, edge.target) for edge in build_graph(definition).edges}


CHECK = step("Check", type="Condition", IfSteps=[step("Yes"), step("AfterYes", "Yes")], ElseSteps=[step("No")])


def test_needs_are_names_triggers_and_references() -> None:
    definition = define(
        step("A"),
        step("B", Uri={"Std:Join": {"On": "/", "Values": [{"Get": "Steps.A.Output['x'].S3Uri"}]}}),
        {"Name": "C", "Type": "Fail", "Arguments": None, "DependsOn": [{"Step": "B", "Trigger": "Failed"}]},
    )
    assert edges(definition) == {("A", "B"), ("B", "C")}


def test_what_another_way_leads_to_is_not_drawn_twice() -> None:
    assert edges(define(step("A"), step("B", "A"), step("C", "A", "B"))) == {("A", "B"), ("B", "C")}


def test_branches_hang_on_their_condition() -> None:
    graph = build_graph(define(CHECK))
    labels = {(edge.source, edge.target): edge.label for edge in graph.edges}
    assert labels == {("Check", "Yes"): "True", ("Yes", "AfterYes"): "", ("Check", "No"): "False"}


def test_the_branch_not_taken_is_skipped_with_all_that_hangs_on_it() -> None:
    states = {"Check": StepState("Check", "Succeeded", outcome="False"), "No": StepState("No", "Succeeded")}
    graph = build_graph(define(CHECK, step("Later", "AfterYes")), states, ended=True)
    assert {node.name: node.state.status for node in graph.nodes} == {
        "Check": "Succeeded",
        "Yes": "Skipped",
        "AfterYes": "Skipped",
        "No": "Succeeded",
        "Later": "Skipped",
    }
    assert [edge.is_idle for edge in graph.edges if edge.target == "Yes"] == [True]


@pytest.mark.parametrize(("ended", "status"), [(False, "Waiting"), (True, "Not run")])
def test_steps_without_a_state_wait_or_were_not_run(ended: bool, status: str) -> None:
    graph = build_graph(define(step("A"), step("B", "A")), {"A": StepState("A", "Failed")}, ended=ended)
    assert graph.node("B").state.status == status


def test_wide_fans_are_folded_and_unfolded() -> None:
    fan = [step(f"F{i}", "A") for i in range(200)]
    definition = define(step("A"), *fan, step("Z", *(f"F{i}" for i in range(200))))
    graph = build_graph(definition)
    assert [node.name for node in graph.nodes] == ["A", "fan:F0", "Z"]
    assert len(graph.node("fan:F0").members) == 200
    assert graph.layout.width < 400
    assert build_graph(definition, opened=["fan:F0"]).layout.width < 2000


def test_a_fan_shows_its_worst_state() -> None:
    definition = define(*(step(f"F{i}") for i in range(FAN)))
    states = {f"F{i}": StepState(f"F{i}", "Succeeded") for i in range(FAN - 1)}
    assert build_graph(definition, states).node("fan:F0").state.status == "Executing"
    states[f"F{FAN - 1}"] = StepState("F", "Failed")
    assert build_graph(definition, states).node("fan:F0").state.status == "Failed"


def test_for_each_shows_its_children_in_order() -> None:
    loop = {"Name": "Each", "Type": "ForEach", "Arguments": {"ForEachBody": [step("Body", "A")]}}
    children = [
        read_state(
            {"StepName": f"Body-{i}", "IterationContext": {"ParentStepName": "Each", "Index": i, "Item": str(i)}}
        )
        for i in (2, 0, 1)
    ]
    graph = build_graph(define(step("A"), loop), {child.name: child for child in children})
    assert [member.name for member in graph.node("Each").members] == ["Body-0", "Body-1", "Body-2"]
    assert {(edge.source, edge.target) for edge in graph.edges} == {("A", "Each")}


@settings(max_examples=40)
@given(st.data())
def test_places_do_not_move_while_it_runs(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 14))
    steps = [
        step(f"s{i}", *(f"s{j}" for j in data.draw(st.sets(st.integers(0, i - 1), max_size=3)))) if i else step("s0")
        for i in range(count)
    ]
    definition = define(*steps)
    statuses = data.draw(st.lists(st.sampled_from(["Executing", "Succeeded", "Failed"]), max_size=count))
    states = {f"s{i}": StepState(f"s{i}", status) for i, status in enumerate(statuses)}
    before, after = build_graph(definition), build_graph(definition, states)
    assert before.layout == after.layout
    assert (
        layout(tuple(node.box for node in after.nodes), tuple((e.source, e.target) for e in after.edges))
        == after.layout
    )


def loop_of(items: object) -> dict[str, Any]:
    return {"Name": "Each", "Type": "ForEach", "Arguments": {"IterableItems": items, "ForEachBody": [step("Body")]}}


@settings(max_examples=40)
@given(st.integers(1, 120), st.integers(0, 120), st.booleans())
def test_places_do_not_move_while_a_loop_runs(items: int, begun: int, known: bool) -> None:
    listed = list(range(items)) if known else {"Get": "Steps.A.Items"}
    definition = define(step("A"), loop_of(listed), step("After", "Each"))
    children = {
        f"Body-{i}": StepState(f"Body-{i}", "Executing", parent="Each", index=i) for i in range(min(begun, items))
    }
    before, after = build_graph(definition), build_graph(definition, children)
    assert before.layout == after.layout


@settings(max_examples=60)
@given(st.integers(1, 400), st.integers(1, 400), st.booleans())
def test_squares_lie_apart_and_within_their_box(items: int, begun: int, known: bool) -> None:
    definition = define(loop_of(list(range(items)) if known else {"Get": "Steps.A.Items"}))
    children = {f"B-{i}": StepState(f"B-{i}", "Succeeded", parent="Each", index=i) for i in range(begun)}
    node = build_graph(definition, children).node("Each")
    cells = node.cells
    assert len({(cell.x, cell.y) for cell in cells}) == len(cells)
    assert all(cell.x + cell.size <= node.box.width and cell.y + cell.size <= node.box.height for cell in cells)
    assert len({cell.size for cell in cells}) == 1
    if begun <= 200 and (not known or begun <= items):
        assert len(cells) == begun, "none is left out while there is room"


def test_an_unfolded_loop_has_room_for_all_that_is_to_come() -> None:
    definition = define(loop_of(list(range(30))), step("After", "Each"))
    one = {"B-0": StepState("B-0", "Executing", parent="Each", index=0)}
    many = {f"B-{i}": StepState(f"B-{i}", "Executing", parent="Each", index=i) for i in range(30)}
    graphs = [build_graph(definition, states, opened=["Each"]) for states in (one, many)]
    assert graphs[0].layout == graphs[1].layout


@settings(max_examples=25)
@given(st.integers(0, 900), st.integers(0, 900))
def test_an_unfolded_loop_of_unknown_length_moves_nothing_as_it_grows(some: int, more: int) -> None:
    definition = define(step("A"), loop_of({"Get": "Steps.A.Items"}), step("After", "Each"))

    def graph_of(begun: int) -> Graph:
        states = {f"B-{i}": StepState(f"B-{i}", "Executing", parent="Each", index=i) for i in range(begun)}
        return build_graph(definition, states, opened=["Each"])

    before, after = graph_of(some), graph_of(some + more)
    assert before.layout == after.layout
    first, second = before.node("Each"), after.node("Each")
    places = [{cell.state.name: (cell.x, cell.y, cell.size) for cell in node.cells} for node in (first, second)]
    assert places[0].items() <= places[1].items()
    assert all(cell.y + cell.size <= second.box.height for cell in second.cells)
    if 1 <= some + more <= 600:
        assert [*second.unfolded, *(cell.state for cell in second.cells)] == list(second.members), "none is left out"


def test_three_hundred_steps_are_drawn() -> None:
    steps = [step("s0")]
    for i in range(1, 300):
        needs = {f"s{max(0, i - 1 - i % 7)}", f"s{i // 2}"}
        steps.append(step(f"s{i}", *sorted(needs)))
    assert len(build_graph(define(*steps)).nodes) == 300


TYPES = ("Processing", "EMR", "NotebookJob", "Condition", "ForEach", "", None)


def odd_definition(random: Random) -> str:
    """A definition with what is optional missing, or of an unexpected shape; steps only need those before them."""
    steps: list[dict[str, Any]] = []
    for name in "ABCDE"[: random.randint(1, 5)]:
        known = [*(step["Name"] for step in steps), "Unknown"]
        rest = "".join(random.choices("ab.['0]", k=random.randint(0, 6)))
        get = {"Get": f"Steps.{random.choice(known)}.{rest}"}
        odd = random.choice([None, 7, "text", get, [get, get], {"deep": [get]}])
        entry: dict[str, Any] = {"Name": name, "Type": random.choice(TYPES)}
        entry["Arguments"] = random.choice([{"X": odd}, {"IterableItems": odd}, {}, None, [], "text"])
        entry["DependsOn"] = [random.choice([need, {"Step": need}]) for need in random.choices(known, k=2)]
        steps.append({member: value for member, value in entry.items() if member == "Name" or random.random() < 0.8})
    return json.dumps({"Steps": steps})


def test_odd_definitions_are_drawn() -> None:
    for seed in range(150):
        text = odd_definition(Random(seed))
        graph = build_graph(read_definition(text))
        assert {node.name for node in graph.nodes} == {step["Name"] for step in json.loads(text)["Steps"]}, text
