"""Buckets: CreateBucket, HeadBucket, ListBuckets, DeleteBucket, GetBucketLocation."""

from __future__ import annotations

from emulator.aws.arns import partition_of
from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.bucket_settings import OWNERSHIP
from emulator.services.s3.errors import invalid_argument
from emulator.store.buckets import Bucket, valid_name
from emulator.store.object_errors import invalid_bucket_name
from emulator.store.resources import Scope

_ALIASES = {"EU": "eu-west-1"}
_LEGACY_REGION = "us-east-1"
"""The region whose location constraint is null, and where creating one's own bucket again succeeds."""


@operation("s3", "CreateBucket", blocking=True)
def create_bucket(request: Request, context: Context) -> Response:
    name = request["Bucket"]
    configuration = request.get("CreateBucketConfiguration") or {}
    region = _location(configuration.get("LocationConstraint"), context.region)
    objects = context.app.objects
    if not objects.create_bucket(Scope(context.account, region), name):
        _check_taken(objects.bucket_table.require(name), context)
    elif request.get("ObjectOwnership"):
        rules = {"Rules": [{"ObjectOwnership": request["ObjectOwnership"]}]}
        objects.bucket_table.set_setting(name, OWNERSHIP.name, rules)
    tags = configuration.get("Tags")
    if tags:
        objects.bucket_table.set_tags(name, {tag["Key"]: tag["Value"] for tag in tags})
    return {"Location": f"/{name}", "BucketArn": f"arn:{partition_of(region)}:s3:::{name}"}


@operation("s3", "HeadBucket")
def head_bucket(request: Request, context: Context) -> Response:
    name = request["Bucket"]
    region = context.app.objects.bucket_table.require(name).region
    return {"BucketRegion": region, "AccessPointAlias": False, "BucketArn": f"arn:{partition_of(region)}:s3:::{name}"}


@operation("s3", "ListBuckets")
def list_buckets(request: Request, context: Context) -> Response:
    limit = request.get("MaxBuckets", 10_000)
    if not 1 <= limit <= 10_000:
        raise invalid_argument("Argument max-buckets must be an integer between 1 and 10000", "max-buckets", str(limit))
    after, prefix, region = (request.get(name, "") for name in ("ContinuationToken", "Prefix", "BucketRegion"))
    found = [
        bucket
        for bucket in context.app.objects.buckets(context.account)
        if bucket.name > after and bucket.name.startswith(prefix) and region in ("", bucket.region)
    ]
    page = found[:limit]
    return {
        "Buckets": [_entry(bucket) for bucket in page],
        "Owner": owner_of(context.account),
        "ContinuationToken": page[-1].name if len(found) > limit else None,
        "Prefix": request.get("Prefix"),
    }


@operation("s3", "DeleteBucket", blocking=True)
def delete_bucket(request: Request, context: Context) -> Response:
    context.app.objects.delete_bucket(request["Bucket"])
    return {}


@operation("s3", "GetBucketLocation")
def get_bucket_location(request: Request, context: Context) -> Response:
    region = context.app.objects.bucket_table.require(request["Bucket"]).region
    return {"LocationConstraint": "" if region == _LEGACY_REGION else region}


def owner_of(account: str) -> dict[str, str]:
    """The owner of buckets and objects. S3's canonical user ids are long; the account tells more."""
    return {"ID": account.rjust(64, "0"), "DisplayName": account}


def _entry(bucket: Bucket) -> Response:
    arn = f"arn:{partition_of(bucket.region)}:s3:::{bucket.name}"
    return {"Name": bucket.name, "CreationDate": bucket.created, "BucketRegion": bucket.region, "BucketArn": arn}


def _location(constraint: str | None, region: str) -> str:
    """Where a bucket is made: what us-east-1 is asked may be anywhere, other regions make their own only."""
    given = _LEGACY_REGION if not constraint else _ALIASES.get(constraint, constraint)
    if given == region and constraint != _LEGACY_REGION:
        return given
    if constraint == _LEGACY_REGION:
        raise AwsError("The specified location-constraint is not valid", code="InvalidLocationConstraint")
    if region != _LEGACY_REGION:
        raise AwsError(
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific endpoint"
            " this request was sent to.",
            code="IllegalLocationConstraintException",
        )
    return given


def _check_taken(bucket: Bucket, context: Context) -> None:
    """What creating a bucket that is there already answers."""
    if not valid_name(bucket.name):
        raise invalid_bucket_name(bucket.name)
    if bucket.account != context.account:
        raise AwsError(
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system."
            " Please select a different name and try again.",
            code="BucketAlreadyExists",
            status=409,
            extra={"BucketName": bucket.name},
        )
    if not bucket.region == context.region == _LEGACY_REGION:
        raise AwsError(
            "Your previous request to create the named bucket succeeded and you already own it.",
            code="BucketAlreadyOwnedByYou",
            status=409,
            extra={"BucketName": bucket.name},
        )
