"""SQS's errors, which have two codes: the shape of today's JSON protocol and that of the older query protocol.

botocore shows the older one as ``Error.Code``, and AWS sends it in a header for that.
"""

from __future__ import annotations

from emulator.aws.errors import AwsError

_PREFIX = "AWS.SimpleQueueService."


class SqsError(AwsError):
    """``shape`` is the code in JSON, ``legacy`` that of the query protocol."""

    def __init__(self, shape: str, message: str, legacy: str | None = None) -> None:
        legacy = legacy or f"{_PREFIX}{shape}"
        super().__init__(message, code=shape, headers={"x-amzn-query-error": f"{legacy};Sender"})
        self.legacy = legacy


def no_such_queue() -> SqsError:
    message = "The specified queue does not exist."
    return SqsError("QueueDoesNotExist", message, f"{_PREFIX}NonExistentQueue")


def invalid_value(message: str) -> SqsError:
    return SqsError("InvalidParameterValueException", message, "InvalidParameterValue")


def missing(member: str) -> SqsError:
    message = f"The request must contain the parameter {member}."
    return SqsError("MissingRequiredParameterException", message, "MissingParameter")


def invalid_attribute(name: str, value: str | None = None) -> SqsError:
    if value is None:
        return SqsError("InvalidAttributeName", f"Unknown Attribute {name}.", "InvalidAttributeName")
    return SqsError("InvalidAttributeValue", f"Invalid value for the parameter {name}.", "InvalidAttributeValue")


def bad_receipt(receipt: str) -> SqsError:
    message = f'The input receipt handle "{receipt[:200]}" is not a valid receipt handle.'
    return SqsError("ReceiptHandleIsInvalid", message, "ReceiptHandleIsInvalid")
