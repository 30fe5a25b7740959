"""EventBridge's errors."""

from __future__ import annotations

from emulator.aws.errors import AwsError


class EventsNotFound(AwsError):
    code = "ResourceNotFoundException"


class EventsExists(AwsError):
    code = "ResourceAlreadyExistsException"


class InvalidEventPattern(AwsError):
    code = "InvalidEventPatternException"
