"""What the operations of all kinds of jobs share: create, describe, list, stop, delete."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.aws.arns import sagemaker_arn
from emulator.aws.errors import AwsError, ResourceInUse, ResourceLimitExceeded, ValidationException
from emulator.aws.operations import Request, Response
from emulator.services.context import Context
from emulator.services.sagemaker.job_components import check_config, track
from emulator.services.sagemaker.paging import paging
from emulator.services.sagemaker.tags import check_new_tags
from emulator.store.resources import Query, Resource

DEFAULT_PAGE = 10
FINISHED = ("Completed", "Failed", "Stopped")
NAME_TAKEN = "Job name must be unique within an AWS account and region, and a job with this name already exists"


def not_found(name: str) -> AwsError:
    """AWS answers Describe and Stop of a job that is not there so, not with ResourceNotFound."""
    return ValidationException(f"Could not find requested job with name: {name}")


def _nothing(job: Resource) -> None:
    """Nothing is to be noted."""


@dataclass(frozen=True, slots=True)
class JobFamily:
    """The operations on one kind of job, each of which calls its members after it."""

    kind: str
    name: str
    """As the API's members begin: ProcessingJob."""
    noun: str
    """As sentences have it: processing job."""
    name_taken: str = NAME_TAKEN
    not_found: Callable[[str], AwsError] = not_found

    def create(self, context: Context, body: dict[str, Any]) -> Resource:
        """Store a new job, of which ``body`` is the request, as InProgress and start it.

        Raises:
            ResourceInUse: the name is taken.
            ResourceNotFound: it names an experiment that does not exist.
        """
        name, tags = body.pop(f"{self.name}Name"), body.pop("Tags", [])
        check_new_tags(tags)
        check_config(context, body)
        arn = sagemaker_arn(context.account, context.region, self.kind, name)
        job = Resource(context.scope, self.kind, name, arn, body, status="InProgress")
        resources = context.app.resources
        with resources.database.transaction():
            if not resources.insert(job):
                raise ResourceInUse(f"{self.name_taken} ({arn})")
            resources.add_tags(arn, tags)
            track(context, job)
        context.app.jobs.submit(job)
        return job

    def check_hosts(self, context: Context, count: int) -> None:
        """
        Raises:
            ResourceLimitExceeded: a job of so many instances is not run here.
        """
        limit = context.app.jobs.max_hosts
        if count > limit:
            raise ResourceLimitExceeded(
                f"The account-level service limit 'Number of instances for a {self.noun}' is {limit} Instances, with"
                f" current utilization of 0 Instances and a request delta of {count} Instances. Please use AWS Service"
                " Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS"
                f" support to request an increase for this quota. ({context.app.jobs.max_hosts_reason})"
            )

    def find(self, request: Request, context: Context) -> Resource:
        """The job that a request names.

        Raises:
            AwsError: there is none, in AWS's words.
        """
        name = request[f"{self.name}Name"]
        job = context.app.resources.get(context.scope, self.kind, name)
        if job is None:
            raise self.not_found(name)
        return job

    def described(self, job: Resource) -> dict[str, Any]:
        """What Describe and List say of every job."""
        return {
            f"{self.name}Name": job.name,
            f"{self.name}Arn": job.arn,
            f"{self.name}Status": job.status,
            "CreationTime": job.created,
            "LastModifiedTime": job.modified,
        }

    def query(self, request: Request) -> Query:
        """What a List operation asks for; AWS sorts jobs by creation time, ascending."""
        common = paging(request, order="Ascending", size=DEFAULT_PAGE)
        return Query(self.kind, status=request.get("StatusEquals"), **common)

    def list(self, request: Request, context: Context, summarize: Callable[[Resource], dict[str, Any]]) -> Response:
        """A page of summaries: what is described of every job, and what ``summarize`` adds."""
        page, token = context.app.resources.page(context.scope, self.query(request))
        return {f"{self.name}Summaries": [self.described(job) | summarize(job) for job in page], "NextToken": token}

    def stop(self, request: Request, context: Context, note: Callable[[Resource], None] = _nothing) -> Response:
        """Make a running job Stopping; ``note`` may add to its body.

        Raises:
            ValidationException: the job has ended.
        """
        job = self.find(request, context)

        def change(current: Resource) -> None:
            if current.status in FINISHED:
                raise ValidationException(
                    f"The request was rejected because the {self.noun} is in status {current.status}."
                )
            if current.status == "InProgress":
                note(current)
                current.status = "Stopping"

        context.app.resources.update(job.arn, change)
        context.app.jobs.stop(job.arn)
        return {}

    def delete(self, context: Context, job: Resource) -> None:
        """
        Raises:
            ResourceInUse: the job has not ended.
        """
        if job.status not in FINISHED:
            raise ResourceInUse(
                f"The {self.noun} {job.name} is in status {job.status}. Only a {self.noun} that is Completed, Failed or"
                " Stopped can be deleted."
            )
        context.app.resources.delete(job.arn)
