"""What S3 refuses of a notification configuration (API Reference, PutBucketNotificationConfiguration)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from itertools import combinations
from typing import Any

from emulator.aws.arns import Arn
from emulator.aws.errors import AwsError, ValidationException
from emulator.aws.service_models import service_model
from emulator.services.context import Context
from emulator.services.s3.errors import invalid_argument
from emulator.store.resources import Scope

_MAX_VALUE = 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of destination: the members that hold it, its service, and the operation that finds it."""

    member: str
    arn: str
    service: str
    noun: str
    operation: str
    parameter: str


KINDS = (
    Kind("QueueConfigurations", "QueueArn", "sqs", "queue", "GetQueueUrl", "QueueName"),
    Kind("TopicConfigurations", "TopicArn", "sns", "topic", "GetTopicAttributes", "TopicArn"),
    Kind("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda", "Lambda", "GetFunctionConfiguration",
         "FunctionName"),
)  # fmt: skip


def entries_of(configuration: Mapping[str, Any]) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """Every entry of a configuration that names a destination of its own."""
    for kind in KINDS:
        for entry in configuration.get(kind.member) or []:
            yield kind, entry


def filter_of(entry: Mapping[str, Any]) -> tuple[str, str]:
    """The prefix and suffix that the keys of an entry must have."""
    rules = ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    values = {rule["Name"].lower(): rule.get("Value") or "" for rule in rules}
    return values.get("prefix", ""), values.get("suffix", "")


def check_configuration(configuration: Mapping[str, Any], bucket: str, context: Context, *, destinations: bool) -> None:
    """
    Raises:
        AwsError: InvalidArgument.
    """
    entries = list(entries_of(configuration))
    region = context.app.objects.bucket_table.require(bucket).region
    for kind, entry in entries:
        arn = _checked_arn(kind, entry[kind.arn], region)
        _check_events(entry["Events"])
        _check_filter(entry)
        if destinations:
            _check_destination(kind, arn, context)
    _check_ids([entry["Id"] for _, entry in entries if entry.get("Id")])
    for (_, one), (_, other) in combinations(entries, 2):
        _check_overlap(one, other)


def _checked_arn(kind: Kind, text: str, region: str) -> Arn:
    try:
        arn = Arn.parse(text)
    except ValidationException:
        raise invalid_argument("The ARN could not be parsed", kind.arn, text) from None
    if arn.service != kind.service:
        raise invalid_argument("The ARN could not be parsed", kind.arn, text)
    if arn.region != region:
        message = "The notification destination service region is not valid for the bucket location constraint"
        raise invalid_argument(message, kind.arn, text)
    return arn


@cache
def _supported() -> frozenset[str]:
    shape: Any = service_model("s3").shape_for("Event")
    return frozenset(shape.enum)


def _check_events(events: list[str]) -> None:
    for event in events:
        if event not in _supported():
            raise invalid_argument(f"The event '{event}' is not supported for notifications", "Event", event)


def _check_filter(entry: Mapping[str, Any]) -> None:
    rules = ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules") or []
    names = []
    for rule in rules:
        name, value = (rule.get("Name") or "").lower(), rule.get("Value") or ""
        if name not in ("prefix", "suffix"):
            message = "filter rule name must be either prefix or suffix"
            raise invalid_argument(message, "FilterRule.Name", rule.get("Name") or "")
        if name in names:
            message = f"Cannot specify more than one {name} rule in a filter."
            raise invalid_argument(message, "FilterRule.Name", rule["Name"])
        if len(value.encode()) > _MAX_VALUE:
            message = f"Size of filter rule value cannot exceed {_MAX_VALUE} bytes in UTF-8 representation"
            raise invalid_argument(message, "FilterRule.Value", value)
        names.append(name)


def _check_destination(kind: Kind, arn: Arn, context: Context) -> None:
    if kind.service == "sqs" and arn.resource.endswith(".fifo"):
        raise _invalid_destination(arn, "FIFO SQS queues are not supported.")
    name = arn.resource if kind.service == "sqs" else str(arn)
    try:
        context.app.invoke(Scope(arn.account, arn.region), kind.service, kind.operation, {kind.parameter: name})
    except AwsError as error:
        raise _invalid_destination(arn, f"The destination {kind.noun} does not exist") from error


def _invalid_destination(arn: Arn, reason: str) -> AwsError:
    return invalid_argument("Unable to validate the following destination configurations", str(arn), reason)


def _check_ids(ids: list[str]) -> None:
    for each in ids:
        if ids.count(each) > 1:
            raise invalid_argument("Same ID used for multiple configurations. IDs must be unique", "Id", each)


def _check_overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    if not _names(one) & _names(other):
        return
    (prefix, suffix), (other_prefix, other_suffix) = filter_of(one), filter_of(other)
    prefixes = prefix.startswith(other_prefix) or other_prefix.startswith(prefix)
    if prefixes and (suffix.endswith(other_suffix) or other_suffix.endswith(suffix)):
        raise AwsError(
            "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are"
            " overlapping for the same event type.",
            code="InvalidArgument",
        )


def _names(entry: Mapping[str, Any]) -> set[str]:
    """The single events that an entry asks for."""
    return {name for name in _supported() for event in entry["Events"] if fnmatchcase(name, event)}
