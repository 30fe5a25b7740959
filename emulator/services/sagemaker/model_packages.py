"""Model packages: versions in a group of the model registry, and packages outside of any group.

A package is complete as soon as it is created, as on AWS where nothing needs validation. ``ValidationSpecification``,
by which AWS runs transform jobs to validate one, is refused.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from emulator.aws.arns import sagemaker_arn
from emulator.aws.errors import AwsError, NotImplementedHere, ValidationException
from emulator.aws.operations import Request, Response, operation
from emulator.services.idempotency import recall, remember
from emulator.services.sagemaker.job_components import note_untracked
from emulator.services.sagemaker.model_package_groups import (
    LAST_VERSION,
    find_group,
    find_registered,
    registry_paging,
)
from emulator.services.sagemaker.tags import check_new_tags
from emulator.store.objects import parse_s3_uri
from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

KIND = "model-package"
MAX_ADDITIONAL_SPECIFICATIONS = 15
MAX_CUSTOMER_METADATA = 50
_NOT_STORED = {"ClientToken", "Tags", "ModelPackageGroupName", "ModelPackageName"}
_BATCH_MEMBERS = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
)
_SUMMARY_MEMBERS = (*_BATCH_MEMBERS, "ModelPackageName", "ModelLifeCycle")


@operation("sagemaker", "CreateModelPackage")
def create_model_package(request: Request, context: Context) -> Response:
    _check_identity(request)
    _check_content(request, context)
    resources = context.app.resources
    with resources.database.transaction():
        earlier = recall(context, "CreateModelPackage", request)
        if earlier is None:
            package = _new_version(request, context) if "ModelPackageGroupName" in request else _new(request, context)
            if not resources.insert(package):
                raise ValidationException(f"Model Package already exists: {package.arn}")
            resources.add_tags(package.arn, request.get("Tags") or [])
            note_untracked(context, package)
            remember(context, "CreateModelPackage", request, package.arn)
    return {"ModelPackageArn": earlier or package.arn}


@operation("sagemaker", "DescribeModelPackage")
def describe_model_package(request: Request, context: Context) -> Response:
    return describe(find_package(context, request["ModelPackageName"]))


@operation("sagemaker", "UpdateModelPackage")
def update_model_package(request: Request, context: Context) -> Response:
    package = find_package(context, request["ModelPackageArn"])
    if "ModelApprovalStatus" in request and not package.parent:
        raise ValidationException("ModelApprovalStatus cannot be updated for an unversioned model package.")
    context.app.resources.update(package.arn, lambda stored: _apply(request, stored.body))
    return {"ModelPackageArn": package.arn}


@operation("sagemaker", "ListModelPackages")
def list_model_packages(request: Request, context: Context) -> Response:
    group = request.get("ModelPackageGroupName")
    kind = request.get("ModelPackageType", "Versioned" if group else "Unversioned")
    approval = request.get("ModelApprovalStatus")
    query = Query(
        KIND,
        parent=find_group(context, group).name if group else None,
        has_parent={"Versioned": True, "Unversioned": False, "Both": None}[kind],
        members={"ModelApprovalStatus": approval} if approval else {},
        **registry_paging(request),
    )
    packages, token = context.app.resources.page(context.scope, query)
    return {"ModelPackageSummaryList": [_pick(package, _SUMMARY_MEMBERS) for package in packages], "NextToken": token}


@operation("sagemaker", "DeleteModelPackage")
def delete_model_package(request: Request, context: Context) -> Response:
    context.app.resources.delete(find_package(context, request["ModelPackageName"]).arn)
    return {}


@operation("sagemaker", "BatchDescribeModelPackage")
def batch_describe_model_package(request: Request, context: Context) -> Response:
    found: dict[str, Any] = {}
    failed: dict[str, Any] = {}
    for arn in request["ModelPackageArnList"]:
        try:
            found[arn] = _pick(find_package(context, arn), _BATCH_MEMBERS)
        except AwsError as error:
            failed[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": failed}


def find_package(context: Context, name_or_arn: str) -> Resource:
    """The package of that ARN, or of a name: ``NAME`` outside of groups, ``GROUP/VERSION`` within.

    Raises:
        ValidationException: there is none, in AWS's words.
    """
    return find_registered(context, KIND, "ModelPackage", name_or_arn)


def describe(package: Resource) -> Response:
    """The members of DescribeModelPackage; a version carries its group's name and its number, but no name."""
    return package.body | {
        "ModelPackageName": None if package.parent else package.name,
        "ModelPackageGroupName": package.parent or None,
        "ModelPackageArn": package.arn,
        "ModelPackageStatus": package.status,
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CreationTime": package.created,
        "CreatedBy": {},
        "LastModifiedTime": package.modified if package.modified > package.created else None,
        "LastModifiedBy": {} if package.modified > package.created else None,
    }


def _pick(package: Resource, members: tuple[str, ...]) -> Response:
    document = describe(package)
    return {member: document[member] for member in members if document.get(member) is not None}


def _new(request: Request, context: Context) -> Resource:
    name = request["ModelPackageName"]
    arn = sagemaker_arn(context.account, context.region, KIND, name)
    body = _stored(request)
    body.pop("ModelApprovalStatus", None)  # "does not apply to unversioned models" (API Reference)
    return _complete(context, name, arn, body)


def _new_version(request: Request, context: Context) -> Resource:
    """The next version of the group: numbers rise by one and are never given again, also after a delete."""
    group = find_group(context, request["ModelPackageGroupName"])
    version = group.body[LAST_VERSION] + 1
    context.app.resources.update(group.arn, lambda stored: stored.body.update({LAST_VERSION: version}))
    name = f"{group.name}/{version}"
    arn = sagemaker_arn(context.account, context.region, KIND, name)
    body = {
        "ModelApprovalStatus": "PendingManualApproval",
        "ModelPackageRegistrationType": "Registered",
        **_stored(request),
        "ModelPackageVersion": version,
    }
    return _complete(context, name, arn, body, parent=group.name)


def _complete(context: Context, name: str, arn: str, body: dict[str, Any], parent: str = "") -> Resource:
    now = time.time()
    return Resource(context.scope, KIND, name, arn, body, "Completed", parent, created=now, modified=now)


def _stored(request: Request) -> dict[str, Any]:
    return {"CertifyForMarketplace": False} | {
        member: value for member, value in request.items() if member not in _NOT_STORED and value is not None
    }


def _check_identity(request: Request) -> None:
    """A version of a group, or a name of its own; a version has the tags of its group."""
    grouped, named = "ModelPackageGroupName" in request, "ModelPackageName" in request
    if grouped and named:
        raise ValidationException(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input."
            " Cannot determine which one to use."
        )
    if not grouped and not named:
        raise ValidationException("Missing ARN.")
    if grouped and request.get("Tags"):
        raise ValidationException("Tags cannot be specified for a versioned model package: it uses its group's tags.")
    check_new_tags(request.get("Tags") or [])


def _check_content(request: Request, context: Context) -> None:
    for member in ("ValidationSpecification", "SourceAlgorithmSpecification"):
        if request.get(member):
            raise NotImplementedHere(f"CreateModelPackage with {member} is not implemented in this emulator yet.")
    if not any(request.get(member) for member in ("InferenceSpecification", "SourceUri", "ModelCard")):
        raise ValidationException("Either InferenceSpecification or SourceAlgorithmSpecification must be specified.")
    containers = request.get("InferenceSpecification", {}).get("Containers", [])
    if "ModelPackageName" in request and any(container.get("Environment") for container in containers):
        raise ValidationException(
            "1 validation errors detected:"
            "Environment variable map cannot be specified when using non-versioned ModelPackages"
        )
    if request.get("SkipModelValidation") != "All":
        for container in containers:
            source = container.get("ModelDataSource", {}).get("S3DataSource", {})
            if uri := container.get("ModelDataUrl") or source.get("S3Uri"):
                check_model_data(uri, context, prefix=source.get("S3DataType") == "S3Prefix")


def check_model_data(uri: str, context: Context, *, prefix: bool) -> None:
    """The model's data is there: an object, or for a prefix at least one object under it.

    Raises:
        ValidationException: it is not.
    """
    bucket, key = parse_s3_uri(uri)
    objects = context.app.objects
    if objects.bucket(bucket) is None or not (
        objects.list_objects(bucket, key, limit=1) if prefix else objects.head(bucket, key)
    ):
        raise ValidationException(f"Could not find model data at {uri}.")


def _apply(request: Request, body: dict[str, Any]) -> None:
    """Change the stored body as UpdateModelPackage asks: members replace, metadata and specifications merge."""
    for member in (
        "ModelApprovalStatus",
        "ModelPackageRegistrationType",
        "ApprovalDescription",
        "InferenceSpecification",
        "SourceUri",
        "ModelCard",
        "ModelLifeCycle",
    ):
        if member in request:
            body[member] = request[member]
    _merge_metadata(request, body)
    added = request.get("AdditionalInferenceSpecificationsToAdd", [])
    specifications = body.get("AdditionalInferenceSpecifications", []) + added
    if len(specifications) > MAX_ADDITIONAL_SPECIFICATIONS:
        raise ValidationException(
            "The total number of additional Inference Specifications cannot exceed"
            f" {MAX_ADDITIONAL_SPECIFICATIONS}; the model package would have {len(specifications)}."
        )
    if added:
        body["AdditionalInferenceSpecifications"] = specifications


def _merge_metadata(request: Request, body: dict[str, Any]) -> None:
    metadata = (body.pop("CustomerMetadataProperties", None) or {}) | request.get("CustomerMetadataProperties", {})
    for key in request.get("CustomerMetadataPropertiesToRemove", []):
        metadata.pop(key, None)
    if len(metadata) > MAX_CUSTOMER_METADATA:
        raise ValidationException(
            f"The model package would have {len(metadata)} customer metadata properties,"
            f" the limit is {MAX_CUSTOMER_METADATA}."
        )
    if metadata:
        body["CustomerMetadataProperties"] = metadata
