"""An object's attributes in a request, and an object's members in a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.aws.errors import AwsError, NotImplementedHere
from emulator.services.context import Context
from emulator.services.s3.checks import checksum_members
from emulator.services.s3.tags import parse_header
from emulator.store.stored_objects import DEFAULT_CONTENT_TYPE, NULL_VERSION, Attributes, StoredObject

MAX_METADATA = 2048
_SYSTEM = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "Expires")
_KEPT = (*_SYSTEM, "WebsiteRedirectLocation", "StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
_STORAGE_CLASSES = {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"}
_ARCHIVES = {"GLACIER", "DEEP_ARCHIVE"}


def attributes_of(request: Mapping[str, Any]) -> Attributes:
    """What a PutObject, CopyObject or CreateMultipartUpload says about the object to be.

    Raises:
        AwsError: InvalidStorageClass, MetadataTooLarge, InvalidTag, InvalidArgument.
    """
    metadata = request.get("Metadata") or {}
    size = sum(len(name.encode()) + len(value.encode("latin-1", "replace")) for name, value in metadata.items())
    if size > MAX_METADATA:
        raise AwsError(
            "Your metadata headers exceed the maximum allowed metadata size",
            code="MetadataTooLarge",
            extra={"Size": str(size), "MaxSizeAllowed": str(MAX_METADATA)},
        )
    return Attributes(
        request.get("ContentType") or DEFAULT_CONTENT_TYPE,
        metadata,
        _system(request),
        parse_header(request["Tagging"]) if request.get("Tagging") else {},
    )


def object_members(stored: StoredObject, context: Context) -> dict[str, Any]:
    """The members that GetObject and HeadObject have in common, checksums aside."""
    system = dict(stored.system)
    storage = system.pop("StorageClass", "STANDARD")
    return {
        **written_members(stored, context),
        **system,
        "AcceptRanges": "bytes",
        "LastModified": int(stored.last_modified),
        "ContentLength": stored.size,
        "ContentType": stored.content_type,
        "Metadata": stored.metadata,
        "StorageClass": None if storage == "STANDARD" else storage,
        "TagCount": len(stored.tags) or None,
    }


def written_members(stored: StoredObject, context: Context) -> dict[str, Any]:
    """What every answer about a version tells: its ETag, version and encryption (S3's own key, since 2023)."""
    return {
        "ETag": f'"{stored.etag}"',
        "VersionId": version_shown(stored, context),
        "ServerSideEncryption": stored.system.get("ServerSideEncryption", "AES256"),
        "SSEKMSKeyId": stored.system.get("SSEKMSKeyId"),
        "BucketKeyEnabled": True if stored.system.get("BucketKeyEnabled") else None,
    }


def version_shown(stored: StoredObject, context: Context) -> str | None:
    """A version id as S3 tells it: nothing in a bucket that was never versioned, else at least ``null``."""
    if stored.version_id is not None:
        return stored.version_id
    return NULL_VERSION if context.app.objects.bucket_table.require(stored.bucket).versioning else None


def put_members(stored: StoredObject, context: Context) -> dict[str, Any]:
    return {**written_members(stored, context), **checksum_members(stored.checksum)}


def _system(request: Mapping[str, Any]) -> dict[str, str]:
    system = {name: str(request[name]) for name in _KEPT if request.get(name)}
    if "ContentEncoding" in system:
        kept = [name.strip() for name in system["ContentEncoding"].split(",")]
        system["ContentEncoding"] = ",".join(name for name in kept if name and name != "aws-chunked")
    storage = system.get("StorageClass", "STANDARD")
    if storage in _ARCHIVES:
        raise NotImplementedHere(f"The emulator does not have the archive storage class {storage} in Amazon S3 yet.")
    if storage not in _STORAGE_CLASSES:
        raise AwsError("The storage class you specified is not valid", code="InvalidStorageClass")
    return {name: value for name, value in system.items() if value and (name, value) != ("StorageClass", "STANDARD")}
