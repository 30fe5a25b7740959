from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.store.buckets import valid_name
from tests.emulator.services.s3.conftest import Server, error_of


def test_the_life_of_a_bucket(s3: Any) -> None:
    s3.create_bucket(Bucket="life-of-a-bucket")
    assert s3.head_bucket(Bucket="life-of-a-bucket")["BucketRegion"] == "us-east-1"
    entry = next(entry for entry in s3.list_buckets()["Buckets"] if entry["Name"] == "life-of-a-bucket")
    assert entry["CreationDate"].year >= 2024
    s3.put_object(Bucket="life-of-a-bucket", Key="k", Body=b"")
    with pytest.raises(ClientError) as caught:
        s3.delete_bucket(Bucket="life-of-a-bucket")
    assert error_of(caught) == ("BucketNotEmpty", 409)
    s3.delete_object(Bucket="life-of-a-bucket", Key="k")
    s3.delete_bucket(Bucket="life-of-a-bucket")
    with pytest.raises(ClientError) as caught:
        s3.head_bucket(Bucket="life-of-a-bucket")
    assert error_of(caught) == ("404", 404)


def test_creating_again_succeeds_in_us_east_1_only(server: Server, s3: Any) -> None:
    s3.create_bucket(Bucket="again-bucket")
    s3.create_bucket(Bucket="again-bucket")
    west = server.client(region="us-west-2")
    place = {"LocationConstraint": "us-west-2"}
    west.create_bucket(Bucket="again-in-the-west", CreateBucketConfiguration=place)
    with pytest.raises(ClientError) as caught:
        west.create_bucket(Bucket="again-in-the-west", CreateBucketConfiguration=place)
    assert error_of(caught) == ("BucketAlreadyOwnedByYou", 409)
    assert west.get_bucket_location(Bucket="again-in-the-west")["LocationConstraint"] == "us-west-2"
    assert s3.get_bucket_location(Bucket="again-bucket")["LocationConstraint"] is None
    west.close()


def test_a_name_belongs_to_one_account(server: Server, s3: Any) -> None:
    s3.create_bucket(Bucket="mine-alone")
    stranger = server.client(account="999999999999")
    with pytest.raises(ClientError) as caught:
        stranger.create_bucket(Bucket="mine-alone")
    assert error_of(caught) == ("BucketAlreadyExists", 409)
    assert "mine-alone" not in [entry["Name"] for entry in stranger.list_buckets()["Buckets"]]
    with pytest.raises(ClientError) as caught:
        stranger.head_bucket(Bucket="mine-alone")
    assert error_of(caught) == ("403", 403)
    stranger.close()


def test_the_location_must_fit_the_region(server: Server) -> None:
    west = server.client(region="us-west-2")
    with pytest.raises(ClientError) as caught:
        west.create_bucket(Bucket="nowhere-in-particular")
    assert error_of(caught) == ("IllegalLocationConstraintException", 400)
    west.close()


def test_us_east_1_makes_buckets_of_every_region(s3: Any) -> None:
    s3.create_bucket(Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert s3.get_bucket_location(Bucket="far-away")["LocationConstraint"] == "eu-central-1"
    assert [each["Name"] for each in s3.list_buckets(BucketRegion="eu-central-1")["Buckets"]] == ["far-away"]


@pytest.mark.parametrize("name", ["abc", "a.b.c", "my-bucket-1", "0bucket", "a" * 63])
def test_valid_names(name: str) -> None:
    assert valid_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "Upper",
        "under_score",
        "-dash",
        "dash-",
        "a..b",
        "192.168.0.1",
        "xn--a",
        "a-s3alias",
        "a.-b",
        "a b",
    ],
)
def test_invalid_names(name: str) -> None:
    assert not valid_name(name)


def test_an_invalid_name_over_the_wire(s3: Any) -> None:
    with pytest.raises(ClientError) as caught:
        s3.create_bucket(Bucket="Invalid_Name")
    assert error_of(caught) == ("InvalidBucketName", 400)


def test_buckets_are_listed_in_pages(server: Server) -> None:
    client = server.client(account="111111111111")
    for number in range(5):
        client.create_bucket(Bucket=f"paged-{number}")
    pages = list(client.get_paginator("list_buckets").paginate(PaginationConfig={"PageSize": 2}))
    assert [[entry["Name"] for entry in page["Buckets"]] for page in pages] == [
        ["paged-0", "paged-1"],
        ["paged-2", "paged-3"],
        ["paged-4"],
    ]
    client.close()


def test_deleting_a_bucket_drops_its_unfinished_uploads(server: Server, s3: Any) -> None:
    s3.create_bucket(Bucket="unfinished-business")
    upload = s3.create_multipart_upload(Bucket="unfinished-business", Key="k")["UploadId"]
    s3.upload_part(Bucket="unfinished-business", Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    s3.delete_bucket(Bucket="unfinished-business")
    assert server.objects.uploads.parts(upload) == []
