"""Policy documents, as far as IAM looks into what it stores."""

from __future__ import annotations

import json
from typing import Any

from emulator.services.iam.errors import MalformedPolicyDocument


def read_policy(text: str) -> dict[str, Any]:
    """The document of a policy.

    Raises:
        MalformedPolicyDocument: IAM would not even store it.
    """
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicyDocument("This policy contains invalid Json") from error
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not all(
        isinstance(each, dict) and each.get("Effect") in ("Allow", "Deny") for each in statements
    ):
        raise MalformedPolicyDocument("Syntax errors in policy.")
    assert isinstance(policy, dict)
    return policy
