"""Sub-resources of buckets that the emulator does not model: reading one answers as a new bucket does on AWS.

Changing them is refused by name (NotImplemented), so a bucket keeps looking new, and what is read stays true.
"""

from __future__ import annotations

from typing import Any

from emulator.aws.errors import AwsError
from emulator.aws.operations import Handler, Request, Response, operation
from emulator.services.context import Context

_ABSENT = {
    "GetBucketCors": ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
    "GetBucketLifecycleConfiguration": (
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    ),
    "GetBucketWebsite": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "GetObjectLockConfiguration": (
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    ),
}

_DEFAULTS: dict[str, dict[str, Any]] = {
    "GetBucketRequestPayment": {"Payer": "BucketOwner"},
    "GetBucketLogging": {},
    "GetBucketAccelerateConfiguration": {},
    "ListBucketAnalyticsConfigurations": {"IsTruncated": False},
    "ListBucketIntelligentTieringConfigurations": {"IsTruncated": False},
    "ListBucketInventoryConfigurations": {"IsTruncated": False},
    "ListBucketMetricsConfigurations": {"IsTruncated": False},
}

_NOTHING_TO_DELETE = (
    "DeleteBucketCors",
    "DeleteBucketLifecycle",
    "DeleteBucketWebsite",
    "DeleteBucketReplication",
)
"""Deleting what no bucket has succeeds on AWS and changes nothing."""


def _absent(code: str, message: str) -> Handler:
    def refuse(request: Request, context: Context) -> Response:
        raise AwsError(message, code=code, status=404, extra={"BucketName": request["Bucket"]})

    return refuse


def _answer(response: dict[str, Any]) -> Handler:
    return lambda request, context: response


for _name, (_code, _message) in _ABSENT.items():
    operation("s3", _name)(_absent(_code, _message))
for _name, _response in _DEFAULTS.items():
    operation("s3", _name)(_answer(_response))
for _name in _NOTHING_TO_DELETE:
    operation("s3", _name)(_answer({}))
