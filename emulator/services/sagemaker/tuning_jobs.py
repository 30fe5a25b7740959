"""Hyper-parameter tuning jobs: create, describe, list, stop, and list what they launched."""

from __future__ import annotations

from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.jobs.tuning.summary import EMPTY, describe
from emulator.jobs.tuning.trials import training_job, trials_of
from emulator.jobs.tuning.turn import ENDING, INHERITED, KIND
from emulator.services.context import Context
from emulator.services.sagemaker.jobs import DEFAULT_PAGE
from emulator.services.sagemaker.paging import page_of
from emulator.services.sagemaker.tuning_requests import FAMILY, check, complete, inherited
from emulator.store.resources import Resource

_OWN_MEMBERS = (ENDING, INHERITED, "BestOfParents")


@operation("sagemaker", "CreateHyperParameterTuningJob")
def create_tuning_job(request: Request, context: Context) -> Response:
    body = dict(request)
    complete(body)
    definitions = check(body)
    if "WarmStartConfig" in body:
        body |= inherited(body["WarmStartConfig"], definitions, context)
    body |= EMPTY
    return {"HyperParameterTuningJobArn": FAMILY.create(context, body).arn}


@operation("sagemaker", "DescribeHyperParameterTuningJob")
def describe_tuning_job(request: Request, context: Context) -> Response:
    job = FAMILY.find(request, context)
    return {name: value for name, value in job.body.items() if name not in _OWN_MEMBERS} | FAMILY.described(job)


@operation("sagemaker", "ListHyperParameterTuningJobs")
def list_tuning_jobs(request: Request, context: Context) -> Response:
    return FAMILY.list(request, context, _summary)


def _summary(job: Resource) -> dict[str, Any]:
    config = job.body["HyperParameterTuningJobConfig"]
    return {
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
        "HyperParameterTuningEndTime": job.body.get("HyperParameterTuningEndTime"),
        **{name: job.body[name] for name in EMPTY},
    }


@operation("sagemaker", "StopHyperParameterTuningJob")
def stop_tuning_job(request: Request, context: Context) -> Response:
    return FAMILY.stop(request, context)


@operation("sagemaker", "DeleteHyperParameterTuningJob")
def delete_tuning_job(request: Request, context: Context) -> Response:
    """Its training jobs stay; what it noted of them goes, so that a new one of its name begins anew."""
    resources = context.app.resources
    job = resources.get(context.scope, KIND, request["HyperParameterTuningJobName"])
    if job is None:
        return {}
    with resources.database.transaction():
        FAMILY.delete(context, job)
        for trial in trials_of(resources, job):
            resources.delete(trial.arn)
    return {}


@operation("sagemaker", "ListTrainingJobsForHyperParameterTuningJob")
def list_training_jobs(request: Request, context: Context) -> Response:
    tuning = FAMILY.find(request, context)
    summaries = [
        describe(trial, training_job(context.app.resources, tuning, trial), tuning)
        for trial in trials_of(context.app.resources, tuning)
    ]
    if wanted := request.get("StatusEquals"):
        summaries = [summary for summary in summaries if summary["TrainingJobStatus"] == wanted]
    ordered = _sorted(summaries, request.get("SortBy", "Name"), request.get("SortOrder", "Ascending"))
    page, token = page_of(ordered, request, DEFAULT_PAGE)
    return {"TrainingJobSummaries": page, "NextToken": token}


def _sorted(summaries: list[dict[str, Any]], by: str, order: str) -> list[dict[str, Any]]:
    objective = "FinalHyperParameterTuningJobObjectiveMetric"
    keys = {
        "Name": lambda item: item["TrainingJobName"],
        "CreationTime": lambda item: item["CreationTime"],
        "Status": lambda item: item["TrainingJobStatus"],
        "FinalObjectiveMetricValue": lambda item: item[objective]["Value"],
    }
    if by == "FinalObjectiveMetricValue":  # those without one are not listed, as the API reference says
        summaries = [summary for summary in summaries if objective in summary]
    return sorted(summaries, key=keys[by], reverse=order == "Descending")
