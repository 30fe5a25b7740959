"""Trial components: what a run was made of and what came of it (API Reference, CreateTrialComponent).

Programs make their own; each job has one, told by ``job_components``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from emulator.aws.errors import ResourceNotFound, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker import experiments
from emulator.services.sagemaker.experiments import find_experiment, pages, summary
from emulator.services.sagemaker.job_components import describe_source
from emulator.services.sagemaker.trial_memberships import COMPONENTS, TRIALS, join, leave, members_of
from emulator.services.sagemaker.trials import find_trial
from emulator.services.sagemaker_metrics import TRIAL_COMPONENT, summaries_of
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

_NOUN = "TrialComponent"
_MAPS = ("Parameters", "InputArtifacts", "OutputArtifacts")
_MEMBERS = ("DisplayName", "Status", "StartTime", "EndTime")


@operation("sagemaker", "CreateTrialComponent")
def create_trial_component(request: Request, context: Context) -> Response:
    body = _given(request, (*_MEMBERS, "MetadataProperties")) | {name: request.get(name) or {} for name in _MAPS}
    tags = request.get("Tags") or []
    return {"TrialComponentArn": experiments.create(context, TRIAL_COMPONENT, request[f"{_NOUN}Name"], body, tags).arn}


@operation("sagemaker", "DescribeTrialComponent", blocking=True)
def describe_trial_component(request: Request, context: Context) -> Response:
    """With ``Parents``, which Search shows and filters by."""
    component = find_component(context, request[f"{_NOUN}Name"])
    trials, _ = members_of(context, TRIALS, component, {})
    return {
        **summary(component, _NOUN),
        **describe_source(context, component),
        **component.body,
        "Metrics": summaries_of(context, component.arn, component.body.get("Source")),
        "Parents": [{"TrialName": trial.name, "ExperimentName": trial.body["ExperimentName"]} for trial in trials],
    }


@operation("sagemaker", "UpdateTrialComponent")
def update_trial_component(request: Request, context: Context) -> Response:
    component = find_component(context, request[f"{_NOUN}Name"])

    def change(stored: Resource) -> None:
        stored.body |= _given(request, _MEMBERS)
        for name in _MAPS:
            merged = {**stored.body.get(name, {}), **(request.get(name) or {})}
            removed = request.get(f"{name}ToRemove") or []
            stored.body[name] = {key: value for key, value in merged.items() if key not in removed}

    context.app.resources.update(component.arn, change)
    return {"TrialComponentArn": component.arn}


@operation("sagemaker", "ListTrialComponents")
def list_trial_components(request: Request, context: Context) -> Response:
    """Those of an experiment, a trial or a source, or all."""
    filters = [name for name in ("ExperimentName", "TrialName", "SourceArn") if request.get(name)]
    if len(filters) > 1:
        raise ValidationException(f"Only one of ExperimentName, TrialName and SourceArn can be specified: {filters}.")
    page, token = _page(request, context)
    return {"TrialComponentSummaries": [_summary(each, context) for each in page], "NextToken": token}


@operation("sagemaker", "DeleteTrialComponent")
def delete_trial_component(request: Request, context: Context) -> Response:
    component = find_component(context, request[f"{_NOUN}Name"])
    with context.app.resources.database.transaction():
        trials, _ = members_of(context, TRIALS, component, {"max_results": 1})
        if trials:
            raise ValidationException(
                f"Trial component '{component.name}' cannot be deleted: it must be disassociated from all trials first."
            )
        context.app.resources.delete(component.arn)
    return {"TrialComponentArn": component.arn}


@operation("sagemaker", "AssociateTrialComponent")
def associate_trial_component(request: Request, context: Context) -> Response:
    component, trial, experiment = _membership(request, context)
    join(context, component, trial, experiment)
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


@operation("sagemaker", "DisassociateTrialComponent")
def disassociate_trial_component(request: Request, context: Context) -> Response:
    component, trial, experiment = _membership(request, context)
    if not leave(context, component, trial, experiment):
        raise ResourceNotFound(f"Trial component '{component.name}' is not associated with trial '{trial.name}'.")
    return {"TrialComponentArn": component.arn, "TrialArn": trial.arn}


def find_component(context: Context, name: str) -> Resource:
    """By name or ARN.

    Raises:
        ResourceNotFound: there is none.
    """
    return experiments.find(context, TRIAL_COMPONENT, name, "Trial component")


def _membership(request: Request, context: Context) -> tuple[Resource, Resource, Resource]:
    component, trial = find_component(context, request[f"{_NOUN}Name"]), find_trial(context, request["TrialName"])
    return component, trial, find_experiment(context, trial.body["ExperimentName"])


def _page(request: Request, context: Context) -> tuple[list[Resource], str | None]:
    if name := request.get("TrialName"):
        return members_of(context, COMPONENTS, find_trial(context, name), pages(request))
    if name := request.get("ExperimentName"):
        return members_of(context, COMPONENTS, find_experiment(context, name), pages(request))
    source = {"SourceArn": request["SourceArn"]} if request.get("SourceArn") else {}
    return context.app.resources.page(context.scope, Query(TRIAL_COMPONENT, members=source, **pages(request)))


def _summary(component: Resource, context: Context) -> dict[str, Any]:
    told = describe_source(context, component) | component.body
    members = ("Status", "StartTime", "EndTime", "CreatedBy", "LastModifiedBy")
    return summary(component, _NOUN) | {member: told.get(member) for member in members}


def _given(request: Request, members: Iterable[str]) -> dict[str, Any]:
    """The members that the request gives, as they are stored: times as Unix seconds."""
    values = experiments.given(request, *members)
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in values.items()}
