"""Deleting objects: DeleteObject and, many at a time, DeleteObjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.aws.errors import AwsError
from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.conditions import write_condition
from emulator.services.s3.errors import invalid_argument, malformed_xml
from emulator.store.object_events import Cause
from emulator.store.object_index import Condition
from emulator.store.stored_objects import NULL_VERSION, StoredObject

_MAX_KEYS = 1000


@operation("s3", "DeleteObject", blocking=True)
def delete_object(request: Request, context: Context) -> Response:
    objects = context.app.objects
    bucket, key, version_id = request["Bucket"], request["Key"], request.get("VersionId")
    condition = write_condition(request)
    cause = Cause("Delete", context.request_id, context.address)
    if version_id is None:
        return _marked(objects.delete(bucket, key, condition, cause))
    return _removed(version_id, objects.delete_version(bucket, key, _checked(version_id), condition, cause))


@operation("s3", "DeleteObjects", blocking=True)
def delete_objects(request: Request, context: Context) -> Response:
    """All in one transaction, so that a thousand deletions cost one commit."""
    entries = request["Delete"]["Objects"]
    if not 1 <= len(entries) <= _MAX_KEYS:
        raise malformed_xml()
    batch = _Batch(request["Bucket"], context)
    context.app.objects.delete_many(lambda: [blob for entry in entries for blob in batch.delete(entry)])
    return {"Deleted": [] if request["Delete"].get("Quiet") else batch.deleted, "Errors": batch.errors}


class _Batch:
    def __init__(self, bucket: str, context: Context) -> None:
        self.deleted: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self._bucket = bucket
        self._index = context.app.objects.index
        self._cause = Cause("Delete", context.request_id, context.address)

    def delete(self, entry: Mapping[str, Any]) -> list[str]:
        """Delete one entry and note what came of it; the blobs to remove."""
        key, version_id = entry["Key"], entry.get("VersionId")
        named = {"Key": key, "VersionId": version_id}
        try:
            outcome, dropped = self._delete(key, version_id, _condition(entry))
        except AwsError as error:
            self.errors.append({**named, "Code": error.code, "Message": error.message})
            return []
        self.deleted.append({**named, **outcome})
        return dropped

    def _delete(
        self, key: str, version_id: str | None, condition: Condition | None
    ) -> tuple[dict[str, Any], list[str]]:
        if version_id is None:
            marker, dropped = self._index.delete(self._bucket, key, condition, self._cause)
            shown = _marked(marker)
            return {"DeleteMarker": shown.get("DeleteMarker"), "DeleteMarkerVersionId": shown.get("VersionId")}, dropped
        removed, dropped = self._index.delete_version(self._bucket, key, _checked(version_id), condition, self._cause)
        if removed is None or not removed.delete_marker:
            return {}, dropped
        return {"DeleteMarker": True, "DeleteMarkerVersionId": version_id}, dropped


def _condition(entry: Mapping[str, Any]) -> Condition | None:
    return write_condition({"Key": entry["Key"], "IfMatch": entry.get("ETag")})


def _checked(version_id: str) -> str:
    if not version_id:
        raise invalid_argument("Version id cannot be the empty string", "versionId", "")
    return version_id


def _marked(marker: StoredObject | None) -> Response:
    return {"DeleteMarker": True, "VersionId": marker.version_id or NULL_VERSION} if marker else {}


def _removed(version_id: str, removed: StoredObject | None) -> Response:
    marker = removed is not None and removed.delete_marker
    return {"VersionId": version_id, "DeleteMarker": True if marker else None}
