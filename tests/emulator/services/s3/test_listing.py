from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.services.s3.conftest import Server, error_of


@pytest.fixture
def filled(server: Server, bucket: str) -> str:
    for key in ("a", "a/1", "a/2", "b/1", "b/2/x", "c", "ü/1", "ü/2"):
        server.objects.put_bytes(bucket, key, key.encode())
    return bucket


def test_a_delimiter_rolls_keys_up(s3: Any, filled: str) -> None:
    for call in (s3.list_objects, s3.list_objects_v2):
        page = call(Bucket=filled, Delimiter="/")
        assert [entry["Key"] for entry in page["Contents"]] == ["a", "c"]
        assert [entry["Prefix"] for entry in page["CommonPrefixes"]] == ["a/", "b/", "ü/"]
        page = call(Bucket=filled, Delimiter="/", Prefix="b/")
        assert [entry["Key"] for entry in page["Contents"]] == ["b/1"]
        assert [entry["Prefix"] for entry in page["CommonPrefixes"]] == ["b/2/"]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_pages_with_a_delimiter_follow_the_order_of_keys(s3: Any, filled: str, operation: str, size: int) -> None:
    pages = s3.get_paginator(operation).paginate(Bucket=filled, Delimiter="/", PaginationConfig={"PageSize": size})
    found = []
    for page in pages:
        names = [entry["Key"] for entry in page.get("Contents", [])]
        names += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        assert len(names) <= size
        found += sorted(names)
    assert found == ["a", "a/", "b/", "c", "ü/"]


def test_what_a_v2_page_tells(s3: Any, filled: str) -> None:
    page = s3.list_objects_v2(Bucket=filled, MaxKeys=2, StartAfter="a", Prefix="", FetchOwner=True)
    assert (page["KeyCount"], page["MaxKeys"], page["IsTruncated"], page["StartAfter"]) == (2, 2, True, "a")
    entry = page["Contents"][0]
    assert (entry["Key"], entry["Size"], entry["StorageClass"]) == ("a/1", 3, "STANDARD")
    assert entry["ETag"].startswith('"')
    assert entry["ChecksumAlgorithm"] == ["CRC64NVME"]
    assert entry["Owner"]["ID"]
    following = s3.list_objects_v2(Bucket=filled, ContinuationToken=page["NextContinuationToken"])
    assert following["Contents"][0]["Key"] == "b/1"
    assert following["IsTruncated"] is False


def test_an_empty_page(s3: Any, filled: str) -> None:
    page = s3.list_objects_v2(Bucket=filled, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"]) == (0, False)
    assert s3.list_objects_v2(Bucket=filled, Prefix="nothing")["KeyCount"] == 0


def test_wrong_arguments(s3: Any, filled: str) -> None:
    for wrong in ({"MaxKeys": -1}, {"ContinuationToken": "!"}, {"ContinuationToken": ""}, {"EncodingType": "xml"}):
        with pytest.raises(ClientError) as caught:
            s3.list_objects_v2(Bucket=filled, **wrong)
        assert error_of(caught) == ("InvalidArgument", 400)
    with pytest.raises(ClientError) as caught:
        s3.list_objects_v2(Bucket="missing-bucket")
    assert error_of(caught) == ("NoSuchBucket", 404)
