"""Multipart uploads: CreateMultipartUpload, UploadPart, UploadPartCopy, AbortMultipartUpload."""

from __future__ import annotations

import time

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.bodies import ReceivedBlob
from emulator.services.s3.checks import checksum_members, member_name
from emulator.services.s3.copying import MAX_COPY, copy_source
from emulator.services.s3.errors import entity_too_large, invalid_argument, invalid_range, invalid_request
from emulator.services.s3.headers import attributes_of, version_shown
from emulator.services.s3.ranges import ByteRange, parse_range
from emulator.store.blobs import BlobWriter
from emulator.store.checksums import ALGORITHMS, DEFAULT_ALGORITHM, combinable
from emulator.store.contents import copy_content
from emulator.store.multipart import Upload
from emulator.store.stored_objects import Content, Part, StoredObject

MAX_PARTS = 10_000


@operation("s3", "CreateMultipartUpload", blocking=True)
def create_multipart_upload(request: Request, context: Context) -> Response:
    objects = context.app.objects
    algorithm, kind = _chosen_checksum(request)
    objects.index.check_key(request["Key"])
    upload = objects.uploads.create(
        request["Bucket"],
        request["Key"],
        context.account,
        attributes_of(request),
        algorithm,
        kind,
        objects.blobs.name(),
    )
    return {
        "Bucket": upload.bucket,
        "Key": upload.key,
        "UploadId": upload.id,
        "ServerSideEncryption": upload.attributes.system.get("ServerSideEncryption", "AES256"),
        "ChecksumAlgorithm": algorithm or None,
        "ChecksumType": kind if algorithm else None,
    }


def open_part(request: Request, context: Context, length: int) -> BlobWriter:
    """Where the data of an UploadPart goes, once it is known to be welcome.

    Raises:
        AwsError: NoSuchUpload; InvalidArgument: the part number.
    """
    return context.app.objects.assemblies.writer(_upload(request, context), _part_number(request), length)


@operation("s3", "UploadPart", blocking=True)
def upload_part(request: Request, context: Context) -> Response:
    received: ReceivedBlob = request["Body"]
    upload = _upload(request, context)
    number = _part_number(request)
    _check_same_checksum(upload, received.algorithm_sent)
    part = _store_part(upload, number, received.content, context)
    members = checksum_members(received.content.checksum)
    members.pop("ChecksumType", None)
    return {"ETag": f'"{part.etag}"', "ServerSideEncryption": "AES256", **members}


@operation("s3", "UploadPartCopy", blocking=True)
def upload_part_copy(request: Request, context: Context) -> Response:
    upload = _upload(request, context)
    number = _part_number(request)
    source, content = copy_source(request, context, lambda found: _part_content(request, found, upload, context))
    try:
        part = _store_part(upload, number, content, context)
    except BaseException:
        context.app.objects.discard(content)
        raise
    result = {"ETag": f'"{part.etag}"', "LastModified": part.modified}
    if upload.algorithm:
        result[member_name(upload.algorithm)] = part.checksum
    return {
        "CopyPartResult": result,
        "CopySourceVersionId": version_shown(source, context),
        "ServerSideEncryption": "AES256",
    }


@operation("s3", "AbortMultipartUpload", blocking=True)
def abort_multipart_upload(request: Request, context: Context) -> Response:
    objects = context.app.objects
    upload = _upload(request, context)
    objects.blobs.remove(objects.uploads.end(upload))
    objects.assemblies.forget(upload)
    return {}


def _upload(request: Request, context: Context) -> Upload:
    return context.app.objects.uploads.require(request["Bucket"], request["Key"], request["UploadId"])


def _part_number(request: Request) -> int:
    number: int = request["PartNumber"]
    if not 1 <= number <= MAX_PARTS:
        raise invalid_argument(
            f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive", "partNumber", str(number)
        )
    return number


def _chosen_checksum(request: Request) -> tuple[str, str]:
    """The algorithm, "" if the client leaves it to S3, and whether the whole object's or the parts' counts."""
    algorithm, kind = request.get("ChecksumAlgorithm") or "", request.get("ChecksumType")
    if not algorithm:
        if kind:
            raise invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return "", "FULL_OBJECT"
    if algorithm not in ALGORITHMS:
        raise invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types"
        )
    kind = kind or ("FULL_OBJECT" if algorithm == DEFAULT_ALGORITHM else "COMPOSITE")
    possible = {"FULL_OBJECT": combinable(algorithm), "COMPOSITE": algorithm != DEFAULT_ALGORITHM}
    if not possible.get(kind):
        raise invalid_request(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return algorithm, kind


def _check_same_checksum(upload: Upload, sent: str) -> None:
    if upload.algorithm and sent != upload.algorithm:
        raise invalid_request(
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()},"
            f" actual checksum Type: {sent.lower() or 'null'}"
        )


def _store_part(upload: Upload, number: int, content: Content, context: Context) -> Part:
    objects = context.app.objects
    checksum = content.checksum
    same = checksum is not None and checksum.algorithm == (upload.algorithm or DEFAULT_ALGORITHM)
    value = checksum.value if checksum and same else ""
    part = Part(number, content.size, content.etag, value, time.time(), content.blob, content.offset)
    objects.blobs.remove(objects.uploads.put_part(upload, part))
    return part


def _part_content(request: Request, source: StoredObject, upload: Upload, context: Context) -> Content:
    part = _copy_range(request, source)
    if (part.length if part else source.size) > MAX_COPY:
        raise entity_too_large(source.size, MAX_COPY)
    start, length = (part.start, part.length) if part else (0, None)
    return copy_content(context.app.objects.blobs, source, upload.algorithm or DEFAULT_ALGORITHM, start, length)


def _copy_range(request: Request, source: StoredObject) -> ByteRange | None:
    """Unlike a GET's range, this one must be written out and lie within the source."""
    text = request.get("CopySourceRange")
    if text is None:
        return None
    part = parse_range(text, source.size)
    if part is None or text.partition("-")[2] != str(part.end - 1):
        if part is not None and text.partition("-")[2]:
            raise invalid_range(text, source.size)
        raise invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the"
            " zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            text,
        )
    return part
