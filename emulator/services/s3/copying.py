"""Copying within the store: CopyObject, and the source that it has in common with UploadPartCopy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from emulator.aws.errors import NotImplementedHere
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.access import check_owner
from emulator.services.s3.checks import checksum_members
from emulator.services.s3.conditions import check_copy_source, write_condition
from emulator.services.s3.errors import entity_too_large, invalid_argument, invalid_request
from emulator.services.s3.headers import attributes_of, version_shown, written_members
from emulator.services.s3.lookup import find_version
from emulator.store.checksums import DEFAULT_ALGORITHM
from emulator.store.contents import copy_content
from emulator.store.object_events import Cause
from emulator.store.stored_objects import Attributes, Content, StoredObject

MAX_COPY = 5 << 30
_DESCRIPTIVE = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "Expires")


@operation("s3", "CopyObject", blocking=True)
def copy_object(request: Request, context: Context) -> Response:
    condition = write_condition(request)
    source, content = copy_source(request, context, lambda found: _content(request, found, context))
    cause = Cause("Copy", context.request_id, context.address)
    stored = context.app.objects.commit(
        request["Bucket"], request["Key"], content, _attributes(request, source), condition, cause=cause
    )
    result = {"ETag": f'"{stored.etag}"', "LastModified": stored.last_modified, **checksum_members(stored.checksum)}
    return {
        **written_members(stored, context),
        "CopyObjectResult": result,
        "CopySourceVersionId": version_shown(source, context),
    }


def copy_source(
    request: Mapping[str, Any], context: Context, take: Callable[[StoredObject], Content]
) -> tuple[StoredObject, Content]:
    """The object that ``CopySource`` names and what ``take`` makes of it, again if a writer replaces it meanwhile.

    Raises:
        AwsError: NoSuchBucket, NoSuchKey, NoSuchVersion, AccessDenied, PreconditionFailed, InvalidArgument.
    """
    bucket, key, version_id = parse_copy_source(request["CopySource"])
    check_owner(bucket, request.get("ExpectedSourceBucketOwner"), context)

    def find() -> StoredObject:
        source = find_version(context, bucket, key, version_id)
        check_copy_source(request, source)
        return source

    return context.app.objects.current(find, take)


def parse_copy_source(text: str) -> tuple[str, str, str | None]:
    """``(bucket, key, version id)`` of ``/bucket/key?versionId=…``, whose path is percent-encoded.

    Raises:
        AwsError: InvalidArgument.
    """
    if text.startswith("arn:"):
        raise NotImplementedHere("The emulator does not have access points as copy sources in Amazon S3 yet.")
    path, _, version_id = text.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        raise invalid_argument(
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", "x-amz-copy-source", text
        )
    return bucket, key, version_id or None


def _content(request: Request, source: StoredObject, context: Context) -> Content:
    if source.size > MAX_COPY:
        raise entity_too_large(source.size, MAX_COPY)
    _check_change(request, source)
    known = source.checksum.algorithm if source.checksum else DEFAULT_ALGORITHM
    return copy_content(context.app.objects.blobs, source, request.get("ChecksumAlgorithm") or known)


def _check_change(request: Request, source: StoredObject) -> None:
    """A copy of an object to itself must change something, unless it brings a version back."""
    version = parse_copy_source(request["CopySource"])[2]
    same = (source.bucket, source.key) == (request["Bucket"], request["Key"]) and not version
    changes = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "ChecksumAlgorithm")
    if same and _directive(request, "MetadataDirective") == "COPY" and not any(request.get(name) for name in changes):
        raise invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the"
            " object's metadata, storage class, website redirect location or encryption attributes."
        )


def _attributes(request: Request, source: StoredObject) -> Attributes:
    given = attributes_of(request)
    tags = given.tags if _directive(request, "TaggingDirective") == "REPLACE" else source.tags
    if _directive(request, "MetadataDirective") == "REPLACE":
        return Attributes(given.content_type, given.metadata, given.system, tags)
    described = {name: value for name, value in source.system.items() if name in _DESCRIPTIVE}
    own = {name: value for name, value in given.system.items() if name not in _DESCRIPTIVE}
    return Attributes(source.content_type, source.metadata, described | own, tags)


def _directive(request: Request, name: str) -> str:
    value: str = request.get(name) or "COPY"
    if value not in ("COPY", "REPLACE"):
        raise invalid_argument(f"Unknown {name[:-9].lower()} directive.", name, value)
    return value
