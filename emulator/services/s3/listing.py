"""Listing: ListObjects, ListObjectsV2, ListObjectVersions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.buckets import owner_of
from emulator.services.s3.errors import invalid_argument
from emulator.store.listing import ListPage, ListQuery
from emulator.store.stored_objects import NULL_VERSION, StoredObject

MAX_KEYS = 1000
Encode = Callable[[str], str]


@operation("s3", "ListObjects", blocking=True)
def list_objects(request: Request, context: Context) -> Response:
    encode = encoder(request)
    page = context.app.objects.list_page(_query(request, request.get("Marker", "")))
    delimiter = request.get("Delimiter")
    owner = owner_of(context.account)
    return {
        **_common(request, page, encode),
        "Marker": encode(request.get("Marker", "")),
        "NextMarker": encode(last_of(page)) if page.truncated and delimiter else None,
        "Contents": [{**_entry(stored, encode), "Owner": owner} for stored in page.objects],
    }


@operation("s3", "ListObjectsV2", blocking=True)
def list_objects_v2(request: Request, context: Context) -> Response:
    encode = encoder(request)
    token = request.get("ContinuationToken")
    after = request.get("StartAfter", "") if token is None else _decode_token(token)
    page = context.app.objects.list_page(_query(request, after))
    owner = {"Owner": owner_of(context.account)} if request.get("FetchOwner") else {}
    return {
        **_common(request, page, encode),
        "KeyCount": len(page.items),
        "ContinuationToken": token,
        "NextContinuationToken": _encode_token(last_of(page)) if page.truncated else None,
        "StartAfter": encode(request["StartAfter"]) if request.get("StartAfter") else None,
        "Contents": [{**_entry(stored, encode), **owner} for stored in page.objects],
    }


@operation("s3", "ListObjectVersions", blocking=True)
def list_object_versions(request: Request, context: Context) -> Response:
    encode = encoder(request)
    page = context.app.objects.list_page(_versions_query(request, context))
    owner = owner_of(context.account)
    versions = [{**_version(stored, encode), "Owner": owner} for stored in page.objects]
    last = page.items[-1] if page.truncated else None
    return {
        **_common(request, page, encode),
        "KeyMarker": encode(request.get("KeyMarker", "")),
        "VersionIdMarker": request.get("VersionIdMarker", ""),
        "NextKeyMarker": encode(last_of(page)) if page.truncated else None,
        "NextVersionIdMarker": (last.version_id or NULL_VERSION) if isinstance(last, StoredObject) else None,
        "Versions": [entry for entry in versions if "Size" in entry],
        "DeleteMarkers": [entry for entry in versions if "Size" not in entry],
    }


def encoder(request: Mapping[str, Any]) -> Encode:
    """How the answer writes keys: as they are, or percent-encoded, since XML cannot carry every key.

    Raises:
        AwsError: InvalidArgument.
    """
    kind = request.get("EncodingType")
    if kind not in (None, "", "url"):
        raise invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", kind)
    return (lambda key: quote(key, safe="/")) if kind else str


def page_size(request: Mapping[str, Any], member: str = "MaxKeys", wire: str = "maxKeys") -> int:
    """The limit of a page.

    Raises:
        AwsError: InvalidArgument.
    """
    limit: int = request.get(member, MAX_KEYS)
    if not 0 <= limit < 2**31:
        raise invalid_argument(f"Argument {wire} must be an integer between 0 and 2147483647", wire, str(limit))
    return min(limit, MAX_KEYS)


def last_of(page: ListPage) -> str:
    """The last key or common prefix of a page."""
    last = page.items[-1]
    return last.key if isinstance(last, StoredObject) else last


def _query(request: Request, after: str) -> ListQuery:
    return ListQuery(
        request["Bucket"], request.get("Prefix", ""), request.get("Delimiter", ""), after, page_size(request)
    )


def _versions_query(request: Request, context: Context) -> ListQuery:
    """Where to go on. If the marked version is gone, its key is listed from its newest version on: none is skipped."""
    key, version_id = request.get("KeyMarker", ""), request.get("VersionIdMarker")
    after_id = None
    if version_id:
        if not key:
            raise invalid_argument(
                "A version-id marker cannot be specified without a key marker.", "version-id-marker", version_id
            )
        marked = context.app.objects.version(request["Bucket"], key, version_id)
        after_id = marked.id if marked else 2**63 - 1
    return ListQuery(
        request["Bucket"],
        request.get("Prefix", ""),
        request.get("Delimiter", ""),
        key,
        page_size(request),
        versions=True,
        after_id=after_id,
    )


def _common(request: Request, page: ListPage, encode: Encode) -> Response:
    return {
        "Name": request["Bucket"],
        "Prefix": encode(request.get("Prefix", "")),
        "Delimiter": encode(request["Delimiter"]) if request.get("Delimiter") else None,
        "MaxKeys": page_size(request),
        "IsTruncated": page.truncated,
        "EncodingType": request.get("EncodingType") or None,
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
    }


def _entry(stored: StoredObject, encode: Encode) -> Response:
    checksum = stored.checksum
    return {
        "Key": encode(stored.key),
        "LastModified": stored.last_modified,
        "ETag": f'"{stored.etag}"',
        "ChecksumAlgorithm": [checksum.algorithm] if checksum else [],
        "ChecksumType": checksum.kind if checksum else None,
        "Size": stored.size,
        "StorageClass": stored.system.get("StorageClass", "STANDARD"),
    }


def _version(stored: StoredObject, encode: Encode) -> Response:
    place = {"VersionId": stored.version_id or NULL_VERSION, "IsLatest": stored.latest}
    if stored.delete_marker:
        return {"Key": encode(stored.key), "LastModified": stored.last_modified, **place}
    return {**_entry(stored, encode), **place}


def _encode_token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode_token(token: str) -> str:
    try:
        if token:
            return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pass
    raise invalid_argument("The continuation token provided is incorrect", "continuation-token", token)
