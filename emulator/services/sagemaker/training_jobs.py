"""Training jobs: create, describe, list, update, stop, delete."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from emulator.aws.errors import ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.jobs.hosts import cluster
from emulator.jobs.plan import DEFAULT_MAX_RUNTIME
from emulator.jobs.training import KIND
from emulator.jobs.transitions import move_to
from emulator.services.context import Context
from emulator.services.sagemaker import profiler_rules, training_requests, warm_pools
from emulator.services.sagemaker.jobs import JobFamily
from emulator.store.resources import Resource

FAMILY = JobFamily(
    KIND,
    "TrainingJob",
    "training job",
    "Training job names must be unique within an AWS account and region, and a training job with this name already"
    " exists",
    lambda name: ValidationException("Requested resource not found."),
)
_DEFAULTS = ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining")


@operation("sagemaker", "CreateTrainingJob")
def create_training_job(request: Request, context: Context) -> Response:
    body = dict(request)
    body["StoppingCondition"] = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME, **body.get("StoppingCondition", {})}
    for member in _DEFAULTS:
        body.setdefault(member, False)
    training_requests.check(body)
    warm_pools.check(body)
    training_requests.define_metrics(body)
    training_requests.check_data(body, context)
    FAMILY.check_hosts(context, len(cluster(body["ResourceConfig"])))
    now = time.time()
    move_to(body, "Starting", "Starting the training job", now)
    job = FAMILY.create(context, body)
    warm_pools.take_over(context, job, now)
    return {"TrainingJobArn": job.arn}


@operation("sagemaker", "DescribeTrainingJob")
def describe_training_job(request: Request, context: Context) -> Response:
    job = FAMILY.find(request, context)
    return {
        **job.body,
        **_completed(job.body),
        **profiler_rules.evaluations(job),
        **FAMILY.described(job),
        warm_pools.STATUS: warm_pools.status(job, time.time()),
    }


def _completed(body: dict[str, Any]) -> dict[str, Any]:
    """Members that AWS describes whether a request gave what is in them or not; SDK v2 reads the key of the output."""
    described: dict[str, Any] = {
        "AlgorithmSpecification": {"EnableSageMakerMetricsTimeSeries": False, **body["AlgorithmSpecification"]},
        "OutputDataConfig": {"KmsKeyId": "", **body["OutputDataConfig"]},
    }
    if "InputDataConfig" in body:
        described["InputDataConfig"] = [_channel(channel) for channel in body["InputDataConfig"]]
    return described


def _channel(channel: dict[str, Any]) -> dict[str, Any]:
    source = channel["DataSource"].get("S3DataSource")
    if source is not None:
        whole = {"S3DataDistributionType": "FullyReplicated", **source}
        channel = {**channel, "DataSource": {**channel["DataSource"], "S3DataSource": whole}}
    return {"CompressionType": "None", "RecordWrapperType": "None", **channel}


@operation("sagemaker", "ListTrainingJobs")
def list_training_jobs(request: Request, context: Context) -> Response:
    wanted, now = FAMILY.query(request), time.time()
    found: list[Resource] = []
    token = wanted.next_token
    while True:
        query = replace(wanted, max_results=wanted.max_results - len(found), next_token=token)
        page, token = context.app.resources.page(context.scope, query)
        found += [job for job in page if _is_listed(job, request, now)]
        if token is None or len(found) == wanted.max_results:
            return {"TrainingJobSummaries": [_summary(job, now) for job in found], "NextToken": token}


def _is_listed(job: Resource, request: Request, now: float) -> bool:
    pool = request.get("WarmPoolStatusEquals")
    training_plan = request.get("TrainingPlanArnEquals")
    if pool is not None and (warm_pools.status(job, now) or {}).get("Status") != pool:
        return False
    return training_plan in (None, job.body["ResourceConfig"].get("TrainingPlanArn"))


def _summary(job: Resource, now: float) -> dict[str, Any]:
    return {
        **FAMILY.described(job),
        "TrainingEndTime": job.body.get("TrainingEndTime"),
        "SecondaryStatus": job.body.get("SecondaryStatus"),
        warm_pools.STATUS: warm_pools.status(job, now),
    }


@operation("sagemaker", "UpdateTrainingJob")
def update_training_job(request: Request, context: Context) -> Response:
    job = FAMILY.find(request, context)
    training_requests.check_features(request)
    context.app.resources.update(job.arn, lambda current: _update(current, request))
    return {"TrainingJobArn": job.arn}


def _update(job: Resource, request: Request) -> None:
    """
    Raises:
        ValidationException: the job is not in a state in which that can be changed.
    """
    for member in ("ProfilerConfig", "RemoteDebugConfig"):
        if member in request:
            _check_runs(job, member)
            job.body[member] = {**job.body.get(member, {}), **request[member]}
    if profiler_rules.MEMBER in request:
        _check_runs(job, profiler_rules.MEMBER)
        job.body[profiler_rules.MEMBER] = request[profiler_rules.MEMBER]
    if "ResourceConfig" in request:
        warm_pools.keep_alive(job, request["ResourceConfig"]["KeepAlivePeriodInSeconds"], time.time())


def _check_runs(job: Resource, member: str) -> None:
    """The profiler and remote debugging are of use as long as a job's container runs, or is about to."""
    secondary = job.body["SecondaryStatus"]
    if job.status != "InProgress" or secondary not in ("Starting", "Downloading", "Training"):
        raise ValidationException(
            f"{member} can only be updated before or while the training job trains, but {job.name} is in status"
            f" {job.status}, secondary status {secondary}."
        )


@operation("sagemaker", "StopTrainingJob")
def stop_training_job(request: Request, context: Context) -> Response:
    def note(job: Resource) -> None:
        move_to(job.body, "Stopping", "Stopping the training job", time.time())

    return FAMILY.stop(request, context, note)


@operation("sagemaker", "DeleteTrainingJob")
def delete_training_job(request: Request, context: Context) -> Response:
    FAMILY.delete(context, FAMILY.find(request, context))
    return {}
