"""One look at a tuning job: what has ended is noted, what is not worth going on is stopped, what is free is used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from emulator.aws.errors import AwsError
from emulator.jobs.failures import MAX_REASON
from emulator.jobs.tuning import trials as noted
from emulator.jobs.tuning.completion import Ending, decide, exhausted, stagnation
from emulator.jobs.tuning.definition import MAX_TRAINING_JOBS, Definition, definitions_of, seed_of
from emulator.jobs.tuning.progress import Progress
from emulator.jobs.tuning.stopping import Place, out_of_hyperband, worse_than_median
from emulator.jobs.tuning.strategies import STRATEGIES, Tried
from emulator.jobs.tuning.summary import best, counters, describe
from emulator.jobs.tuning.trials import Trial
from emulator.store.log_streams import LogStreams
from emulator.store.resources import Resource, Resources

KIND = "hyper-parameter-tuning-job"
ENDING, INHERITED = "Ending", "Inherited"
"""Members of a tuning job's body that are not AWS's: how it is about to end; what its parents' jobs reached."""
TUNED_BY = "TuningJobArn"


@dataclass(slots=True)
class Watched:
    """What is remembered between looks, and read anew after a restart."""

    progress: dict[str, Progress] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    """Names of ended trials whose progress has been read to its end."""


@dataclass
class Turn:
    tuning: Resource
    resources: Resources
    logs: LogStreams
    call: Callable[[str, dict[str, Any]], Any]
    watched: Watched
    now: float

    def take(self) -> None:
        trials = [self._followed(trial) for trial in noted.trials_of(self.resources, self.tuning)]
        ending = self._ending(trials)
        running = [trial for trial in trials if not trial.ended]
        if ending is not None:
            for trial in running:
                self._stop(trial)
        else:
            self._stop_early(trials)
            launched = self._launch(trials, len(running))
            if not launched and not running:
                ending = exhausted(trials)
            trials += launched
            running += launched
        self._store(trials, ending if not running else None)

    @cached_property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.tuning.body["HyperParameterTuningJobConfig"]
        return config

    @cached_property
    def definitions(self) -> list[Definition]:
        return definitions_of(self.tuning.body)

    @property
    def _maximize(self) -> bool:
        return self.definitions[0].maximize

    # What there is

    def _followed(self, trial: Trial) -> Trial:
        """The trial as its training job is now; one that a crash kept from being created is created."""
        if trial.ended:
            return trial
        job = noted.training_job(self.resources, self.tuning, trial)
        if job is None:
            self._create(trial)
            return trial
        if TUNED_BY not in job.body:
            self._mark(trial)
        if job.status in ("InProgress", "Stopping"):
            return trial
        return noted.settle(self.resources, trial, noted.outcome_of(job, self.definitions[trial.definition].metric))

    def _ending(self, trials: list[Trial]) -> Ending | None:
        """How the tuning job is about to end: as was decided, and stored, before, or as it is decided now."""
        if self.tuning.status == "Stopping":
            return Ending("Stopped")
        if found := self.tuning.body.get(ENDING):
            return Ending(found["Status"], found.get("Reason"), found.get("Members"))
        ending = decide(self.config, trials, self.now - self.tuning.created, maximize=self._maximize)
        if ending is not None:
            self._decided(ending)
        return ending

    def _decided(self, ending: Ending) -> None:
        decided = {"Status": ending.status, "Reason": ending.reason, "Members": ending.members}
        self.resources.update(self.tuning.arn, lambda job: job.body.update({ENDING: decided}))

    # Launching

    def _launch(self, trials: list[Trial], running: int) -> list[Trial]:
        limits = self.config["ResourceLimits"]
        most = limits.get("MaxNumberOfTrainingJobs") or MAX_TRAINING_JOBS
        launched: list[Trial] = []
        while running + len(launched) < limits["MaxParallelTrainingJobs"] and len(trials) + len(launched) < most:
            found = self._next([*trials, *launched])
            if found is None:
                break
            definition, values = found
            number = len(trials) + len(launched)
            trial = noted.note(self.resources, self.tuning, number, definition, values)
            self._create(trial)
            launched.append(trial)
        return launched

    def _next(self, trials: list[Trial]) -> tuple[int, dict[str, str]] | None:
        """The next definition, by turns, that has values left to try."""
        strategy, seed = STRATEGIES[self.config["Strategy"]], seed_of(self.tuning)
        count = len(self.definitions)
        for index in ((len(trials) + offset) % count for offset in range(count)):
            own = [trial for trial in trials if trial.definition == index]
            tried = [
                Tried(t["Values"], t["Objective"]) for t in self.tuning.body.get(INHERITED, {}).get(str(index), [])
            ]
            tried += [Tried(t.values, t.objective) for t in own if not t.ended or t.objective is not None]
            definition = self.definitions[index]
            values = strategy.choose(definition.parameters, len(own), seed + index, tried, maximize=definition.maximize)
            if values is not None:
                return index, values
        return None

    def _create(self, trial: Trial) -> None:
        request = self.definitions[trial.definition].training_request(trial.name, trial.values)
        try:
            self.call("CreateTrainingJob", request)
        except AwsError as error:
            if error.code != "ResourceInUse":
                noted.settle(self.resources, trial, {"Status": "Failed", "FailureReason": error.message})
                self._decided(Ending("Failed", error.message[:MAX_REASON]))
        self._mark(trial)

    def _mark(self, trial: Trial) -> None:
        """The training job says by which tuning job it was made."""
        job = noted.training_job(self.resources, self.tuning, trial)
        if job is not None:
            self.resources.update(job.arn, lambda row: row.body.update({TUNED_BY: self.tuning.arn}))

    # Stopping

    def _stop_early(self, trials: list[Trial]) -> None:
        hyperband = self.config["Strategy"] == "Hyperband"
        if not hyperband and self.config.get("TrainingJobEarlyStoppingType", "Off") != "Auto":
            return
        before = {trial.name: self._read(trial) for trial in trials if trial.name not in self.watched.complete}
        for trial in trials:
            if not trial.ended and len(self._progress(trial).series) > before[trial.name]:
                others = [
                    self._progress(other).series
                    for other in trials
                    if other is not trial and other.definition == trial.definition and (hyperband or other.ended)
                ]
                if self._is_hopeless(trial, others, before[trial.name], hyperband=hyperband):
                    self._stop(trial)

    def _read(self, trial: Trial) -> int:
        """Read what is new of a trial's progress; how much was known before."""
        progress = self._progress(trial)
        before = len(progress.series)
        job = noted.training_job(self.resources, self.tuning, trial)
        if job is not None:
            progress.update(job)
        if trial.ended:
            self.watched.complete.add(trial.name)
        return before

    def _is_hopeless(self, trial: Trial, others: list[list[float]], before: int, *, hyperband: bool) -> bool:
        definition = self.definitions[trial.definition]
        current = self._progress(trial).series
        if not hyperband:
            return worse_than_median(current, others, maximize=definition.maximize)
        bounds = definition.resource_bounds
        assert bounds is not None, "a tuning job of Hyperband without MaxResource was accepted"
        place = Place(trial.number, before, *bounds)
        return out_of_hyperband(current, others, place, maximize=definition.maximize)

    def _progress(self, trial: Trial) -> Progress:
        if trial.name not in self.watched.progress:
            regex = self.definitions[trial.definition].regex
            assert regex is not None, "a tuning job without its objective's metric was accepted"
            self.watched.progress[trial.name] = Progress(self.logs, regex)
        return self.watched.progress[trial.name]

    def _stop(self, trial: Trial) -> None:
        with contextlib.suppress(AwsError):  # it has ended meanwhile
            self.call("StopTrainingJob", {"TrainingJobName": trial.name})

    # Storing

    def _store(self, trials: list[Trial], ending: Ending | None) -> None:
        standing = counters(trials) | {"ConsumedResources": {"RuntimeInSeconds": _seconds(trials)}}
        leader = best(trials, maximize=self._maximize)
        if leader is not None:
            job = noted.training_job(self.resources, self.tuning, leader)
            standing["BestTrainingJob"] = describe(leader, job, self.tuning)
            if overall := self._overall(leader, standing["BestTrainingJob"]):
                standing["OverallBestTrainingJob"] = overall
        ended = [trial for trial in trials if trial.ended]
        details: dict[str, Any] = {
            "NumberOfTrainingJobsObjectiveNotImproving": stagnation(ended, maximize=self._maximize)
        }
        if ending is not None and ending.members:
            details["ConvergenceDetectedTime"] = self.now
        standing["TuningJobCompletionDetails"] = details

        def change(job: Resource) -> None:
            job.body |= standing
            if ending is not None:
                finish(job, "Stopped" if job.status == "Stopping" else ending.status, ending.reason, self.now)

        if ending is not None or any(self.tuning.body.get(name) != value for name, value in standing.items()):
            self.resources.update(self.tuning.arn, change)

    def _overall(self, leader: Trial, summary: dict[str, Any]) -> dict[str, Any] | None:
        """The best of this job and of its parents, where they did the same."""
        parent = self.tuning.body.get("BestOfParents")
        if parent is None:
            return None
        reached = parent["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        assert leader.objective is not None
        mine = leader.objective >= reached if self._maximize else leader.objective <= reached
        return summary if mine else dict(parent)


def finish(job: Resource, status: str, reason: str | None, now: float) -> None:
    """Write the end of a tuning job into its row."""
    job.status = status
    job.body.pop(ENDING, None)
    job.body["HyperParameterTuningEndTime"] = now
    if reason:
        job.body["FailureReason"] = reason


def _seconds(trials: list[Trial]) -> int:
    return sum((trial.outcome or {}).get("Seconds", 0) for trial in trials)
