"""SQS's errors."""

from __future__ import annotations

from emulator.aws.errors import QueryCompatibleError

_PREFIX = "AWS.SimpleQueueService."


class SqsError(QueryCompatibleError):
    """An error in SQS's words; most legacy codes are the code of today with a prefix."""

    def __init__(self, code: str, message: str, legacy: str | None = None) -> None:
        super().__init__(code, message, legacy or f"{_PREFIX}{code}")
        self.headers["x-amzn-errortype"] = f"com.amazonaws.sqs#{code}"


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
