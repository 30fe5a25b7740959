"""Model package groups: the named series of a model's versions (API Reference, ModelPackageGroup)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.aws.arns import sagemaker_arn
from emulator.aws.errors import ConflictException, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.sagemaker.paging import paging
from emulator.services.sagemaker.tags import check_new_tags
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

KIND = "model-package-group"
LAST_VERSION = "LastVersion"
"""Member of the stored body: the highest version ever given, so that no version is given twice."""


@operation("sagemaker", "CreateModelPackageGroup")
def create_model_package_group(request: Request, context: Context) -> Response:
    name = request["ModelPackageGroupName"]
    tags = request.get("Tags") or []
    check_new_tags(tags)
    arn = sagemaker_arn(context.account, context.region, KIND, name)
    body = {key: request[key] for key in ("ModelPackageGroupDescription", "ManagedConfiguration") if key in request}
    group = Resource(context.scope, KIND, name, arn, body | {LAST_VERSION: 0}, status="Completed")
    resources = context.app.resources
    with resources.database.transaction():
        if not resources.insert(group):
            raise ValidationException(f"Model Package Group already exists: {arn}")
        resources.add_tags(arn, tags)
    return {"ModelPackageGroupArn": arn}


@operation("sagemaker", "DescribeModelPackageGroup")
def describe_model_package_group(request: Request, context: Context) -> Response:
    return summary(find_group(context, request["ModelPackageGroupName"])) | {"CreatedBy": {}}


@operation("sagemaker", "ListModelPackageGroups")
def list_model_package_groups(request: Request, context: Context) -> Response:
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"ModelPackageGroupSummaryList": []}  # nothing is ever shared with this account
    groups, token = context.app.resources.page(context.scope, Query(KIND, **registry_paging(request)))
    return {"ModelPackageGroupSummaryList": [summary(group) for group in groups], "NextToken": token}


@operation("sagemaker", "DeleteModelPackageGroup")
def delete_model_package_group(request: Request, context: Context) -> Response:
    group = find_group(context, request["ModelPackageGroupName"])
    resources = context.app.resources
    with resources.database.transaction():
        if resources.count(context.scope, "model-package", parent=group.name):
            raise ConflictException(
                f"Model Package Group {group.arn} cannot be deleted because it still contains Model Packages."
            )
        resources.delete(group.arn)
    return {}


def find_group(context: Context, name_or_arn: str) -> Resource:
    """The group of that name or ARN, names in any case.

    Raises:
        ValidationException: there is none, in AWS's words.
    """
    return find_registered(context, KIND, "ModelPackageGroup", name_or_arn)


def find_registered(context: Context, kind: str, noun: str, name_or_arn: str) -> Resource:
    """What the registry of this region has of a kind, also of another account, which may be named by its ARN alone.

    Raises:
        ValidationException: it has none, in AWS's words.
    """
    arn = name_or_arn
    if not arn.startswith("arn:"):
        arn = sagemaker_arn(context.account, context.region, kind, name_or_arn)
    found = context.app.resources.by_arn(arn)
    if found is None or found.kind != kind or found.scope.region != context.region:
        raise ValidationException(f"{noun} {arn} does not exist.")
    return found


def summary(group: Resource) -> dict[str, Any]:
    """The members of ModelPackageGroupSummary."""
    return {
        "ModelPackageGroupName": group.name,
        "ModelPackageGroupArn": group.arn,
        "ModelPackageGroupDescription": group.body.get("ModelPackageGroupDescription"),
        "CreationTime": group.created,
        "ModelPackageGroupStatus": group.status,
        "ManagedConfiguration": group.body.get("ManagedConfiguration"),
    }


def registry_paging(request: Request) -> dict[str, Any]:
    """The paging of the registry's List operations: the newest comes first by default.

    The API Reference says ascending, but AWS's own templates take the first of an unsorted list as the latest, and so
    do programs that were written against the service.
    """
    by_time = request.get("SortBy", "CreationTime") == "CreationTime"
    return paging(request, order="Descending" if by_time else "Ascending")
