"""Finding the object, or the version of it, that a request means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.services.context import Context
from emulator.services.s3 import texts
from emulator.services.s3.errors import invalid_argument, method_not_allowed
from emulator.store.object_errors import no_such_key, no_such_version
from emulator.store.stored_objects import NULL_VERSION, StoredObject


def find_object(request: Mapping[str, Any], context: Context) -> StoredObject:
    """The version that ``VersionId`` names, or else the latest.

    Raises:
        AwsError: NoSuchKey, NoSuchVersion; MethodNotAllowed: the version is a delete marker.
    """
    return find_version(context, request["Bucket"], request["Key"], request.get("VersionId"))


def find_version(context: Context, bucket: str, key: str, version_id: str | None) -> StoredObject:
    objects = context.app.objects
    if version_id == "":
        raise invalid_argument("Version id cannot be the empty string", "versionId", "")
    if version_id is None:
        latest = objects.latest(bucket, key)
        if latest is None or latest.delete_marker:
            error = no_such_key(key)
            error.headers |= _marker_headers(latest) if latest else {}
            raise error
        return latest
    stored = objects.version(bucket, key, version_id)
    if stored is None:
        raise no_such_version(key, version_id)
    if stored.delete_marker:
        headers = {"Allow": "DELETE", "Last-Modified": texts.header("timestamp", stored.last_modified)}
        raise method_not_allowed("GET", "DeleteMarker", headers | _marker_headers(stored))
    return stored


def _marker_headers(marker: StoredObject) -> dict[str, str]:
    return {"x-amz-delete-marker": "true", "x-amz-version-id": marker.version_id or NULL_VERSION}
