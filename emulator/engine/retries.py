"""Retry policies of steps (Developer Guide, "Retry Policy for Pipeline Steps"): what is tried again, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from emulator.aws.errors import AwsError
from emulator.engine.errors import DefinitionError

SERVICE_FAULT: Final = "Step.SERVICE_FAULT"
THROTTLING: Final = "Step.THROTTLING"
JOB_INTERNAL_ERROR: Final = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR: Final = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT: Final = "SageMaker.RESOURCE_LIMIT"
EXCEPTION_TYPES = (SERVICE_FAULT, THROTTLING, JOB_INTERNAL_ERROR, CAPACITY_ERROR, RESOURCE_LIMIT)

MAX_INTERVAL_SECONDS = 43200
MAX_ATTEMPTS = 20
MAX_EXPIRE_MINUTES = 14400
DEFAULT_ATTEMPTS = 5
_MEMBERS = ("ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin")
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})
_FAULTS = frozenset({"InternalFailure", "InternalServerError", "ServiceUnavailable", "InternalServiceError"})
_FAULT_STATUSES = (500, 502, 503, 504)
_JOB_REASONS = {
    "InternalServerError": JOB_INTERNAL_ERROR,
    "CapacityError": CAPACITY_ERROR,
    "InsufficientCapacityError": CAPACITY_ERROR,
    "ResourceLimitExceeded": RESOURCE_LIMIT,
}
"""How a job's FailureReason begins, and what that is to a retry policy; an AlgorithmError is nothing to any."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """At most ``attempts`` retries, or as many as begin within ``expire_after`` seconds of the first failure."""

    exceptions: tuple[str, ...]
    interval: float = 1.0
    backoff: float = 2.0
    attempts: int | None = DEFAULT_ATTEMPTS
    expire_after: float | None = None


DEFAULT = RetryPolicy((SERVICE_FAULT, THROTTLING))
"""What every step has for the errors that its own policies do not name; its numbers are not documented."""


@dataclass(frozen=True, slots=True)
class Retries:
    """What a step has used of its policies, and when it tries again. Stored with the step."""

    due: float | None = None
    counts: dict[str, int] = field(default_factory=dict)
    """Retries by policy: its number in the step, or ``default``."""
    since: dict[str, float] = field(default_factory=dict)
    """When each policy was first used."""

    def document(self) -> dict[str, Any]:
        return {"Due": self.due, "Counts": self.counts, "Since": self.since}

    @classmethod
    def of(cls, document: dict[str, Any]) -> Retries:
        return cls(document.get("Due"), document.get("Counts", {}), document.get("Since", {}))


def next_retry(policies: Sequence[RetryPolicy], error: str, used: Retries, now: float) -> Retries | None:
    """When a step that met ``error`` (an exception type) tries again, None if it fails for good."""
    for name, policy in [*((str(number), policy) for number, policy in enumerate(policies)), ("default", DEFAULT)]:
        if error not in policy.exceptions:
            continue
        count, since = used.counts.get(name, 0), used.since.get(name, now)
        due = now + _delay(policy, count)
        if policy.attempts is not None and count >= policy.attempts:
            return None
        if policy.expire_after is not None and due > since + policy.expire_after:
            return None
        return Retries(due, {**used.counts, name: count + 1}, {**used.since, name: since})
    return None


def _delay(policy: RetryPolicy, count: int) -> float:
    longest = MAX_EXPIRE_MINUTES * 60.0
    try:
        return min(policy.interval * policy.backoff**count, longest)
    except OverflowError:
        return longest


def exception_type(error: AwsError) -> str:
    """What a refused call is to a retry policy; empty if no policy can name it."""
    if error.code in _THROTTLED or error.status == 429:
        return THROTTLING
    if error.code == "ResourceLimitExceeded":
        return RESOURCE_LIMIT
    if error.code == "InsufficientCapacity":
        return CAPACITY_ERROR
    return SERVICE_FAULT if error.code in _FAULTS or error.status in _FAULT_STATUSES else ""


def job_exception_type(failure_reason: str) -> str:
    """What a job's FailureReason is to a retry policy; empty if no policy can name it."""
    return _JOB_REASONS.get(failure_reason.partition(":")[0].strip(), "")


def read_retry_policies(items: list[Any], step: str) -> tuple[RetryPolicy, ...]:
    """The ``RetryPolicies`` of a step.

    Raises:
        DefinitionError: one is malformed or outside the limits.
    """
    return tuple(_read(item, step, f"RetryPolicies[{number}]") for number, item in enumerate(items))


def _read(item: Any, step: str, place: str) -> RetryPolicy:
    if not isinstance(item, dict):
        raise DefinitionError("Expecting start of Json Object.", step=step, field=place)
    for member in item:
        if member not in _MEMBERS:
            raise DefinitionError(f"Cannot parse object, unknown property '{member}'.", step=step, field=place)
    attempts = _number(item, "MaxAttempts", 1, MAX_ATTEMPTS, step, place)
    minutes = _number(item, "ExpireAfterMin", 1, MAX_EXPIRE_MINUTES, step, place)
    if attempts is not None and minutes is not None:
        raise DefinitionError("Give either MaxAttempts or ExpireAfterMin, not both.", step=step, field=place)
    interval = _number(item, "IntervalSeconds", 0, MAX_INTERVAL_SECONDS, step, place)
    backoff = _number(item, "BackoffRate", 0, None, step, place, whole=False)
    if attempts is None and minutes is None:
        attempts = DEFAULT_ATTEMPTS
    return RetryPolicy(
        exceptions=_exceptions(item.get("ExceptionType"), step, f"{place}.ExceptionType"),
        interval=1.0 if interval is None else float(interval),
        backoff=2.0 if backoff is None else float(backoff),
        attempts=None if attempts is None else int(attempts),
        expire_after=None if minutes is None else minutes * 60.0,
    )


def _exceptions(value: Any, step: str, place: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names:
        raise DefinitionError("A retry policy names at least one exception type.", step=step, field=place)
    for name in names:
        if name not in EXCEPTION_TYPES:
            reason = f"Unknown exception type '{name}'. Known are {', '.join(EXCEPTION_TYPES)}."
            raise DefinitionError(reason, step=step, field=place)
    return tuple(names)


def _number(
    item: dict[str, Any], member: str, least: int, most: int | None, step: str, place: str, *, whole: bool = True
) -> float | None:
    value = item.get(member)
    if value is None:
        return None
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or value < least or (most is not None and value > most):
        limits = f"between {least} and {most}" if most is not None else f"of at least {least}"
        kind = "an integer" if whole else "a number"
        raise DefinitionError(f"{member} must be {kind} {limits}.", step=step, field=f"{place}.{member}")
    return value
