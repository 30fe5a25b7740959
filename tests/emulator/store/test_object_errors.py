import pytest

from emulator.store.object_errors import no_such_bucket


@pytest.mark.parametrize("bucket", ["sagemaker-sample-files", "jumpstart-cache-prod-eu-west-1"])
def test_a_public_bucket_of_aws_is_said_to_be_out_of_reach_and_what_to_do(bucket: str) -> None:
    error = no_such_bucket(bucket)
    assert error.code == "NoSuchBucket"
    assert error.message.startswith("The specified bucket does not exist. ")
    assert f"aws s3 mb s3://{bucket}" in error.message


def test_any_other_bucket_is_missing_in_s3_s_words() -> None:
    assert no_such_bucket("mine").message == "The specified bucket does not exist"
