from pathlib import Path

import pytest

from pipelines.connection import Connection
from pipelines.errors import UsageError
from pipelines.storage import ensure_bucket, parse_uri, put_files, read_json, stored_sizes


def test_uris() -> None:
    assert parse_uri("s3://bucket/a/b") == ("bucket", "a/b")
    assert parse_uri("s3://bucket") == ("bucket", "")
    for text in ("bucket/key", "s3:///key", "https://bucket/key"):
        with pytest.raises(UsageError, match="not an S3 URI"):
            parse_uri(text)


def test_a_bucket_is_made_once_and_in_its_region(connection: Connection) -> None:
    assert ensure_bucket(connection, "one-bucket", "us-east-1")
    assert not ensure_bucket(connection, "one-bucket", "us-east-1")
    assert ensure_bucket(connection, "far-bucket", "eu-central-1")
    assert connection.s3.get_bucket_location(Bucket="far-bucket")["LocationConstraint"] == "eu-central-1"


def test_files_are_put_and_listed(connection: Connection, tmp_path: Path) -> None:
    ensure_bucket(connection, "one-bucket", "us-east-1")
    paths = {}
    for number in range(12):
        paths[f"x/{number}"] = tmp_path / str(number)
        paths[f"x/{number}"].write_text("a" * number)
    put_files(connection, "one-bucket", paths)
    put_files(connection, "one-bucket", {})
    assert stored_sizes(connection, "one-bucket", "x/") == {f"x/{number}": number for number in range(12)}
    assert stored_sizes(connection, "no-such-bucket", "x/") == {}


def test_documents_that_are_missing_or_no_json_read_as_none(connection: Connection) -> None:
    ensure_bucket(connection, "one-bucket", "us-east-1")
    connection.s3.put_object(Bucket="one-bucket", Key="good", Body=b'{"a": 1}')
    connection.s3.put_object(Bucket="one-bucket", Key="bad", Body=b"<a>")
    read = [read_json(connection, f"s3://one-bucket/{key}") for key in ("good", "bad", "missing")]
    assert read == [{"a": 1}, None, None]
