from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.aws.errors import AwsError
from emulator.services.s3.ranges import parse_range
from tests.emulator.services.s3.conftest import error_of


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-4", (2, 5)),
        ("bytes=7-", (7, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-100", (0, 10)),
        ("bytes=5-100", (5, 10)),
        (None, None),
        ("bytes=4-2", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=-", None),
    ],
)
def test_what_a_range_means(header: str | None, expected: tuple[int, int] | None) -> None:
    part = parse_range(header, 10)
    assert (part and (part.start, part.end)) == expected


@pytest.mark.parametrize(("header", "size"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)])
def test_a_range_beyond_the_end_is_refused(header: str, size: int) -> None:
    with pytest.raises(AwsError) as caught:
        parse_range(header, size)
    assert caught.value.status == 416


def test_a_range_over_the_wire(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range="bytes=-4")
    assert got["Body"].read() == b"6789"
    assert got["ContentRange"] == "bytes 6-9/10"
    assert got["ContentLength"] == 4
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    head = s3.head_object(Bucket=bucket, Key="k", Range="bytes=2-3")
    assert (head["ContentLength"], head["ResponseMetadata"]["HTTPStatusCode"]) == (2, 206)
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=10-20")
    assert error_of(caught) == ("InvalidRange", 416)
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["content-range"] == "bytes */10"


def test_a_large_range_is_streamed(s3: Any, bucket: str) -> None:
    data = bytes(range(256)) * 8192
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    assert s3.get_object(Bucket=bucket, Key="k", Range="bytes=100-1500000")["Body"].read() == data[100:1500001]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data
