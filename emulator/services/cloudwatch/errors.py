"""CloudWatch's errors, which have two codes: the shape of today's protocols and that of the older query protocol.

botocore shows the older one as ``Error.Code``, and AWS sends it in a header for that.
"""

from __future__ import annotations

from emulator.aws.errors import AwsError


class CloudWatchError(AwsError):
    """``shape`` is the code in CBOR and JSON, ``legacy`` that of the query protocol."""

    def __init__(self, shape: str, legacy: str, message: str) -> None:
        super().__init__(message, code=shape, headers={"x-amzn-query-error": f"{legacy};Sender"})
        self.legacy = legacy


def invalid_value(message: str) -> CloudWatchError:
    return CloudWatchError("InvalidParameterValueException", "InvalidParameterValue", message)


def invalid_combination(message: str) -> CloudWatchError:
    return CloudWatchError("InvalidParameterCombinationException", "InvalidParameterCombination", message)


def missing(message: str) -> CloudWatchError:
    return CloudWatchError("MissingRequiredParameterException", "MissingParameter", message)


def validation(message: str) -> CloudWatchError:
    return CloudWatchError("ValidationError", "ValidationError", message)


def invalid_token() -> CloudWatchError:
    return CloudWatchError("InvalidNextToken", "InvalidNextToken", "The nextToken is not valid.")
