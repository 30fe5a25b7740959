"""CompleteMultipartUpload: the parts become one object."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.checks import member_name, requested_checksum
from emulator.services.s3.conditions import write_condition
from emulator.services.s3.errors import bad_digest, invalid_request
from emulator.services.s3.headers import put_members
from emulator.store.checksums import DEFAULT_ALGORITHM
from emulator.store.contents import join_parts
from emulator.store.multipart import Upload
from emulator.store.object_events import Cause
from emulator.store.stored_objects import Content, Part, StoredObject

MIN_PART = 5 << 20


@operation("s3", "CompleteMultipartUpload", blocking=True)
def complete_multipart_upload(request: Request, context: Context) -> Response:
    objects = context.app.objects
    upload = objects.uploads.require(request["Bucket"], request["Key"], request["UploadId"])
    condition = write_condition(request)
    parts = _chosen_parts(request, upload, objects.uploads.parts(upload.id))
    content = _content(upload, parts, context)
    try:
        _check_whole(request, content)
    except AwsError:
        objects.discard(content)
        raise
    cause = Cause("CompleteMultipartUpload", context.request_id, context.address)
    stored = objects.commit(
        upload.bucket, upload.key, content, upload.attributes, condition, lambda: objects.uploads.end(upload), cause
    )
    objects.assemblies.forget(upload)
    return _response(stored, context)


def _content(upload: Upload, parts: list[Part], context: Context) -> Content:
    objects = context.app.objects
    algorithm = upload.algorithm or DEFAULT_ALGORITHM
    try:
        blob = objects.assemblies.assembled(upload, parts)
        return join_parts(objects.blobs, parts, algorithm, upload.checksum_kind, blob)
    except FileNotFoundError as error:
        raise _invalid_part(upload, parts[0].number, parts[0].etag) from error


def _response(stored: StoredObject, context: Context) -> Response:
    location = f"https://{stored.bucket}.s3.{context.region}.amazonaws.com/{quote(stored.key)}"
    return {**put_members(stored, context), "Location": location, "Bucket": stored.bucket, "Key": stored.key}


def _chosen_parts(request: Request, upload: Upload, uploaded: list[Part]) -> list[Part]:
    chosen = (request.get("MultipartUpload") or {}).get("Parts") or []
    if not chosen:
        raise AwsError("You must specify at least one part", code="MalformedXML")
    numbers = [entry.get("PartNumber", 0) for entry in chosen]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise AwsError(
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            code="InvalidPartOrder",
            extra={"UploadId": upload.id},
        )
    there = {part.number: part for part in uploaded}
    parts = [_checked_part(entry, there, upload) for entry in chosen]
    for part in parts[:-1]:
        if part.size < MIN_PART:
            raise _too_small(part)
    return parts


def _checked_part(entry: Mapping[str, Any], there: Mapping[int, Part], upload: Upload) -> Part:
    number, etag = entry.get("PartNumber", 0), entry.get("ETag", "").strip('"')
    part = there.get(number)
    expected = entry.get(member_name(upload.algorithm)) if upload.algorithm else None
    if part is None or part.etag != etag or (expected and part.checksum and expected != part.checksum):
        raise _invalid_part(upload, number, etag)
    return part


def _check_whole(request: Request, content: Content) -> None:
    """Hold the object against the size and the checksum that the client gives for the whole."""
    size = request.get("MpuObjectSize")
    if size is not None and size != content.size:
        raise invalid_request("The provided 'x-amz-mp-object-size' header does not match what was computed.")
    sent, checksum = requested_checksum(request), content.checksum
    if sent is None or checksum is None:
        return
    algorithm, value = sent
    if algorithm != checksum.algorithm or value.partition("-")[0] != checksum.value.partition("-")[0]:
        raise bad_digest(
            f"The {algorithm.lower()} you specified did not match the calculated checksum.", value, checksum.value
        )


def _invalid_part(upload: Upload, number: int, etag: str) -> AwsError:
    return AwsError(
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified"
        " entity tag may not match the part's entity tag.",
        code="InvalidPart",
        extra={"UploadId": upload.id, "PartNumber": str(number), "ETag": etag},
    )


def _too_small(part: Part) -> AwsError:
    return AwsError(
        "Your proposed upload is smaller than the minimum allowed size",
        code="EntityTooSmall",
        extra={
            "ProposedSize": str(part.size),
            "MinSizeAllowed": str(MIN_PART),
            "PartNumber": str(part.number),
            "ETag": part.etag,
        },
    )
