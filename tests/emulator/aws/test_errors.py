import pytest

from emulator.aws import errors


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (errors.ValidationException("m"), "ValidationException", 400),
        (errors.ResourceNotFound("m"), "ResourceNotFound", 400),
        (errors.NotImplementedHere("m"), "NotImplemented", 501),
        (errors.AwsError("m", code="NoSuchKey", status=404), "NoSuchKey", 404),
    ],
)
def test_an_error_carries_aws_code_and_status(error, code, status):
    assert (error.code, error.status, error.message, str(error)) == (code, status, "m", "m")
