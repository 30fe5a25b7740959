from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.s3.conftest import error_of


@pytest.fixture
def versioned(s3: Any, bucket: str) -> str:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def test_the_status_of_versioning(s3: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={})
    assert error_of(caught) == ("MalformedXML", 400)


def test_every_version_is_kept(s3: Any, versioned: str) -> None:
    ids = [s3.put_object(Bucket=versioned, Key="k", Body=body)["VersionId"] for body in (b"1", b"2", b"3")]
    assert len(set(ids)) == 3
    assert s3.get_object(Bucket=versioned, Key="k")["VersionId"] == ids[2]
    assert [s3.get_object(Bucket=versioned, Key="k", VersionId=id_)["Body"].read() for id_ in ids] == [b"1", b"2", b"3"]
    listed = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert [(entry["VersionId"], entry["IsLatest"]) for entry in listed] == [
        (ids[2], True),
        (ids[1], False),
        (ids[0], False),
    ]


def test_a_delete_leaves_a_marker(s3: Any, versioned: str) -> None:
    version = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    marker = s3.delete_object(Bucket=versioned, Key="k")
    assert marker["DeleteMarker"] is True
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=versioned, Key="k")
    assert error_of(caught) == ("NoSuchKey", 404)
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-delete-marker"] == "true"
    assert headers["x-amz-version-id"] == marker["VersionId"]
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=versioned, Key="k", VersionId=marker["VersionId"])
    assert error_of(caught) == ("MethodNotAllowed", 405)
    assert s3.get_object(Bucket=versioned, Key="k", VersionId=version)["Body"].read() == b"1"
    assert "Contents" not in s3.list_objects_v2(Bucket=versioned)
    removed = s3.delete_object(Bucket=versioned, Key="k", VersionId=marker["VersionId"])
    assert removed["DeleteMarker"] is True
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"1"


def test_removing_the_latest_version_brings_back_the_one_before(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="k", Body=b"1")
    second = s3.put_object(Bucket=versioned, Key="k", Body=b"2")["VersionId"]
    s3.delete_object(Bucket=versioned, Key="k", VersionId=second)
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"1"
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=versioned, Key="k", VersionId=second)
    assert error_of(caught) == ("NoSuchVersion", 404)


def test_suspended_versioning_writes_the_null_version(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.head_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    kept = s3.put_object(Bucket=bucket, Key="k", Body=b"kept")["VersionId"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"after")["VersionId"] == "null"
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [entry["VersionId"] for entry in listed] == ["null", kept]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"after"
    assert s3.delete_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=kept)["Body"].read() == b"kept"
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="k", VersionId="null")
    assert error_of(caught) == ("MethodNotAllowed", 405)


def test_versions_are_listed_in_pages(s3: Any, versioned: str) -> None:
    expected = []
    for key in ("a", "b", "c"):
        ids = [s3.put_object(Bucket=versioned, Key=key, Body=b"")["VersionId"] for _ in range(3)]
        expected += [(key, id_) for id_ in reversed(ids)]
    for size in (1, 2, 4):
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=versioned, PaginationConfig={"PageSize": size})
        assert [(entry["Key"], entry["VersionId"]) for page in pages for entry in page["Versions"]] == expected


def test_a_versioned_bucket_can_be_emptied_page_by_page(server: Any, s3: Any, versioned: str) -> None:
    for number in range(4):
        for _ in range(3):
            s3.put_object(Bucket=versioned, Key=f"k{number}", Body=b"x")
        s3.delete_object(Bucket=versioned, Key=f"k{number}")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=versioned, PaginationConfig={"PageSize": 3})
    for page in pages:
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        doomed = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in found]
        s3.delete_objects(Bucket=versioned, Delete={"Objects": doomed})
    s3.delete_bucket(Bucket=versioned)


def test_a_copy_can_bring_a_version_back(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket=versioned, Key="k", Body=b"2")
    copied = s3.copy_object(Bucket=versioned, Key="k", CopySource={"Bucket": versioned, "Key": "k", "VersionId": first})
    assert copied["CopySourceVersionId"] == first
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"1"
