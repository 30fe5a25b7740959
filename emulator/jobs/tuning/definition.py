"""A tuning job's request, read: what is tuned towards what, and the training job that a set of values makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emulator.jobs.tuning.ranges import Parameter, read_ranges
from emulator.store.resources import Resource

OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
"""SageMaker tells the training job what is tuned for by this hyperparameter."""
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""Static hyperparameters in which Hyperband looks for its MaxResource."""
MAX_TRAINING_JOBS = 750
_PASSED_ON = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "RetryStrategy",
    "Environment",
)


@dataclass(frozen=True)
class Definition:
    """One training job definition of a tuning job."""

    body: Mapping[str, Any]
    config: Mapping[str, Any]

    @property
    def name(self) -> str | None:
        return self.body.get("DefinitionName")

    @property
    def has_objective(self) -> bool:
        return bool(self.body.get("TuningObjective") or self.config.get("HyperParameterTuningJobObjective"))

    @property
    def _objective(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.body.get("TuningObjective") or self.config["HyperParameterTuningJobObjective"]
        return found

    @property
    def metric(self) -> str:
        return self._objective["MetricName"]

    @property
    def maximize(self) -> bool:
        return self._objective["Type"] == "Maximize"

    @cached_property
    def regex(self) -> str | None:
        """How the objective is read from the log, None if the training job itself defines it."""
        definitions = self.body["AlgorithmSpecification"].get("MetricDefinitions", [])
        return next((item["Regex"] for item in definitions if item["Name"] == self.metric), None)

    @cached_property
    def parameters(self) -> list[Parameter]:
        """Raises RangeError."""
        return read_ranges(self.body.get("HyperParameterRanges") or self.config.get("ParameterRanges") or {})

    @property
    def resource_bounds(self) -> tuple[int, int] | None:
        """Hyperband: the fewest and most epochs of a job; None if nothing says the most."""
        given = self.config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
        static = self.body.get("StaticHyperParameters", {})
        highest = given.get("MaxResource") or next(
            (int(static[n]) for n in EPOCHS if static.get(n, "").isdecimal()), None
        )
        return None if highest is None else (given.get("MinResource", 1), highest)

    def training_request(self, name: str, values: Mapping[str, str]) -> dict[str, Any]:
        """The CreateTrainingJob request of one trial."""
        request = {member: self.body[member] for member in _PASSED_ON if member in self.body}
        request |= {
            "TrainingJobName": name,
            "AlgorithmSpecification": dict(self.body["AlgorithmSpecification"]),
            "ResourceConfig": self._resources(),
            "HyperParameters": {**self.body.get("StaticHyperParameters", {}), **values},
        }
        if saved := self.body.get("CheckpointConfig"):
            request["CheckpointConfig"] = {**saved, "S3Uri": f"{saved['S3Uri'].rstrip('/')}/{name}"}
        return request

    def _resources(self) -> dict[str, Any]:
        if given := self.body.get("ResourceConfig"):
            return dict(given)
        tuned = self.body.get("HyperParameterTuningResourceConfig", {})
        first = (tuned.get("InstanceConfigs") or [tuned])[0]
        wanted = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
        return {member: found for member in wanted if (found := first.get(member, tuned.get(member))) is not None}


def definitions_of(body: Mapping[str, Any]) -> list[Definition]:
    config = body["HyperParameterTuningJobConfig"]
    single = body.get("TrainingJobDefinition")
    return [Definition(item, config) for item in ([single] if single else body["TrainingJobDefinitions"])]


def seed_of(tuning: Resource) -> int:
    """The request's RandomSeed; without one, a seed of the job's own."""
    given = tuning.body["HyperParameterTuningJobConfig"].get("RandomSeed")
    return int(tuning.created * 1000) + tuning.id if given is None else int(given)
