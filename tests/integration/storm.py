"""A storm over an emulator: round by round every scenario, a kill in the midst of it, and a comparison."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.integration import chaos_effects, chaos_pipelines
from tests.integration.chaos import Killer, Ledger, Victim, descendants
from tests.integration.chaos_effects import TOLD, TRANSITIONS, is_interrupted
from tests.integration.chaos_participants import unanswered
from tests.integration.chaos_pipelines import SCENARIOS
from tests.integration.small_pipelines import BUCKET


class Storm:
    """``run`` gives everything that differs from an undisturbed emulator; an empty list is what there should be."""

    def __init__(self, data_dir: Path, seed: int, *, machine: bool = False) -> None:
        """``machine``: what would outlive the emulator is killed along with it."""
        self.chance = random.Random(seed)
        self.victim = Victim(data_dir, machine=machine)
        self.killer = Killer(self.victim, self.chance)
        self.ledger = Ledger(self.victim, random.Random(seed))
        self.complaints: list[str] = []
        self.calm: dict[str, dict[str, Any]] = {}
        """What each scenario leaves when nobody is killed."""
        self.interrupted: set[str] = set()
        """Executions whose function died with the machine: they have failed and say so."""
        self._seconds = 0.0
        self._executions: dict[str, list[str]] = {scenario.name: [] for scenario in SCENARIOS}

    @property
    def executions(self) -> int:
        return sum(map(len, self._executions.values()))

    def run(self, rounds: int, tell: Callable[[str], None] = lambda text: None) -> list[str]:
        self.victim.emulator.start()
        try:
            chaos_pipelines.prepare(self.victim)
            self._undisturbed()
            with self.ledger.writing(BUCKET):
                for number in range(rounds):
                    self._round(number)
                    tell(f"round {number + 1}: {self.victim.kills} kills, {len(self.complaints)} complaints")
            self._settle()
        finally:
            self._leave()
        return self.complaints + self.killer.orphans

    def _undisturbed(self) -> None:
        self._all("warm-up")
        began = time.monotonic()
        self.calm = self._all("calm")
        self._seconds = time.monotonic() - began

    def _round(self, number: int) -> None:
        strike = self.killer.strike(self.chance.uniform(0.0, self._seconds * 1.1))
        outcomes = self._all(f"round-{number}")
        strike.join()
        for name, outcome in outcomes.items():
            if self.victim.machine and is_interrupted(outcome):
                self.interrupted.add(self._executions[name][-1])
            elif outcome != self.calm[name]:
                self.complaints.append(f"round {number}, {name}: {difference(self.calm[name], outcome)}")

    def _all(self, token: str) -> dict[str, dict[str, Any]]:
        """Run every scenario at the same time."""

        def one(scenario: chaos_pipelines.Scenario) -> dict[str, Any]:
            execution = chaos_pipelines.start(self.victim, scenario, token)
            self._executions[scenario.name].append(execution)
            return chaos_pipelines.end(self.victim, scenario, execution)

        with ThreadPoolExecutor(len(SCENARIOS)) as pool:
            return dict(zip((scenario.name for scenario in SCENARIOS), pool.map(one, SCENARIOS), strict=True))

    def _settle(self) -> None:
        """What must hold of all rounds together."""
        self.complaints += self.ledger.losses(BUCKET)
        for scenario in SCENARIOS:
            started, found = self._executions[scenario.name], chaos_pipelines.executions(self.victim, scenario)
            if sorted(started) != sorted(found):
                self.complaints.append(f"{scenario.name}: {len(started)} executions were started, {len(found)} exist")
        self.complaints += chaos_effects.wrong_calls(self.victim, self._executions["calls"], self.interrupted)
        self._settle_transitions()
        wanted = sorted((arn.rpartition("/")[2], "Register") for arn in self._executions["branches"])
        if count := unanswered(self.victim):
            self.complaints.append(f"{count} messages are left in the queue of the callbacks")
        registered = sorted(chaos_pipelines.registered(self.victim))
        if registered != wanted:
            self.complaints.append(f"{len(wanted)} versions were to be registered, there are {len(registered)}")

    def _settle_transitions(self) -> None:
        """Every execution's events are those of the undisturbed one, which is the second of its scenario."""
        found, told = (chaos_effects.transitions(self.victim, queue) for queue in (TRANSITIONS, TOLD))
        if found != told:
            self.complaints.append("the topic did not tell what the queue was told")
        for name, executions in self._executions.items():
            calm = found.get(executions[1], Counter())
            if len(calm) < 2:
                self.complaints.append(f"{name}: undisturbed there were no events but {dict(calm)}")
            for execution in (each for each in executions[2:] if each not in self.interrupted):
                wrong = chaos_effects.wrong_transitions(calm, found.get(execution, Counter()))
                self.complaints += [f"{name} {execution.rpartition('/')[2]}: {text}" for text in wrong]

    def _leave(self) -> None:
        pid = self.victim.pid
        family = descendants(pid) if pid else set()
        self.victim.emulator.run("stop", check=False)
        self.killer.bury(family)
        for name in ("jobs", "functions/runs"):
            folder = self.victim.emulator.data_dir / name
            left = [path.name for path in folder.iterdir()] if folder.is_dir() else []
            if left:
                self.complaints.append(f"folders of {name} are left: {left[:5]}")


def difference(calm: Any, found: Any, where: str = "") -> str:
    """The first part of two outcomes that is not the same."""
    if isinstance(calm, dict) and isinstance(found, dict):
        for key in sorted({*calm, *found}):
            if calm.get(key) != found.get(key):
                return difference(calm.get(key), found.get(key), f"{where}/{key}")
    return f"{where} is {json.dumps(found)} and not {json.dumps(calm)}"
