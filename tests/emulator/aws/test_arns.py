import pytest

from emulator.aws.arns import Arn, partition_of, sagemaker_arn
from emulator.aws.errors import ValidationException


def test_an_arn_survives_taking_apart_and_putting_together():
    text = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/flights/execution/abc123"
    arn = Arn.parse(text)
    assert (arn.service, arn.account, arn.resource_type, arn.resource_id) == (
        "sagemaker",
        "123456789012",
        "pipeline",
        "flights/execution/abc123",
    )
    assert str(arn) == text


def test_the_resource_of_an_arn_keeps_its_colons():
    assert Arn.parse("arn:aws:logs:us-east-1:1:log-group:/aws/x:*").resource == "log-group:/aws/x:*"


@pytest.mark.parametrize("text", ["", "flights", "arn:aws:s3", "urn:aws:s3:::bucket", "arn:aws:sagemaker:r:1:"])
def test_what_is_no_arn_is_refused_by_name(text):
    with pytest.raises(ValidationException, match="Invalid ARN"):
        Arn.parse(text)


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_a_region_belongs_to_its_partition(region, partition):
    assert partition_of(region) == partition


def test_a_name_keeps_its_case_in_an_arn():
    assert sagemaker_arn("1", "us-east-1", "training-job", "MyJob") == (
        "arn:aws:sagemaker:us-east-1:1:training-job/MyJob"
    )
