"""CloudWatch's errors."""

from __future__ import annotations

from emulator.aws.errors import QueryCompatibleError


class CloudWatchError(QueryCompatibleError):
    """An error in CloudWatch's words."""


def invalid_value(message: str) -> CloudWatchError:
    return CloudWatchError("InvalidParameterValueException", message, "InvalidParameterValue")


def invalid_combination(message: str) -> CloudWatchError:
    return CloudWatchError("InvalidParameterCombinationException", message, "InvalidParameterCombination")


def missing(message: str) -> CloudWatchError:
    return CloudWatchError("MissingRequiredParameterException", message, "MissingParameter")


def validation(message: str) -> CloudWatchError:
    return CloudWatchError("ValidationError", message, "ValidationError")


def invalid_token() -> CloudWatchError:
    return CloudWatchError("InvalidNextToken", "The nextToken is not valid.", "InvalidNextToken")
