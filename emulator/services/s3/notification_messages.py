"""The documents that tell of an event of an object: the records of the S3 User Guide ("Event message structure") and
the event of EventBridge ("EventBridge event message structure")."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from emulator.aws.arns import partition_of
from emulator.services.events.putting import new_event
from emulator.store.object_events import ObjectEvent

_BRIDGED = {
    "ObjectCreated": "Object Created",
    "ObjectRemoved": "Object Deleted",
    "ObjectTagging:Put": "Object Tags Added",
    "ObjectTagging:Delete": "Object Tags Deleted",
}
_REASONS = {
    "ObjectCreated:Put": "PutObject",
    "ObjectCreated:Copy": "CopyObject",
    "ObjectCreated:CompleteMultipartUpload": "CompleteMultipartUpload",
    "ObjectRemoved:Delete": "DeleteObject",
    "ObjectRemoved:DeleteMarkerCreated": "DeleteObject",
}
_DELETIONS = {
    "ObjectRemoved:Delete": "Permanently Deleted",
    "ObjectRemoved:DeleteMarkerCreated": "Delete Marker Created",
}


def bridged(event: ObjectEvent) -> dict[str, Any]:
    """The event for the default bus. The key is as it is."""
    kind = _BRIDGED.get(event.name) or _BRIDGED[event.name.partition(":")[0]]
    shown = {
        "key": event.key,
        "size": event.size,
        "etag": event.etag,
        "version-id": event.version,
        "sequencer": None if _is_tagging(event) else _sequencer(event),
    }
    detail = {
        "version": "0",
        "bucket": {"name": event.bucket},
        "object": _there(shown),
        "request-id": event.request_id,
        "requester": event.scope.account,
        "source-ip-address": event.address,
        "reason": _REASONS.get(event.name),
        "deletion-type": _DELETIONS.get(event.name),
    }
    return new_event(event.scope, "aws.s3", kind, _there(detail), resources=[_bucket_arn(event)], moment=event.at)


def records(event: ObjectEvent, configuration_id: str, user_id: str) -> str:
    """The message for queues, topics and functions. The key is encoded as in a form: a space is ``+``."""
    shown = {
        "key": quote_plus(event.key, safe="/"),
        "size": event.size,
        "eTag": event.etag,
        "versionId": event.version,
        "sequencer": None if _is_tagging(event) else _sequencer(event),
    }
    bucket = {"name": event.bucket, "ownerIdentity": {"principalId": event.scope.account}, "arn": _bucket_arn(event)}
    record = {
        "eventVersion": "2.3" if _is_tagging(event) else "2.1",
        "eventSource": "aws:s3",
        "awsRegion": event.scope.region,
        "eventTime": _time(event),
        "eventName": event.name,
        "userIdentity": {"principalId": f"AWS:{user_id}"},
        "requestParameters": {"sourceIPAddress": event.address},
        "responseElements": {"x-amz-request-id": event.request_id, "x-amz-id-2": secrets.token_urlsafe(48)},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": bucket,
            "object": _there(shown),
        },
    }
    return json.dumps({"Records": [record]})


def test_message(event: ObjectEvent) -> str:
    """What a queue or topic gets when it is configured."""
    message = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": _time(event),
        "Bucket": event.bucket,
        "RequestId": event.request_id,
        "HostId": secrets.token_urlsafe(48),
    }
    return json.dumps(message)


def _sequencer(event: ObjectEvent) -> str:
    """It orders the events of a key as text."""
    return f"{event.id:018X}"


def _is_tagging(event: ObjectEvent) -> bool:
    return event.name.startswith("ObjectTagging:")


def _bucket_arn(event: ObjectEvent) -> str:
    return f"arn:{partition_of(event.scope.region)}:s3:::{event.bucket}"


def _time(event: ObjectEvent) -> str:
    return datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _there(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
