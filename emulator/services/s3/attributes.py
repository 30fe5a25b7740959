"""GetObjectAttributes: what HeadObject tells and more, without an object's metadata."""

from __future__ import annotations

from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.checks import checksum_members, member_name
from emulator.services.s3.errors import invalid_argument
from emulator.services.s3.headers import version_shown
from emulator.services.s3.lookup import find_object
from emulator.store.stored_objects import StoredObject

_KNOWN = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}


@operation("s3", "GetObjectAttributes")
def get_object_attributes(request: Request, context: Context) -> Response:
    asked = set(request.get("ObjectAttributes") or [])
    if not asked or not asked <= _KNOWN:
        raise invalid_argument("Invalid attribute name specified.", "x-amz-object-attributes", ",".join(sorted(asked)))
    stored = find_object(request, context)
    members: dict[str, Any] = {
        "ETag": stored.etag,
        "Checksum": checksum_members(stored.checksum) or None,
        "ObjectParts": _parts(request, stored, context) if stored.part_count else None,
        "StorageClass": stored.system.get("StorageClass", "STANDARD"),
        "ObjectSize": stored.size,
    }
    found = {name: value for name, value in members.items() if name in asked}
    return {**found, "LastModified": int(stored.last_modified), "VersionId": version_shown(stored, context)}


def _parts(request: Request, stored: StoredObject, context: Context) -> dict[str, Any]:
    marker, limit = request.get("PartNumberMarker", 0), request.get("MaxParts", 1000)
    rest = [part for part in context.app.objects.index.parts(stored) if part.number > marker]
    page = rest[:limit]
    name = member_name(stored.checksum.algorithm) if stored.checksum else ""
    return {
        "TotalPartsCount": stored.part_count,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": page[-1].number if page else 0,
        "MaxParts": limit,
        "IsTruncated": len(rest) > limit,
        "Parts": [
            {"PartNumber": part.number, "Size": part.size} | ({name: part.checksum} if part.checksum else {})
            for part in page
        ],
    }
