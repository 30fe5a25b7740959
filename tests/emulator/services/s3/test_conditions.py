from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.s3.conftest import error_of


@pytest.fixture
def etag(s3: Any, bucket: str) -> str:
    etag: str = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    return etag


@pytest.mark.parametrize("call", ["get_object", "head_object"])
def test_conditions_of_reads(s3: Any, bucket: str, etag: str, call: str) -> None:
    read = getattr(s3, call)
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    earlier = modified - timedelta(hours=1)
    for holds in (
        {"IfMatch": etag},
        {"IfMatch": "*"},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": earlier},
        {"IfUnmodifiedSince": modified},
        {"IfMatch": etag, "IfUnmodifiedSince": earlier},
        {"IfNoneMatch": '"other"', "IfModifiedSince": modified},
    ):
        assert read(Bucket=bucket, Key="k", **holds)["ETag"] == etag
    for fails, status in (
        ({"IfMatch": '"other"'}, 412),
        ({"IfUnmodifiedSince": earlier}, 412),
        ({"IfNoneMatch": etag}, 304),
        ({"IfModifiedSince": modified}, 304),
        ({"IfNoneMatch": etag, "IfModifiedSince": earlier}, 304),
    ):
        with pytest.raises(ClientError) as caught:
            read(Bucket=bucket, Key="k", **fails)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["etag"] == etag


def test_a_put_can_demand_that_nothing_is_there(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"one", IfNoneMatch="*")
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"two", IfNoneMatch="*")
    assert error_of(caught) == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"


def test_a_put_can_demand_what_is_there(s3: Any, bucket: str, etag: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"two", IfMatch='"other"')
    assert error_of(caught) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="missing", Body=b"two", IfMatch=etag)
    assert error_of(caught) == ("NoSuchKey", 404)
    s3.put_object(Bucket=bucket, Key="k", Body=b"two", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"


def test_if_none_match_of_a_put_knows_the_star_only(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key="k", Body=b"", IfNoneMatch='"abc"')
    assert error_of(caught) == ("NotImplemented", 501)


def test_a_failed_condition_leaves_no_blob(server: Any, s3: Any, bucket: str, etag: str) -> None:
    before = sum(1 for _ in server.objects.root.joinpath("blobs").glob("*/*"))
    with pytest.raises(ClientError):
        s3.put_object(Bucket=bucket, Key="k", Body=b"two", IfNoneMatch="*")
    assert sum(1 for _ in server.objects.root.joinpath("blobs").glob("*/*")) == before


def test_conditions_of_a_copys_source(s3: Any, bucket: str, etag: str) -> None:
    source = {"Bucket": bucket, "Key": "k"}
    modified = s3.head_object(**source)["LastModified"]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, CopySourceIfMatch=etag)
    for fails in (
        {"CopySourceIfMatch": '"other"'},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfModifiedSince": modified},
        {"CopySourceIfUnmodifiedSince": modified - timedelta(hours=1)},
    ):
        with pytest.raises(ClientError) as caught:
            s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, **fails)
        assert error_of(caught) == ("PreconditionFailed", 412)


def test_a_delete_can_demand_what_is_there(s3: Any, bucket: str, etag: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.delete_object(Bucket=bucket, Key="k", IfMatch='"other"')
    assert error_of(caught) == ("PreconditionFailed", 412)
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    with pytest.raises(ClientError):
        s3.head_object(Bucket=bucket, Key="k")
