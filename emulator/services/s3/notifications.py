"""Which events of a bucket are sent where: PutBucketNotificationConfiguration, GetBucketNotificationConfiguration."""

from __future__ import annotations

import uuid
from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.notification_checks import KINDS, check_configuration
from emulator.store.object_events import SETTING, Cause

_MEMBER = "NotificationConfiguration"
_BRIDGE = "EventBridgeConfiguration"


@operation("s3", "PutBucketNotificationConfiguration", blocking=True)
def put_bucket_notification_configuration(request: Request, context: Context) -> Response:
    """It replaces all that was configured; queues and topics get a test message, as on AWS."""
    given = request[_MEMBER]
    check_configuration(given, request["Bucket"], context, destinations=not request.get("SkipDestinationValidation"))
    configuration: dict[str, Any] = {_BRIDGE: {}} if given.get(_BRIDGE) is not None else {}
    for kind in KINDS:
        if given.get(kind.member):
            configuration[kind.member] = [_kept(entry) for entry in given[kind.member]]
    cause = Cause("", context.request_id, context.address)
    context.app.objects.events.configured(request["Bucket"], configuration, cause)
    return {}


@operation("s3", "GetBucketNotificationConfiguration")
def get_bucket_notification_configuration(request: Request, context: Context) -> Response:
    try:
        found: Response = context.app.objects.bucket_table.setting(request["Bucket"], SETTING)
    except KeyError:
        return {}
    return found


def _kept(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry with an id; names of filter rules are written as S3 gives them back."""
    kept = {"Id": str(uuid.uuid4())} | {name: value for name, value in entry.items() if value and name != "Filter"}
    rules = ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    if rules:
        shown = [{"Name": rule["Name"].capitalize(), "Value": rule.get("Value") or ""} for rule in rules]
        kept["Filter"] = {"Key": {"FilterRules": shown}}
    return kept
