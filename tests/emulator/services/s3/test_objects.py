from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.s3.conftest import Server, error_of


def test_an_object_comes_back_as_it_was_put(s3: Any, bucket: str) -> None:
    put = s3.put_object(
        Bucket=bucket, Key="a/b.txt", Body=b"hello", ContentType="text/plain", Metadata={"Colour": "red"}
    )
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    got = s3.get_object(Bucket=bucket, Key="a/b.txt")
    assert got["Body"].read() == b"hello"
    assert got["ContentType"] == "text/plain"
    assert got["Metadata"] == {"colour": "red"}
    assert got["ETag"] == put["ETag"]
    assert got["ContentLength"] == 5
    assert got["AcceptRanges"] == "bytes"
    assert got["ServerSideEncryption"] == "AES256"
    head = s3.head_object(Bucket=bucket, Key="a/b.txt")
    assert head["ContentLength"] == 5
    assert head["LastModified"] == got["LastModified"]
    assert "VersionId" not in head


def test_system_metadata_is_kept_and_can_be_overridden(s3: Any, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="x"',
        ContentEncoding="gzip",
        ContentLanguage="de",
        Expires=datetime(2030, 1, 1, tzinfo=UTC),
        StorageClass="STANDARD_IA",
        WebsiteRedirectLocation="/elsewhere",
    )
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["CacheControl"] == "max-age=60"
    assert head["ContentDisposition"] == 'attachment; filename="x"'
    assert head["ContentEncoding"] == "gzip"
    assert head["ContentLanguage"] == "de"
    assert head["Expires"] == datetime(2030, 1, 1, tzinfo=UTC)
    assert head["StorageClass"] == "STANDARD_IA"
    assert head["WebsiteRedirectLocation"] == "/elsewhere"
    assert head["ContentType"] == "binary/octet-stream"
    got = s3.get_object(Bucket=bucket, Key="k", ResponseContentType="text/x", ResponseCacheControl="no-store")
    assert (got["ContentType"], got["CacheControl"], got["ContentLanguage"]) == ("text/x", "no-store", "de")


@pytest.mark.parametrize(
    "key",
    [
        "with space",
        "a+b",
        "ü/日本語/😀",
        "../../etc/passwd",
        "a/../b",
        "./a",
        "a//b",
        "/leading",
        "trailing/",
        "per%20cent%",
        "question?mark#hash&amp;",
        "quote'\"<>",
        "new\nline\ttab",
        "x" * 1024,
    ],
)
def test_keys_are_taken_literally(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [entry["Key"] for entry in s3.list_objects(Bucket=bucket)["Contents"]] == [key]


def test_a_key_and_a_key_below_it_live_together(s3: Any, bucket: str) -> None:
    for key in ("a", "a/b", "a/b/c", "a/"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in ("a", "a/b", "a/b/c", "a/")] == [
        b"a",
        b"a/b",
        b"a/b/c",
        b"a/",
    ]


def test_a_key_of_more_than_1024_bytes_is_refused(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="ü" * 513, Body=b"")
    assert error_of(caught) == ("KeyTooLongError", 400)


def test_missing_things_have_their_own_errors(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="missing")
    assert error_of(caught) == ("NoSuchKey", 404)
    assert caught.value.response["Error"]["Key"] == "missing"
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket="missing-bucket", Key="k")
    assert error_of(caught) == ("NoSuchBucket", 404)
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket="missing-bucket", Key="k", Body=b"")
    assert error_of(caught) == ("NoSuchBucket", 404)
    with pytest.raises(ClientError) as caught:
        s3.head_object(Bucket=bucket, Key="missing")
    assert error_of(caught) == ("404", 404)


def test_an_error_to_head_has_no_body(server: Server, bucket: str) -> None:
    request = urllib.request.Request(f"{server.url}/{bucket}/missing", method="HEAD")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as answer:
        assert answer.code == 404
        assert answer.read() == b""
        assert answer.headers["x-amz-request-id"] == "REQUEST1"


def test_an_error_document_names_what_where_and_which_request(server: Server, bucket: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/{bucket}/a%26b")
    with caught.value as answer:
        text = answer.read().decode()
        assert answer.headers["content-type"] == "application/xml"
    assert "<Code>NoSuchKey</Code>" in text
    assert "<Key>a&amp;b</Key>" in text
    assert "<RequestId>REQUEST1</RequestId>" in text


def test_a_key_that_is_not_utf8_is_refused(server: Server, bucket: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server.url}/{bucket}/%ff")
    with caught.value as answer:
        assert b"<Code>InvalidURI</Code>" in answer.read()


def test_replacing_an_object_removes_its_blob(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"one")
    first = server.objects.require(bucket, "k")
    s3.put_object(Bucket=bucket, Key="k", Body=b"two")
    with pytest.raises(FileNotFoundError):
        server.objects.blobs.open(first.blob)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"


def test_a_download_survives_the_replacement_of_its_object(s3: Any, bucket: str) -> None:
    data = bytes(range(256)) * 65536
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    body = s3.get_object(Bucket=bucket, Key="k")["Body"]
    begin = body.read(1000)
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    s3.delete_object(Bucket=bucket, Key="k")
    assert begin + body.read() == data


def test_metadata_of_more_than_2_kib_is_refused(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"", Metadata={"a": "x" * 2048})
    assert error_of(caught) == ("MetadataTooLarge", 400)


def test_options_that_are_missing_are_refused_by_name(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"", SSECustomerAlgorithm="AES256", SSECustomerKey="x" * 32)
    assert error_of(caught) == ("NotImplemented", 501)
    assert "SSE-C" in str(caught.value)
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"", StorageClass="GLACIER")
    assert error_of(caught) == ("NotImplemented", 501)
    with pytest.raises(ClientError) as caught:
        s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": 1})
    assert error_of(caught) == ("NotImplemented", 501)
    assert "RestoreObject" in str(caught.value)


def test_acls_are_disabled_as_in_new_buckets(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="public-read")
    assert error_of(caught) == ("AccessControlListNotSupported", 400)
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="bucket-owner-full-control")
    grants = s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]
    assert [grant["Permission"] for grant in grants] == ["FULL_CONTROL"]
    assert grants[0]["Grantee"]["Type"] == "CanonicalUser"


def test_another_accounts_bucket_is_closed(server: Server, bucket: str) -> None:
    stranger = server.client(account="999999999999")
    with pytest.raises(ClientError) as caught:
        stranger.put_object(Bucket=bucket, Key="k", Body=b"")
    assert error_of(caught) == ("AccessDenied", 403)
    stranger.close()


def test_the_expected_owner_is_checked(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"", ExpectedBucketOwner="999999999999")
    assert error_of(caught) == ("AccessDenied", 403)
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"", ExpectedBucketOwner="123456789012")["ETag"]


def test_encryption_by_kms_is_echoed(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId="arn:aws:kms:k")
    head = s3.head_object(Bucket=bucket, Key="k")
    assert put["ServerSideEncryption"] == head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"] == "arn:aws:kms:k"


def test_the_attributes_of_an_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm="SHA256")
    found = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass", "ObjectParts"]
    )
    assert found["ETag"] == "5d41402abc4b2a76b9719d911017c592"
    assert found["ObjectSize"] == 5
    assert found["StorageClass"] == "STANDARD"
    assert found["Checksum"]["ChecksumSHA256"] == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    assert "ObjectParts" not in found
