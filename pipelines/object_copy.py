"""Copying objects from one environment's S3 to another's, by way of this machine: the two share no credentials."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from pipelines.aws_errors import is_missing
from pipelines.connection import Connection
from pipelines.errors import UsageError
from pipelines.storage import ensure_bucket, parse_uri, stored_sizes

CHUNK = 1 << 20


def copy_objects(source: Connection, target: Connection, uri: str, bucket: str, folder: str) -> tuple[int, int, str]:
    """Copy the object at ``uri``, or all below it, into ``bucket/folder``.

    How many objects were copied (those that are there with the same size stay), their bytes in all, and the new URI.

    Raises:
        UsageError: there is nothing at the URI.
    """
    from_bucket, key = parse_uri(uri)
    found = dict(_objects(source, from_bucket, key))
    if not found:
        raise UsageError(f"There is nothing at {uri}, which the model package refers to: it cannot be promoted")
    base = key.rstrip("/").rpartition("/")[0]
    base = f"{base}/" if base else ""
    ensure_bucket(target, bucket, target.target.environment.region)
    present = stored_sizes(target, bucket, f"{folder}/")
    copied = 0
    for name, size in found.items():
        place = f"{folder}/{name.removeprefix(base)}"
        if present.get(place) != size:
            _copy(source, from_bucket, name, target, bucket, place)
            copied += 1
    return copied, sum(found.values()), f"s3://{bucket}/{folder}/{key.removeprefix(base)}"


def _objects(connection: Connection, bucket: str, key: str) -> Iterator[tuple[str, int]]:
    """Key and size of an object, or of all objects below a prefix."""
    from botocore.exceptions import ClientError

    if key and not key.endswith("/"):
        try:
            yield key, connection.s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
            return
        except ClientError as error:
            if not is_missing(error):
                raise
    yield from stored_sizes(connection, bucket, f"{key.rstrip('/')}/" if key else "").items()


def _copy(source: Connection, from_bucket: str, key: str, target: Connection, bucket: str, place: str) -> None:
    """One object, of any size; it appears in the target once it is whole."""
    from s3transfer.manager import TransferManager

    client: Any = target.s3
    body = source.s3.get_object(Bucket=from_bucket, Key=key)["Body"]
    with body, tempfile.TemporaryFile() as file, TransferManager(client) as manager:
        for chunk in body.iter_chunks(CHUNK):
            file.write(chunk)
        file.seek(0)
        manager.upload(file, bucket, place).result()
