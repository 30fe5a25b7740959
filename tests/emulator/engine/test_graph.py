from __future__ import annotations

from emulator.engine.definition import read_definition
from emulator.engine.graph import Graph
from tests.emulator.engine.fakes import condition, equals, fail, processing, text_of


def get(step: str) -> dict[str, str]:
    return {"Get": f"Steps.{step}.ProcessingJobName"}


def test_needs_are_the_union_of_everything_a_step_waits_for() -> None:
    joined = {"Std:Join": {"On": "", "Values": [get("B"), get("B")]}}
    report = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.C.PropertyFiles.R"}, "Path": "a"}}
    inner = processing("Inner", "A", arguments={"Environment": {"V": joined}})
    check = condition("Check", [equals(report, 1)], [inner], [fail("Bad", get("D"))], DependsOn=["A"])
    graph = Graph.of(read_definition(text_of([*map(processing, "ABCD"), check])))
    assert graph.needs["A"] == set()
    assert graph.needs["Check"] == {"A", "C"}, "what its branches refer to is no need of the condition"
    assert graph.needs["Inner"] == {"A", "B", "Check"}
    assert graph.needs["Bad"] == {"Check", "D"}
    assert graph.dependents["A"] == ("Check", "Inner")
    assert graph.dependents["Check"] == ("Inner", "Bad")
