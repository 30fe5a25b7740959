"""EventBridge Scheduler's errors."""

from __future__ import annotations

from emulator.aws.errors import AwsError


class SchedulerNotFound(AwsError):
    code = "ResourceNotFoundException"
    status = 404


class SchedulerConflict(AwsError):
    code = "ConflictException"
    status = 409
