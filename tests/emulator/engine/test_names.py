from __future__ import annotations

import re

import pytest

from emulator.engine.names import execution_id, job_name

PATTERN = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def test_execution_ids_are_twelve_lower_case_characters() -> None:
    assert re.fullmatch(r"[a-z0-9]{12}", execution_id())
    assert execution_id() != execution_id()


def test_job_names_say_execution_and_step() -> None:
    assert re.fullmatch(r"pipelines-cos5h1n0dv8j-Train-[A-Za-z0-9]{10}", job_name("cos5h1n0dv8j", "Train"))


@pytest.mark.parametrize("step", ["x" * 64, "a_b", "-", "_", "-a-", "x" * 28 + "--------"])
def test_every_step_name_makes_a_valid_job_name(step: str) -> None:
    name = job_name("cos5h1n0dv8j", step)
    assert len(name) <= 63
    assert PATTERN.fullmatch(name)


@pytest.mark.parametrize("prefix", ["nightly", "p" * 63])
def test_a_prefix_of_the_definition_is_kept(prefix: str) -> None:
    name = job_name("cos5h1n0dv8j", "Train", prefix)
    assert re.fullmatch(r"(nightly|p+)-cos5h1n0dv8j-[A-Za-z0-9]{10}", name)
    assert len(name) <= 63
