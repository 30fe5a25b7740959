"""PL9xx: roles and what they may do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Subject, nodes
from pipelines.policy import execution_statements, is_allowed

ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/.+")


@check("PL901", "role of another account")
def foreign_role(subject: Subject) -> Iterator[Problem]:
    """SageMaker runs a job only with a role of its own account."""
    for body in subject.bodies:
        for path, value in nodes(body.get("Arguments") or {}, "Arguments"):
            match = ROLE.fullmatch(value) if isinstance(value, str) and path.endswith("RoleArn") else None
            if match and match[1] != subject.environment.account:
                message = f"the role is of account {match[1]}, the environment is {subject.environment.account}"
                yield Problem(message, "use environment.role", body["Name"], path)


@check("PL902", "missing role permission")
def missing_permission(subject: Subject) -> Iterator[Problem]:
    """The environment's `role_policy` (the policy document that its role has, as a file of the checkout) does not
    allow what this pipeline does. `pipelines policy NAME` prints a policy that does."""
    path = subject.environment.role_policy
    if not path or not (subject.root / path).is_file():
        if path:
            yield Problem(f"role_policy {path} is not there", "correct role_policy in pipelines/environments.toml")
        return
    held = json.loads((subject.root / path).read_text())
    for statement in execution_statements(subject.definition, subject.environment):
        for action in statement["Action"]:
            lost = [item for item in statement["Resource"] if not is_allowed(held, action, item)]
            if lost:
                remedy = f"add it; the whole policy: pipelines policy {subject.name}"
                yield Problem(f"the role may not {action} on {', '.join(lost)}", remedy, where=f"{path}:1")
