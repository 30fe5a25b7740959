"""Access control lists: disabled, as in every new bucket on AWS; reading one shows the owner's full control."""

from __future__ import annotations

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.buckets import owner_of
from emulator.services.s3.errors import acl_not_supported
from emulator.services.s3.lookup import find_object


@operation("s3", "GetBucketAcl")
def get_bucket_acl(request: Request, context: Context) -> Response:
    return _owner_only(context)


@operation("s3", "GetObjectAcl")
def get_object_acl(request: Request, context: Context) -> Response:
    find_object(request, context)
    return _owner_only(context)


@operation("s3", "PutBucketAcl")
def put_bucket_acl(request: Request, context: Context) -> Response:
    raise acl_not_supported()


@operation("s3", "PutObjectAcl")
def put_object_acl(request: Request, context: Context) -> Response:
    find_object(request, context)
    if request.get("ACL") != "bucket-owner-full-control":
        raise acl_not_supported()
    return {}


def _owner_only(context: Context) -> Response:
    owner = owner_of(context.account)
    return {"Owner": owner, "Grants": [{"Grantee": {"Type": "CanonicalUser", **owner}, "Permission": "FULL_CONTROL"}]}
