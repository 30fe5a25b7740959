"""Requests for tuning jobs: completed as AWS completes them, checked, and with what their parents know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emulator.aws.errors import ResourceNotFound, ValidationException, not_yet
from emulator.images.aws.catalog import metric_definitions
from emulator.jobs.tuning.autotune import recommended_ranges
from emulator.jobs.tuning.definition import (
    MAX_TRAINING_JOBS,
    OBJECTIVE_HYPERPARAMETER,
    Definition,
    definitions_of,
)
from emulator.jobs.tuning.ranges import Choice, RangeError
from emulator.jobs.tuning.strategies import STRATEGIES, fits
from emulator.jobs.tuning.summary import succeeded
from emulator.jobs.tuning.trials import trials_of
from emulator.jobs.tuning.turn import INHERITED, KIND
from emulator.services.context import Context
from emulator.services.sagemaker.jobs import FINISHED, JobFamily
from emulator.store.resources import Resource

FAMILY = JobFamily(
    KIND,
    "HyperParameterTuningJob",
    "hyperparameter tuning job",
    "Hyperparameter tuning job names must be unique within an AWS account and region, and a hyperparameter tuning job"
    " with this name already exists",
    lambda name: ResourceNotFound(
        f"Amazon SageMaker can't find a tuning job with the name {name}. Make sure that the name is correct and that"
        " the tuning job is in this account and region."
    ),
)


def complete(body: dict[str, Any]) -> None:
    """Add what AWS adds: defaults, its own algorithms' metrics, the objective among the static hyperparameters."""
    config = body["HyperParameterTuningJobConfig"] = dict(body["HyperParameterTuningJobConfig"])
    config.setdefault("TrainingJobEarlyStoppingType", "Off")
    for member in ("TrainingJobDefinition", "TrainingJobDefinitions"):
        given = body.get(member)
        if isinstance(given, dict):
            body[member] = _completed(given, config)
        elif given:
            body[member] = [_completed(item, config) for item in given]
    if "Autotune" in body:
        _choose_ranges(body, config)


def _choose_ranges(body: dict[str, Any], config: dict[str, Any]) -> None:
    """Ranges where the request has none, for an algorithm whose hyperparameters are known."""
    single = body.get("TrainingJobDefinition")
    if single is None or single.get("HyperParameterRanges") or any((config.get("ParameterRanges") or {}).values()):
        return
    image, static = single["AlgorithmSpecification"].get("TrainingImage", ""), single["StaticHyperParameters"]
    if metric_definitions(image, static):
        config["ParameterRanges"] = recommended_ranges(static)


def _completed(given: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    algorithm, static = dict(given["AlgorithmSpecification"]), dict(given.get("StaticHyperParameters", {}))
    if not algorithm.get("MetricDefinitions") and algorithm.get("TrainingImage"):
        algorithm["MetricDefinitions"] = metric_definitions(algorithm["TrainingImage"], static) or []
    objective = given.get("TuningObjective") or config.get("HyperParameterTuningJobObjective")
    if objective:
        static[OBJECTIVE_HYPERPARAMETER] = objective["MetricName"]
    return {**given, "AlgorithmSpecification": algorithm, "StaticHyperParameters": static}


def check(body: dict[str, Any]) -> list[Definition]:
    config = body["HyperParameterTuningJobConfig"]
    if ("TrainingJobDefinition" in body) == ("TrainingJobDefinitions" in body):
        raise ValidationException("Either TrainingJobDefinition or TrainingJobDefinitions must be given, but not both.")
    if "Autotune" in body and not any(_has_ranges(body, config)):
        raise not_yet(
            "Autotune", "ranges for this algorithm; give ParameterRanges, or AutoParameters with a hint for each"
        )
    definitions = definitions_of(body)
    names = [definition.name for definition in definitions]
    if "TrainingJobDefinitions" in body and (None in names or len(set(names)) < len(names)):
        raise ValidationException("Each of TrainingJobDefinitions must have a DefinitionName of its own.")
    if len({definition.maximize for definition in definitions if definition.has_objective}) > 1:
        raise ValidationException("The TuningObjective of all TrainingJobDefinitions must have the same Type.")
    limits = config["ResourceLimits"]
    most = limits.get("MaxNumberOfTrainingJobs")
    if most is not None and not limits["MaxParallelTrainingJobs"] <= most <= MAX_TRAINING_JOBS:
        raise ValidationException(
            f"MaxNumberOfTrainingJobs {most} must be at least MaxParallelTrainingJobs"
            f" {limits['MaxParallelTrainingJobs']} and at most {MAX_TRAINING_JOBS}."
        )
    for definition in definitions:
        _check_definition(definition, config)
    return definitions


def _has_ranges(body: dict[str, Any], config: dict[str, Any]) -> list[Any]:
    given = body.get("TrainingJobDefinitions") or [body.get("TrainingJobDefinition", {})]
    return [config.get("ParameterRanges"), *(item.get("HyperParameterRanges") for item in given)]


def _check_definition(definition: Definition, config: dict[str, Any]) -> None:
    if not definition.has_objective:
        raise ValidationException("A hyperparameter tuning job needs a HyperParameterTuningJobObjective.")
    if definition.regex is None:
        raise ValidationException(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric"
            " definitions."
        )
    try:
        parameters = definition.parameters
    except RangeError as error:
        raise ValidationException(f"ParameterRanges: {error}.") from error
    if not parameters:
        raise ValidationException("ParameterRanges: at least one hyperparameter must have a range.")
    static = definition.body.get("StaticHyperParameters", {})
    both = [parameter.name for parameter in parameters if parameter.name in static]
    if both:
        raise ValidationException(f"Hyperparameter {both[0]} must not be both static and tuned.")
    _check_strategy(definition, config)


def _check_strategy(definition: Definition, config: dict[str, Any]) -> None:
    strategy, most = config["Strategy"], config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if strategy == "Grid":
        if not all(isinstance(parameter, Choice) for parameter in definition.parameters):
            raise ValidationException("Grid search supports only categorical hyperparameters.")
        count = STRATEGIES["Grid"].count(definition.parameters)
        if most is not None and most != count:
            raise ValidationException(
                f"For Grid search, MaxNumberOfTrainingJobs must be left out or be the number of combinations, {count}."
            )
    if strategy == "Hyperband":
        if config["TrainingJobEarlyStoppingType"] != "Off":
            raise ValidationException(
                "TrainingJobEarlyStoppingType must be Off for Hyperband, which stops jobs itself."
            )
        _check_resources(definition)
    elif config.get("StrategyConfig"):
        raise ValidationException(f"StrategyConfig is not supported for the {strategy} strategy.")


def _check_resources(definition: Definition) -> None:
    if definition.resource_bounds is None:
        raise ValidationException(
            "HyperbandStrategyConfig.MaxResource must be given: it cannot be inferred from the static"
            " hyperparameters epochs, numepochs, n-epochs, n_epochs or num_epochs."
        )
    lowest, highest = definition.resource_bounds
    if not 1 <= lowest <= highest:
        raise ValidationException(
            f"HyperbandStrategyConfig: MinResource {lowest} must be at least 1 and at most MaxResource {highest}."
        )


def inherited(warm_start: dict[str, Any], definitions: Sequence[Definition], context: Context) -> dict[str, Any]:
    """What the parents' jobs reached, as far as it lies in the new ranges; their best where they did the same."""
    identical = warm_start["WarmStartType"] == "IdenticalDataAndAlgorithm"
    known: dict[str, list[dict[str, Any]]] = {str(index): [] for index in range(len(definitions))}
    leaders = []
    for given in warm_start["ParentHyperParameterTuningJobs"]:
        parent = FAMILY.find(given, context)
        if parent.status not in FINISHED:
            raise ValidationException(f"Parent hyperparameter tuning job {parent.name} is in status {parent.status}.")
        if identical:
            _check_identical(definitions, parent)
        if "BestTrainingJob" in parent.body:
            leaders.append({**parent.body["BestTrainingJob"], "TuningJobName": parent.name})
        fixed = [of_parent.body.get("StaticHyperParameters", {}) for of_parent in definitions_of(parent.body)]
        for trial in succeeded(trials_of(context.app.resources, parent)):
            _inherit({**fixed[trial.definition], **trial.values}, trial.objective, definitions, known)
    best = _best_of(leaders, maximize=definitions[0].maximize) if identical else None
    return {INHERITED: known} | ({"BestOfParents": best} if best else {})


def _inherit(
    reached_with: dict[str, str],
    objective: float | None,
    definitions: Sequence[Definition],
    known: dict[str, list[dict[str, Any]]],
) -> None:
    """Note a parent's job where it fits; what is tuned now may have been fixed there, and the other way round."""
    for index, definition in enumerate(definitions):
        if fits(reached_with, definition.parameters):
            values = {parameter.name: reached_with[parameter.name] for parameter in definition.parameters}
            known[str(index)].append({"Values": values, "Objective": objective})


def _check_identical(definitions: Sequence[Definition], parent: Resource) -> None:
    theirs = [d.body["AlgorithmSpecification"].get("TrainingImage") for d in definitions_of(parent.body)]
    ours = [definition.body["AlgorithmSpecification"].get("TrainingImage") for definition in definitions]
    if ours != theirs:
        raise ValidationException(
            f"WarmStartType IdenticalDataAndAlgorithm needs the training image of parent {parent.name}; use"
            " TransferLearning for another one."
        )


def _best_of(leaders: list[dict[str, Any]], *, maximize: bool) -> dict[str, Any] | None:
    ordered = sorted(leaders, key=lambda item: item["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
    return (ordered[-1] if maximize else ordered[0]) if ordered else None
