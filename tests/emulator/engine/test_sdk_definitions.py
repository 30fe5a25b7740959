"""Definitions of every step type as the SDKs write them: each runs, or is refused with a message naming its type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.checks import check_definition
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from emulator.engine.steps import step_types
from tests.emulator.engine.definitions.v2 import DEFINITIONS as V2
from tests.emulator.engine.real_operations import RealWorld, real_world

V3: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "definitions" / "v3.json").read_text())
ALL = {f"v2-{name}": document for name, document in V2.items()} | {
    f"v3-{name}": document for name, document in V3.items()
}
RUN = {
    "v2-training": ["Train"],
    "v2-evaluation": ["Train", "Evaluate", "Check", "Model-RegisterModel", "Model-CreateModel"],
    "v3-processing": ["Prepare", "End"],
    "v3-training": ["Train"],
    "v3-condition": ["Train", "Check", "Prepare"],
    "v3-fail": ["End"],
    "v3-model": ["Train", "Model"],
    "v3-register_model": ["Train", "Register"],
    "v3-lineage": ["Record"],
    "v3-cleanup": ["Train", "Clean"],
}
"""What runs without jobs of its own kind, a sandbox or a queue; of the others the services' own tests run them."""
ELSEWHERE = {"Lambda", "Callback", "Transform", "Tuning"}


def types_of(document: dict[str, Any]) -> set[str]:
    definition = read_definition(json.dumps(document))
    return {step.type for step in definition.every_step()}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[RealWorld]:
    with real_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("name", ALL)
def test_a_definition_is_accepted_or_its_step_type_is_refused_by_name(name: str) -> None:
    document = ALL[name]
    missing = types_of(document) - set(step_types())
    if not missing and name != "v3-notebook_job":
        check_definition(read_definition(json.dumps(document)))
        return
    with pytest.raises(DefinitionError) as raised:
        check_definition(read_definition(json.dumps(document)))
    message = raised.value.message
    assert "exist" in message
    assert "on AWS but the emulator does not run" in message
    assert name == "v3-notebook_job" or any(f"'{kind}'" in message for kind in missing)


def test_every_step_type_of_the_emulator_is_shown() -> None:
    shown = {kind for document in ALL.values() for kind in types_of(document)}
    assert set(step_types()) - ELSEWHERE <= shown


@pytest.mark.parametrize("name", RUN)
def test_a_definition_runs(world: RealWorld, name: str) -> None:
    document = ALL[name]
    arn = world.start(document["Steps"], parameters=document["Parameters"])
    ended = world.wait(arn).status
    ends = {name: step.reason for name, step in world.steps(arn).items() if step.reason}
    assert list(world.steps(arn)) == RUN[name], ends
    assert ended == ("Failed" if "End" in RUN[name] else "Succeeded"), ends
