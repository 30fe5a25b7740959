"""Trials: what belongs together of trial components, in one experiment (API Reference, CreateTrial).

An execution of a pipeline has one by itself; SDKs call them run groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker import experiments
from emulator.services.sagemaker.experiments import TRIAL, find_experiment, given, pages, summary
from emulator.services.sagemaker.trial_memberships import COMPONENTS, TRIALS, members_of
from emulator.services.sagemaker_metrics import TRIAL_COMPONENT
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

EXPERIMENT_NAME = "ExperimentName"


@operation("sagemaker", "CreateTrial")
def create_trial(request: Request, context: Context) -> Response:
    experiment = find_experiment(context, request[EXPERIMENT_NAME])
    body = given(request, "DisplayName", "MetadataProperties")
    return {"TrialArn": _create(context, request["TrialName"], experiment, body, request.get("Tags") or []).arn}


@operation("sagemaker", "DescribeTrial")
def describe_trial(request: Request, context: Context) -> Response:
    trial = find_trial(context, request["TrialName"])
    return {**summary(trial, "Trial"), **trial.body}


@operation("sagemaker", "UpdateTrial")
def update_trial(request: Request, context: Context) -> Response:
    trial = find_trial(context, request["TrialName"])
    experiments.update(context, trial, {"DisplayName": request.get("DisplayName")})
    return {"TrialArn": trial.arn}


@operation("sagemaker", "ListTrials")
def list_trials(request: Request, context: Context) -> Response:
    """The trials of an experiment, those that a component is in, or all."""
    experiment, component = request.get(EXPERIMENT_NAME), request.get("TrialComponentName")
    if experiment and component:
        raise ValidationException("Only one of ExperimentName and TrialComponentName can be specified.")
    if component:
        owner = experiments.find(context, TRIAL_COMPONENT, component, "Trial component")
        page, token = members_of(context, TRIALS, owner, pages(request))
    else:
        parent = find_experiment(context, experiment).name.lower() if experiment else None
        page, token = context.app.resources.page(context.scope, Query(TRIAL, parent=parent, **pages(request)))
    return {"TrialSummaries": [summary(each, "Trial") for each in page], "NextToken": token}


@operation("sagemaker", "DeleteTrial")
def delete_trial(request: Request, context: Context) -> Response:
    trial = find_trial(context, request["TrialName"])
    with context.app.resources.database.transaction():
        if members_of(context, COMPONENTS, trial, {"max_results": 1})[0]:
            raise ValidationException(
                f"Trial '{trial.name}' cannot be deleted: its trial components must be disassociated from it first."
            )
        context.app.resources.delete(trial.arn)
    return {"TrialArn": trial.arn}


def find_trial(context: Context, name: str) -> Resource:
    """
    Raises:
        ResourceNotFound: there is none of that name.
    """
    return experiments.find(context, TRIAL, name, "Trial")


def ensure_trial(context: Context, name: str, experiment: Resource, source: dict[str, str] | None = None) -> Resource:
    """The trial of that name, whatever its experiment; made in this one if there is none yet."""
    found = context.app.resources.get(context.scope, TRIAL, name)
    return found or _create(context, name, experiment, {"Source": source} if source else {}, [])


def _create(
    context: Context, name: str, experiment: Resource, body: dict[str, Any], tags: list[Mapping[str, str]]
) -> Resource:
    body |= {EXPERIMENT_NAME: experiment.name}
    return experiments.create(context, TRIAL, name, body, tags, parent=experiment.name)
