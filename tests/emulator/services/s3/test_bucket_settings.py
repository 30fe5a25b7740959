"""Settings of buckets that are kept and given back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*"}]})
KMS = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}]}


def code_of(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_a_policy_is_kept_until_it_is_deleted(s3: Any, bucket: str) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=POLICY)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == POLICY
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"


@pytest.mark.parametrize(
    ("principal", "condition", "public"),
    [
        ("*", None, True),
        ({"AWS": ["*"]}, None, True),
        ({"AWS": "arn:aws:iam::123456789012:role/reader"}, None, False),
        ("*", {"StringEquals": {"aws:SourceVpc": "vpc-12345678"}}, False),
        ("*", {"StringLike": {"aws:SourceVpc": "vpc-*"}}, True),
        ("*", {"StringEquals": {"aws:UserAgent": "fixed"}}, True),
    ],
)
def test_a_policy_is_public_if_everybody_may_without_a_fixed_condition(
    s3: Any, bucket: str, principal: Any, condition: Any, public: bool
) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "*"}
    statement |= {"Condition": condition} if condition else {}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": public}


@pytest.mark.parametrize("text", ["[]", "{", '{"Version": "2012-10-17"}'])
def test_what_is_no_policy_is_refused(s3: Any, bucket: str, text: str) -> None:
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=text) == "MalformedPolicy"


def test_default_encryption(s3: Any, bucket: str) -> None:
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=KMS)
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"] == KMS
    s3.delete_bucket_encryption(Bucket=bucket)
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_public_access(s3: Any, bucket: str) -> None:
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    blocks = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert {name for name, value in blocks.items() if value} == {"BlockPublicAcls"}
    assert len(blocks) == 4
    s3.delete_public_access_block(Bucket=bucket)
    assert code_of(s3.get_public_access_block, Bucket=bucket) == "NoSuchPublicAccessBlockConfiguration"


def test_ownership(s3: Any, bucket: str) -> None:
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == controls
    s3.delete_bucket_ownership_controls(Bucket=bucket)
    assert code_of(s3.get_bucket_ownership_controls, Bucket=bucket) == "OwnershipControlsNotFoundError"
    s3.create_bucket(Bucket="preferred", ObjectOwnership="BucketOwnerPreferred")
    rules = s3.get_bucket_ownership_controls(Bucket="preferred")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerPreferred"}]


def test_a_new_bucket_of_the_same_name_begins_anew(s3: Any, bucket: str) -> None:
    s3.put_bucket_policy(Bucket=bucket, Policy=POLICY)
    s3.delete_bucket(Bucket=bucket)
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucket"
    assert code_of(s3.put_bucket_policy, Bucket=bucket, Policy=POLICY) == "NoSuchBucket"
    s3.create_bucket(Bucket=bucket)
    assert code_of(s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"
