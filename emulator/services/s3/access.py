"""What holds for every request: whose bucket it is, and which options the emulator has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.aws.errors import NotImplementedHere
from emulator.services.context import Context
from emulator.services.s3.errors import access_denied, acl_not_supported

_WITHOUT_BUCKET = {"CreateBucket", "ListBuckets"}
_MISSING = {
    "SSECustomerAlgorithm": "encryption with customer-provided keys (SSE-C)",
    "CopySourceSSECustomerAlgorithm": "encryption with customer-provided keys (SSE-C)",
    "ObjectLockMode": "Object Lock",
    "ObjectLockLegalHoldStatus": "Object Lock",
    "ObjectLockEventHold": "Object Lock",
    "ObjectLockEnabledForBucket": "Object Lock",
    "WriteOffsetBytes": "appending (a feature of directory buckets)",
}
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")


def check_access(operation: str, members: Mapping[str, Any], context: Context) -> None:
    """Refuse what may not or cannot be done, before a body is read.

    Raises:
        AwsError: NoSuchBucket; AccessDenied: another account's bucket; NotImplemented: an option of ``_MISSING``;
            AccessControlListNotSupported: buckets have ACLs disabled, as new ones on AWS do.
    """
    for member, feature in _MISSING.items():
        if members.get(member):
            raise NotImplementedHere(
                f"The emulator does not have {feature} in Amazon S3 yet ({member} in {operation})."
            )
    check_acl(operation, members)
    if operation not in _WITHOUT_BUCKET:
        check_owner(members["Bucket"], members.get("ExpectedBucketOwner"), context)


def check_acl(operation: str, members: Mapping[str, Any]) -> None:
    """Accept only what leaves everything with the bucket's owner. A new bucket is private anyway."""
    accepted = {"", "bucket-owner-full-control"} | ({"private"} if operation == "CreateBucket" else set())
    if members.get("ACL", "") not in accepted or any(members.get(grant) for grant in _GRANTS):
        raise acl_not_supported()


def check_owner(bucket: str, expected: str | None, context: Context) -> None:
    """The bucket must be there and be the caller's own.

    Raises:
        AwsError: NoSuchBucket, AccessDenied.
    """
    owner = context.app.objects.bucket_table.require(bucket).account
    if owner != context.account or (expected is not None and expected != owner):
        raise access_denied()
