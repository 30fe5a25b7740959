"""Objects: PutObject, GetObject, HeadObject."""

from __future__ import annotations

from typing import Any

from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.bodies import ReceivedBlob
from emulator.services.s3.checks import checksum_members
from emulator.services.s3.conditions import check_read, write_condition
from emulator.services.s3.errors import invalid_argument, invalid_request
from emulator.services.s3.headers import attributes_of, object_members, put_members
from emulator.services.s3.lookup import find_object
from emulator.services.s3.ranges import ByteRange, parse_range
from emulator.services.s3.streams import BlobStream
from emulator.store.object_events import Cause
from emulator.store.stored_objects import StoredObject

_OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
    "ResponseExpires": "Expires",
}


@operation("s3", "PutObject", blocking=True)
def put_object(request: Request, context: Context) -> Response:
    received: ReceivedBlob = request["Body"]
    stored = context.app.objects.commit(
        request["Bucket"],
        request["Key"],
        received.content,
        attributes_of(request),
        write_condition(request),
        cause=Cause("Put", context.request_id, context.address),
    )
    return put_members(stored, context)


@operation("s3", "GetObject", blocking=True)
def get_object(request: Request, context: Context) -> Response:
    """The file is open before the answer begins, so that a writer may replace the object meanwhile."""
    stored, file = context.app.objects.open_current(lambda: find_object(request, context))
    try:
        members, part = _describe(request, stored, context)
    except BaseException:
        file.close()
        raise
    part = part or ByteRange(0, stored.size, stored.size)
    return {**members, "Body": BlobStream(file, part.start, part.length)}


@operation("s3", "HeadObject")
def head_object(request: Request, context: Context) -> Response:
    members, _ = _describe(request, find_object(request, context), context)
    return members


def _describe(request: Request, stored: StoredObject, context: Context) -> tuple[dict[str, Any], ByteRange | None]:
    """The members of an answer, and the range of it."""
    check_read(request, stored)
    members = object_members(stored, context)
    members |= {target: request[name] for name, target in _OVERRIDES.items() if request.get(name)}
    part = _part(request, stored, context)
    if part:
        members |= {"ContentLength": part.length, "ContentRange": part.content_range}
        members["ResponseMetadata"] = {"HTTPStatusCode": 206}
    elif request.get("ChecksumMode") == "ENABLED":
        members |= checksum_members(stored.checksum)
    if request.get("PartNumber"):
        members["PartsCount"] = stored.part_count or None
    return members, part


def _part(request: Request, stored: StoredObject, context: Context) -> ByteRange | None:
    number = request.get("PartNumber")
    if number is None:
        return parse_range(request.get("Range"), stored.size)
    if request.get("Range"):
        raise invalid_request("Cannot specify both Range header and partNumber query parameter")
    if not 1 <= number <= 10_000:
        raise invalid_argument(
            "Part number must be an integer between 1 and 10000, inclusive", "partNumber", str(number)
        )
    parts = context.app.objects.index.parts(stored)
    sizes = [part.size for part in parts] or [stored.size]
    if number > len(sizes):
        raise _no_such_part(number, len(sizes))
    start = sum(sizes[: number - 1])
    return ByteRange(start, start + sizes[number - 1], stored.size) if stored.size else None


def _no_such_part(number: int, count: int) -> AwsError:
    return AwsError(
        "The requested partnumber is not satisfiable",
        code="InvalidPartNumber",
        status=416,
        extra={"PartNumberRequested": str(number), "ActualPartCount": str(count)},
    )
