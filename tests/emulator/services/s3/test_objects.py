from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def error_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_an_object_comes_back_as_it_was_put(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="a/b.txt", Body=b"hello", ContentType="text/plain", Metadata={"colour": "red"})
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    got = s3.get_object(Bucket=bucket, Key="a/b.txt")
    assert got["Body"].read() == b"hello"
    assert got["ContentType"] == "text/plain"
    assert got["Metadata"] == {"colour": "red"}
    assert got["ETag"] == put["ETag"]
    assert got["ContentLength"] == 5
    assert got["AcceptRanges"] == "bytes"
    head = s3.head_object(Bucket=bucket, Key="a/b.txt")
    assert head["ContentLength"] == 5
    assert head["LastModified"] == got["LastModified"]
