"""Settings of buckets that are kept and given back: policy, default encryption, public access, ownership.

Nothing follows from them here, as nothing follows from the policies of roles: every caller may do everything in the
account's buckets, and what is encrypted on a disk nobody sees. A bucket that was never asked has AWS's defaults.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from emulator.aws.errors import AwsError
from emulator.aws.operations import Handler, Request, Response, operation
from emulator.services.context import Context

_NO_CONTENT = {"ResponseMetadata": {"HTTPStatusCode": 204}}


@dataclass(frozen=True, slots=True)
class Setting:
    """``name`` as in its operations (PutBucketPolicy), ``member`` that carries it, its error where there is none."""

    name: str
    member: str
    code: str
    message: str
    default: Any = None
    """What a new bucket has."""
    deleted: Any = None
    """What a bucket has after the setting was deleted."""

    def get(self, request: Request, context: Context) -> Response:
        bucket = request["Bucket"]
        try:
            value = context.app.objects.bucket_table.setting(bucket, self.name)
        except KeyError:
            value = self.default
        if value is None:
            raise AwsError(self.message, code=self.code, status=404, extra={"BucketName": bucket})
        return {self.member: value}

    def put(self, request: Request, context: Context) -> Response:
        context.app.objects.bucket_table.set_setting(request["Bucket"], self.name, request[self.member])
        return {}

    def delete(self, request: Request, context: Context) -> Response:
        context.app.objects.bucket_table.set_setting(request["Bucket"], self.name, self.deleted)
        return _NO_CONTENT


_AES256 = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
POLICY = Setting("BucketPolicy", "Policy", "NoSuchBucketPolicy", "The bucket policy does not exist")
ENCRYPTION = Setting("BucketEncryption", "ServerSideEncryptionConfiguration", "", "", _AES256, _AES256)
PUBLIC_ACCESS = Setting(
    "PublicAccessBlock",
    "PublicAccessBlockConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "The public access block configuration was not found",
    dict.fromkeys(_BLOCKS, True),
)
OWNERSHIP = Setting(
    "BucketOwnershipControls",
    "OwnershipControls",
    "OwnershipControlsNotFoundError",
    "The bucket ownership controls were not found",
    {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
)


@operation("s3", "PutBucketPolicy", blocking=True)
def put_bucket_policy(request: Request, context: Context) -> Response:
    _check_policy(request["Policy"])
    POLICY.put(request, context)
    return _NO_CONTENT


@operation("s3", "PutPublicAccessBlock", blocking=True)
def put_public_access_block(request: Request, context: Context) -> Response:
    """What the request leaves out is off."""
    given = request[PUBLIC_ACCESS.member]
    blocks = {block: given.get(block, False) for block in _BLOCKS}
    return PUBLIC_ACCESS.put({**request, PUBLIC_ACCESS.member: blocks}, context)


def _check_policy(text: str) -> None:
    """
    Raises:
        AwsError: MalformedPolicy.
    """
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        policy = None
    if not isinstance(policy, dict):
        message = "Policies must be valid JSON and the first byte must be '{'"
        raise AwsError(message, code="MalformedPolicy", status=400)
    if not policy.get("Statement"):
        raise AwsError("Missing required field Statement", code="MalformedPolicy", status=400)


def _register(name: str, handler: Handler) -> None:
    operation("s3", name, blocking=not name.startswith("Get"))(handler)


for _setting in (POLICY, ENCRYPTION, PUBLIC_ACCESS, OWNERSHIP):
    _register(f"Get{_setting.name}", _setting.get)
    _register(f"Delete{_setting.name}", _setting.delete)
for _setting in (ENCRYPTION, OWNERSHIP):
    _register(f"Put{_setting.name}", _setting.put)
