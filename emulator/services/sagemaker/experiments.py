"""Experiments: what belongs together of trials (API Reference, CreateExperiment). A pipeline has one by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from emulator.aws.arns import sagemaker_arn
from emulator.aws.errors import ResourceNotFound, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.identity import user_context
from emulator.services.sagemaker.paging import paging
from emulator.services.sagemaker.tags import check_new_tags
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

KIND = "experiment"
TRIAL = "experiment-trial"
DEFAULT_PAGE = 10


@operation("sagemaker", "CreateExperiment")
def create_experiment(request: Request, context: Context) -> Response:
    body = given(request, "DisplayName", "Description")
    return {"ExperimentArn": create(context, KIND, request["ExperimentName"], body, request.get("Tags") or []).arn}


@operation("sagemaker", "DescribeExperiment")
def describe_experiment(request: Request, context: Context) -> Response:
    return {**summary(found := find_experiment(context, request["ExperimentName"]), "Experiment"), **found.body}


@operation("sagemaker", "UpdateExperiment")
def update_experiment(request: Request, context: Context) -> Response:
    experiment = find_experiment(context, request["ExperimentName"])
    update(context, experiment, {member: request.get(member) for member in ("DisplayName", "Description")})
    return {"ExperimentArn": experiment.arn}


@operation("sagemaker", "ListExperiments")
def list_experiments(request: Request, context: Context) -> Response:
    page, token = context.app.resources.page(context.scope, Query(KIND, **pages(request)))
    summaries = [summary(each, "Experiment") for each in page]
    return {"ExperimentSummaries": summaries, "NextToken": token}


@operation("sagemaker", "DeleteExperiment")
def delete_experiment(request: Request, context: Context) -> Response:
    experiment = find_experiment(context, request["ExperimentName"])
    resources = context.app.resources
    with resources.database.transaction():
        if resources.count(context.scope, TRIAL, parent=experiment.name):
            raise ValidationException(
                f"Experiment '{experiment.name}' cannot be deleted: all trials associated with it must be deleted"
                " first."
            )
        resources.delete(experiment.arn)
    return {"ExperimentArn": experiment.arn}


def find_experiment(context: Context, name: str) -> Resource:
    """
    Raises:
        ResourceNotFound: there is none of that name.
    """
    return find(context, KIND, name, "Experiment")


def ensure_experiment(context: Context, name: str, source: dict[str, str]) -> Resource:
    """The experiment of that name, made for ``source`` if there is none yet."""
    found = context.app.resources.get(context.scope, KIND, name)
    return found or create(context, KIND, name, {"Source": source}, [])


def find(context: Context, kind: str, name: str, noun: str) -> Resource:
    """An experiment, trial or trial component by its name or ARN.

    Raises:
        ResourceNotFound: there is none.
    """
    resources = context.app.resources
    found = resources.by_arn(name) if name.startswith("arn:") else resources.get(context.scope, kind, name)
    if found is None or found.kind != kind or found.scope != context.scope:
        raise ResourceNotFound(f"{noun} '{name}' does not exist.")
    return found


def given(request: Request, *members: str) -> dict[str, Any]:
    """The members that the request gives."""
    return {member: request[member] for member in members if request.get(member) is not None}


def create(
    context: Context, kind: str, name: str, body: dict[str, Any], tags: list[Mapping[str, str]], parent: str = ""
) -> Resource:
    """Store an experiment, trial or trial component.

    Raises:
        ValidationException: the name is taken, in words that the SDKs look for.
    """
    check_new_tags(tags)
    arn = sagemaker_arn(context.account, context.region, kind, name.lower())
    who = user_context(context)
    new = Resource(
        context.scope, kind, name, arn, body | {"CreatedBy": who, "LastModifiedBy": who}, parent=parent.lower()
    )
    resources = context.app.resources
    with resources.database.transaction():
        if not resources.insert(new):
            noun = kind.replace("-", " ")
            raise ValidationException(
                f"{noun.capitalize()} names must be unique within an AWS account and region. The {noun} with name"
                f" ({name}) already exists."
            )
        resources.add_tags(arn, tags)
    return new


def update(context: Context, resource: Resource, members: dict[str, Any]) -> None:
    """Replace the members that are given."""

    def change(stored: Resource) -> None:
        stored.body |= {member: value for member, value in members.items() if value is not None}
        stored.body["LastModifiedBy"] = user_context(context)

    context.app.resources.update(resource.arn, change)


def summary(resource: Resource, noun: str) -> dict[str, Any]:
    """What lists and descriptions of experiments, trials and trial components have in common."""
    body = resource.body
    return {
        f"{noun}Name": resource.name,
        f"{noun}Arn": resource.arn,
        "DisplayName": body.get("DisplayName", resource.name),
        f"{noun}Source": body.get("Source"),
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
    }


def pages(request: Request) -> dict[str, Any]:
    """The paging of their List operations; AWS gives 10 at a time unless asked."""
    return paging(request, size=DEFAULT_PAGE)
