"""Training over several instances as the SDKs make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]


@pytest.mark.parametrize(("client", "program"), [("sdk-v3", "torchrun_v3.py"), ("sdk-v2", "torchrun_v2.py")])
def test_torchrun_trains_over_two_instances(answer: Callable[..., dict[str, Any]], client: str, program: str) -> None:
    seen = answer(client, program)
    assert seen["status"] == "Completed"
    said = {line for lines in seen["lines"].values() for line in lines}
    assert said == {f"rank {rank} of 2 on algo-{rank + 1} sums 3 and has [1.0, -2.0, 0.5]" for rank in range(2)}
    assert {host: len(lines) for host, lines in seen["lines"].items()} == {"algo-1": 1, "algo-2": 1}
    assert seen["size"] > 0
