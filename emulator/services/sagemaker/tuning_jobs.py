"""Hyper-parameter tuning jobs: create, describe, list, stop, and list what they launched."""

from __future__ import annotations

from typing import Any

from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.jobs.tuning.summary import EMPTY, describe
from emulator.jobs.tuning.trials import training_job, trials_of
from emulator.jobs.tuning.turn import ENDING, INHERITED, KIND
from emulator.services.context import Context
from emulator.services.sagemaker import jobs
from emulator.services.sagemaker.positions import read_position, write_position
from emulator.services.sagemaker.tuning_requests import check, complete, find_tuning_job, inherited
from emulator.store.resources import Resource

NOUN = "hyperparameter tuning job"
IN_USE = (
    "Hyperparameter tuning job names must be unique within an AWS account and region, and a hyperparameter tuning job"
    " with this name already exists"
)
_OWN_MEMBERS = (ENDING, INHERITED, "BestOfParents")


@operation("sagemaker", "CreateHyperParameterTuningJob")
def create_tuning_job(request: Request, context: Context) -> Response:
    body = dict(request)
    name = body.pop("HyperParameterTuningJobName")
    complete(body)
    definitions = check(body)
    if "WarmStartConfig" in body:
        body |= inherited(body["WarmStartConfig"], definitions, context)
    body |= EMPTY
    return {"HyperParameterTuningJobArn": jobs.insert(context, KIND, name, body, IN_USE).arn}


@operation("sagemaker", "DescribeHyperParameterTuningJob")
def describe_tuning_job(request: Request, context: Context) -> Response:
    job = _find(request, context)
    return {
        **{name: value for name, value in job.body.items() if name not in _OWN_MEMBERS},
        "HyperParameterTuningJobName": job.name,
        "HyperParameterTuningJobArn": job.arn,
        "HyperParameterTuningJobStatus": job.status,
        "CreationTime": job.created,
        "LastModifiedTime": job.modified,
    }


@operation("sagemaker", "ListHyperParameterTuningJobs")
def list_tuning_jobs(request: Request, context: Context) -> Response:
    page, token = context.app.resources.page(context.scope, jobs.query(KIND, request))
    return {"HyperParameterTuningJobSummaries": [_summary(job) for job in page], "NextToken": token}


def _summary(job: Resource) -> dict[str, Any]:
    config = job.body["HyperParameterTuningJobConfig"]
    return {
        "HyperParameterTuningJobName": job.name,
        "HyperParameterTuningJobArn": job.arn,
        "HyperParameterTuningJobStatus": job.status,
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
        "CreationTime": job.created,
        "LastModifiedTime": job.modified,
        "HyperParameterTuningEndTime": job.body.get("HyperParameterTuningEndTime"),
        **{name: job.body[name] for name in EMPTY},
    }


@operation("sagemaker", "StopHyperParameterTuningJob")
def stop_tuning_job(request: Request, context: Context) -> Response:
    def change(job: Resource) -> None:
        if job.status in jobs.FINISHED:
            raise ValidationException(f"The request was rejected because the {NOUN} is in status {job.status}.")
        job.status = "Stopping"

    context.app.resources.update(_find(request, context).arn, change)
    return {}


@operation("sagemaker", "DeleteHyperParameterTuningJob")
def delete_tuning_job(request: Request, context: Context) -> Response:
    """Its training jobs stay; what it noted of them goes, so that a new one of its name begins anew."""
    resources = context.app.resources
    job = resources.get(context.scope, KIND, request["HyperParameterTuningJobName"])
    if job is None:
        return {}
    with resources.database.transaction():
        jobs.delete(context, job, NOUN)
        for trial in trials_of(resources, job):
            resources.delete(trial.arn)
    return {}


@operation("sagemaker", "ListTrainingJobsForHyperParameterTuningJob")
def list_training_jobs(request: Request, context: Context) -> Response:
    tuning = _find(request, context)
    summaries = [
        describe(trial, training_job(context.app.resources, tuning, trial), tuning)
        for trial in trials_of(context.app.resources, tuning)
    ]
    if wanted := request.get("StatusEquals"):
        summaries = [summary for summary in summaries if summary["TrainingJobStatus"] == wanted]
    ordered = _sorted(summaries, request.get("SortBy", "Name"), request.get("SortOrder", "Ascending"))
    start = read_position(request.get("NextToken")) or 0
    end = start + request.get("MaxResults", jobs.DEFAULT_PAGE)
    token = write_position(end) if end < len(ordered) else None
    return {"TrainingJobSummaries": ordered[start:end], "NextToken": token}


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


def _find(request: Request, context: Context) -> Resource:
    return find_tuning_job(context, request["HyperParameterTuningJobName"])
