"""What the tool asks of S3: is it there, put it, read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.aws_errors import error_code, is_missing
from pipelines.connection import Connection
from pipelines.errors import UsageError

PARALLEL_UPLOADS = 8


def parse_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``.

    Raises:
        UsageError: it is not one.
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise UsageError(f"{uri!r} is not an S3 URI (s3://bucket/key)")
    return bucket, key


def ensure_bucket(connection: Connection, bucket: str, region: str) -> bool:
    """Create a bucket unless it is there; True if it was created."""
    from botocore.exceptions import ClientError

    try:
        connection.s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if not is_missing(error):
            raise
    else:
        return False
    # us-east-1 is where a bucket goes that names no place, and S3 refuses it by name.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        connection.s3.create_bucket(Bucket=bucket, **place)
    except ClientError as error:
        if error_code(error) != "BucketAlreadyOwnedByYou":  # someone else created it in between
            raise
        return False
    return True


def stored_sizes(connection: Connection, bucket: str, prefix: str) -> dict[str, int]:
    """Key to size of every object below a prefix; none where the bucket is missing."""
    from botocore.exceptions import ClientError

    pages = connection.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    try:
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", ())}
    except ClientError as error:
        if is_missing(error):
            return {}
        raise


def put_files(connection: Connection, bucket: str, files: Mapping[str, Path]) -> None:
    """Upload files by key, several at a time, telling how far it is. Each appears in the bucket once it is whole."""
    if not files:
        return
    from concurrent.futures import ThreadPoolExecutor

    from pipelines.progress import CountedFile, showing_progress

    client = connection.s3  # made here, since making one is not thread-safe
    with (
        showing_progress(sum(path.stat().st_size for path in files.values())) as advance,
        ThreadPoolExecutor(min(PARALLEL_UPLOADS, len(files))) as pool,
    ):

        def put(item: tuple[str, Path]) -> None:
            key, path = item
            with path.open("rb") as stream:
                client.put_object(Bucket=bucket, Key=key, Body=CountedFile(stream, advance))

        for _ in pool.map(put, files.items()):
            pass


def read_json(connection: Connection, uri: str) -> Any:
    """The JSON document at an S3 URI, None if there is none or it is something else."""
    import json

    from botocore.exceptions import ClientError

    bucket, key = parse_uri(uri)
    try:
        body = connection.s3.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    with body:
        try:
            return json.loads(body.read())
        except ValueError:
            return None
