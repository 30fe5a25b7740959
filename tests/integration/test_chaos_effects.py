"""The counting of the storm of kills finds what it is there to find."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from tests.integration.chaos import Victim
from tests.integration.chaos_effects import wrong_calls, wrong_transitions

CALM = Counter({("", "Executing"): 1, ("", "Succeeded"): 1, ("A", "Executing"): 1, ("A", "Succeeded"): 1})


def called(*keys: str) -> Victim:
    """A victim in whose bucket functions left these keys."""

    class Pages:
        def paginate(self, **_: Any) -> list[dict[str, Any]]:
            return [{"Contents": [{"Key": f"calls/{key}"} for key in keys]}]

    class Client:
        def get_paginator(self, _: str) -> Pages:
            return Pages()

    class Fake:
        def client(self, _: str) -> Client:
            return Client()

    return cast("Victim", Fake())


def test_a_function_that_ran_twice_or_not_to_its_end_is_found() -> None:
    arns = ["arn/execution/one", "arn/execution/two"]
    good = ("one/begun-1", "one/done-1", "two/begun-1", "two/done-1")
    assert wrong_calls(called(*good), arns, set()) == []
    assert len(wrong_calls(called(*good, "two/begun-2"), arns, set(arns))) == 1, "begun twice, although ended once"
    assert len(wrong_calls(called(*good[:3]), arns, set())) == 1, "never ended"
    assert len(wrong_calls(called(), arns, set())) == 2
    assert wrong_calls(called(*good[:3]), arns, {arns[1]}) == []


def test_an_event_too_many_and_a_lost_end_are_found() -> None:
    assert wrong_transitions(CALM, CALM) == []
    assert wrong_transitions(CALM, CALM + Counter({("A", "Succeeded"): 1})) != []
    assert wrong_transitions(CALM, CALM + Counter({("B", "Starting"): 1})) != []
    assert wrong_transitions(CALM, CALM - Counter({("", "Succeeded"): 1})) != []
    assert wrong_transitions(CALM, CALM - Counter({("A", "Executing"): 1})) == [], "found when it had ended"
