"""SNS's errors."""

from __future__ import annotations

from emulator.aws.errors import AwsError


class SnsNotFound(AwsError):
    code = "NotFound"
    status = 404


class InvalidParameter(AwsError):
    code = "InvalidParameter"
