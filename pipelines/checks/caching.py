"""PL8xx: step caching and retries."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.cache_keys import CACHE_KEYS, key_members
from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Subject, nodes
from pipelines.errors import suggest

DURATION = re.compile(r"P?(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?", re.IGNORECASE)
RETRIED = (
    "Processing",
    "Training",
    "Tuning",
    "Transform",
    "Model",
    "RegisterModel",
    "AutoML",
    "QualityCheck",
    "ClarifyCheck",
)
EXCEPTIONS = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)
LONGEST_INTERVAL, MOST_ATTEMPTS, LONGEST_EXPIRY = 43_200, 20, 14_400


@check("PL801", "caching defeated by a changing value", "warning")
def defeated_cache(subject: Subject) -> Iterator[Problem]:
    """A member of the step's cache key differs in every execution, so the cache never hits. Take the execution
    variable out of it: outputs may have it, inputs and arguments may not."""
    for body in subject.bodies:
        if not (body.get("CacheConfig") or {}).get("Enabled"):
            continue
        for path, value in nodes(key_members(body)):
            if isinstance(value, str) and path.endswith("Get") and value.startswith("Execution.") and _changes(value):
                message = f"{value} differs in every execution, and {path.split('.')[0]} is part of the cache key"
                yield Problem(message, "take it out, or turn caching off", body["Name"], f"Arguments.{path}")


@check("PL802", "expiry that is no duration")
def wrong_expiry(subject: Subject) -> Iterator[Problem]:
    """`ExpireAfter` is an ISO 8601 duration: `P30D`, `PT12H`."""
    for body in subject.bodies:
        expiry = (body.get("CacheConfig") or {}).get("ExpireAfter")
        if isinstance(expiry, str) and (not DURATION.fullmatch(expiry) or not any(mark.isdigit() for mark in expiry)):
            message = f"{expiry!r} is no ISO 8601 duration"
            yield Problem(message, "write P30D or PT12H", body["Name"], "CacheConfig.ExpireAfter")


@check("PL803", "caching of a step that is never cached", "warning")
def useless_cache(subject: Subject) -> Iterator[Problem]:
    """SageMaker caches Processing, Training, Tuning, AutoML, Transform, ClarifyCheck, QualityCheck and EMR steps; on
    others, such as Lambda and Callback steps, the setting does nothing."""
    for body in subject.bodies:
        if (body.get("CacheConfig") or {}).get("Enabled") and body["Type"] not in CACHE_KEYS:
            message = f"steps of type {body['Type']} are not cached"
            yield Problem(message, "remove cache_config", body["Name"], "CacheConfig")


@check("PL804", "retry policy of a step that takes none")
def useless_retry(subject: Subject) -> Iterator[Problem]:
    """SageMaker refuses the definition."""
    for body in subject.bodies:
        if body.get("RetryPolicies") and body["Type"] not in RETRIED:
            message = f"steps of type {body['Type']} take no retry policies"
            yield Problem(message, "remove retry_policies", body["Name"], "RetryPolicies")


@check("PL805", "retry policy over its limits")
def wrong_retry(subject: Subject) -> Iterator[Problem]:
    """An interval of at most 43,200 s, either 1 to 20 attempts or an expiry of at most 14,400 min, and known exception
    types."""
    for body in subject.bodies:
        for number, policy in enumerate(body.get("RetryPolicies") or ()):
            for message in _retry_faults(policy):
                yield Problem(message, "correct the policy", body["Name"], f"RetryPolicies[{number}]")


def _changes(path: str) -> bool:
    return path.partition(".")[2] not in ("PipelineName", "PipelineArn")


def _retry_faults(policy: dict[str, object]) -> Iterator[str]:
    interval, attempts, expiry = (policy.get(key) for key in ("IntervalSeconds", "MaxAttempts", "ExpireAfterMin"))
    if isinstance(interval, (int, float)) and not 0 < interval <= LONGEST_INTERVAL:
        yield f"IntervalSeconds is {interval}, and {LONGEST_INTERVAL} is the limit"
    if attempts is not None and expiry is not None:
        yield "MaxAttempts and ExpireAfterMin exclude each other"
    if isinstance(attempts, int) and not 0 < attempts <= MOST_ATTEMPTS:
        yield f"MaxAttempts is {attempts}, and {MOST_ATTEMPTS} is the limit"
    if isinstance(expiry, (int, float)) and not 0 < expiry <= LONGEST_EXPIRY:
        yield f"ExpireAfterMin is {expiry}, and {LONGEST_EXPIRY} is the limit"
    kinds = policy.get("ExceptionType") or []
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if kind not in EXCEPTIONS:
            yield f"there is no exception type {kind!r}{suggest(str(kind), EXCEPTIONS)}"
