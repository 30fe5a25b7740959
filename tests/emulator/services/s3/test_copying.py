from __future__ import annotations

import hashlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.aws.errors import AwsError
from emulator.services.s3.copying import parse_copy_source
from tests.emulator.services.s3.conftest import error_of


def test_a_copy_takes_the_sources_attributes(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="ü a/b",
        Body=b"x",
        ContentType="text/plain",
        Metadata={"a": "1"},
        Tagging="t=1",
        CacheControl="c",
    )
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "ü a/b"})
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"x").hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert got["Body"].read() == b"x"
    assert (got["ContentType"], got["Metadata"], got["TagCount"], got["CacheControl"]) == (
        "text/plain",
        {"a": "1"},
        1,
        "c",
    )


def test_a_copy_can_have_attributes_of_its_own(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/plain", Metadata={"a": "1"}, Tagging="t=1")
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=f"{bucket}/k",
        MetadataDirective="REPLACE",
        Metadata={"b": "2"},
        ContentType="text/html",
        TaggingDirective="REPLACE",
        Tagging="u=2",
    )
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert (head["ContentType"], head["Metadata"]) == ("text/html", {"b": "2"})
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "u", "Value": "2"}]


def test_a_copy_lives_on_when_its_source_goes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    s3.put_object(Bucket=bucket, Key="k", Body=b"y")
    s3.delete_object(Bucket=bucket, Key="k")
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"x"


def test_a_version_is_brought_back_by_a_copy_to_itself(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    s3.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k", "VersionId": version})
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 2


def test_a_copy_to_itself_must_change_something(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    with pytest.raises(ClientError) as caught:
        s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k")
    assert error_of(caught) == ("InvalidRequest", 400)
    s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/k", MetadataDirective="REPLACE", Metadata={"n": "1"})
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["Body"].read(), got["Metadata"]) == (b"x", {"n": "1"})


def test_a_missing_source(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.copy_object(Bucket=bucket, Key="k", CopySource=f"{bucket}/missing")
    assert error_of(caught) == ("NoSuchKey", 404)
    with pytest.raises(ClientError) as caught:
        s3.copy_object(Bucket=bucket, Key="k", CopySource="missing-bucket/missing")
    assert error_of(caught) == ("NoSuchBucket", 404)


def test_the_copy_of_a_multipart_object_is_a_plain_one(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"data")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    assert copied["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"data").hexdigest()}"'


def test_a_copy_can_have_another_checksum(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", ChecksumAlgorithm="SHA256")
    assert copied["CopyObjectResult"]["ChecksumSHA256"] == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b/k", ("b", "k", None)),
        ("/b/k", ("b", "k", None)),
        ("b/a%2Fb%20c", ("b", "a/b c", None)),
        ("b/k?versionId=v1", ("b", "k", "v1")),
        ("b/what%3FversionId=x", ("b", "what?versionId=x", None)),
        ("b//k", ("b", "/k", None)),
    ],
)
def test_how_a_source_is_written(text: str, expected: tuple[str, str, str | None]) -> None:
    assert parse_copy_source(text) == expected


@pytest.mark.parametrize("text", ["", "b", "b/", "/"])
def test_a_source_needs_bucket_and_key(text: str) -> None:
    with pytest.raises(AwsError, match="source bucket and key"):
        parse_copy_source(text)
