"""Whether a bucket's policy is public (S3 User Guide, "The meaning of 'public'")."""

from __future__ import annotations

import json
from typing import Any

from emulator.aws.operations import Request, Response, operation
from emulator.services.context import Context
from emulator.services.s3.bucket_settings import POLICY

_FIXING = frozenset(
    (
        "aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount",
        "aws:userid", "aws:principalorgid", "s3:x-amz-server-side-encryption-aws-kms-key-id",
        "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
    )
)  # fmt: skip
"""Condition keys that take a statement from the public, if their values are fixed."""


@operation("s3", "GetBucketPolicyStatus")
def get_bucket_policy_status(request: Request, context: Context) -> Response:
    policy = json.loads(POLICY.get(request, context)[POLICY.member])
    statements = policy["Statement"]
    every = statements if isinstance(statements, list) else [statements]
    return {"PolicyStatus": {"IsPublic": any(_is_public(statement) for statement in every)}}


def _is_public(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    everybody = "*" in (named if isinstance(named, list) else [named])
    return statement.get("Effect") == "Allow" and everybody and not _is_fixed(statement.get("Condition") or {})


def _is_fixed(conditions: dict[str, dict[str, Any]]) -> bool:
    found = [item for condition in conditions.values() for item in condition.items() if item[0].lower() in _FIXING]
    return any("*" not in json.dumps(value) and "0.0.0.0/0" not in json.dumps(value) for _, value in found)
