from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.s3.conftest import Server, error_of


def test_deleting_what_is_not_there_succeeds(s3: Any, bucket: str) -> None:
    assert s3.delete_object(Bucket=bucket, Key="missing")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_a_thousand_at_a_time(server: Server, s3: Any, bucket: str) -> None:
    for number in range(1000):
        server.objects.put_bytes(bucket, f"k/{number}", b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"k/{number}"} for number in range(1000)]})
    assert len(answer["Deleted"]) == 1000
    assert "Errors" not in answer
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    with pytest.raises(ClientError) as caught:
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}] * 1001})
    assert error_of(caught) == ("MalformedXML", 400)


def test_a_quiet_deletion_tells_errors_only(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    entries = [{"Key": "k"}, {"Key": "x" * 1025}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": entries, "Quiet": True})
    assert "Deleted" not in answer
    assert [error["Code"] for error in answer["Errors"]] == ["KeyTooLongError"]


def test_batch_deletion_in_a_versioned_bucket(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"")["VersionId"]
    marked = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})["Deleted"][0]
    assert marked["DeleteMarker"] is True
    entries = [{"Key": "k", "VersionId": version}, {"Key": "k", "VersionId": marked["DeleteMarkerVersionId"]}]
    removed = s3.delete_objects(Bucket=bucket, Delete={"Objects": entries})["Deleted"]
    assert [entry.get("DeleteMarker", False) for entry in removed] == [False, True]
    assert "Versions" not in s3.list_object_versions(Bucket=bucket)
