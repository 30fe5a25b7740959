from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.s3.conftest import error_of

TAGS = [{"Key": "b", "Value": "2"}, {"Key": "ä & <", "Value": ""}]


def test_tags_of_an_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="b=2&%C3%A4+%26+%3C=")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == TAGS
    assert s3.head_object(Bucket=bucket, Key="k")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": TAGS[:1]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == TAGS[:1]
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"x"
    assert "TagCount" not in got


def test_tags_of_a_bucket(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.get_bucket_tagging(Bucket=bucket)
    assert error_of(caught) == ("NoSuchTagSet", 404)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": TAGS})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == TAGS
    s3.delete_bucket_tagging(Bucket=bucket)
    with pytest.raises(ClientError):
        s3.get_bucket_tagging(Bucket=bucket)


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": f"k{n}", "Value": ""} for n in range(11)], "BadRequest"),
        ([{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}], "InvalidTag"),
        ([{"Key": "k" * 129, "Value": ""}], "InvalidTag"),
        ([{"Key": "k", "Value": "v" * 257}], "InvalidTag"),
        ([{"Key": "aws:k", "Value": ""}], "InvalidTag"),
    ],
)
def test_the_limits_of_tags(s3: Any, bucket: str, tags: list[dict[str, str]], code: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    with pytest.raises(ClientError) as caught:
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": tags})
    assert error_of(caught) == (code, 400)


def test_tags_of_what_is_not_there(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as caught:
        s3.get_object_tagging(Bucket=bucket, Key="missing")
    assert error_of(caught) == ("NoSuchKey", 404)
