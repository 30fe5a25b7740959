"""Lambda's errors (API Reference, "Common errors" and those of each action)."""

from __future__ import annotations

from emulator.aws.errors import AwsError


class FunctionNotFound(AwsError):
    code = "ResourceNotFoundException"
    status = 404


class FunctionConflict(AwsError):
    code = "ResourceConflictException"
    status = 409


class InvalidParameter(AwsError):
    code = "InvalidParameterValueException"


class InvalidRequestContent(AwsError):
    code = "InvalidRequestContentException"


class TooManyRequests(AwsError):
    code = "TooManyRequestsException"
    status = 429


class ServiceFault(AwsError):
    code = "ServiceException"
    status = 500
