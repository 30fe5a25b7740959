"""``kill -9`` at random moments changes nothing: a few rounds here, the full count in ``benchmarks/kill9.py``."""

from __future__ import annotations

from pathlib import Path

from tests.integration.chaos_pipelines import SCENARIOS
from tests.integration.storm import Storm


def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    storm = Storm(tmp_path / "data", seed=20261122)
    assert storm.run(rounds=3) == []
    assert storm.victim.kills >= 3
    assert storm.executions == 5 * len(SCENARIOS)
    assert storm.calm["retries"]["steps"]["Refused"]["AttemptCount"] == "3", "tried again, and no more than asked"
