"""Who the caller is to AWS: the ARN and the id that GetCallerIdentity tells and resources keep as their creator.

Credentials that STS issued say it themselves. Any other key acts as a notebook of SageMaker does, under an execution
role, so that ``get_execution_role()`` of the SDKs finds one; where roles must be created first
(``implicit_roles=False``), it is the account's root user, as access keys without a user are on AWS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emulator.aws.arns import Arn, partition_of
from emulator.services.iam.roles import find_role
from emulator.services.sessions import SESSION_KEY_PREFIX, find_session

if TYPE_CHECKING:
    from emulator.services.context import Context

EXECUTION_ROLE = "SageMakerExecutionRole"
SESSION_NAME = "SageMaker"
"""What SageMaker calls the sessions of its notebooks and jobs."""


@dataclass(frozen=True, slots=True)
class Identity:
    account: str
    arn: str
    user_id: str

    @property
    def is_root(self) -> bool:
        return self.arn.endswith(":root")


def identity_of(context: Context) -> Identity:
    """The caller of an operation; calls from inside are the account's own."""
    key = context.access_key_id
    if key.startswith(SESSION_KEY_PREFIX) and (session := find_session(context.app.resources, key)) is not None:
        return Identity(session.account, session.arn, session.user_id)
    account, partition = context.account, partition_of(context.region)
    role = find_role(context, EXECUTION_ROLE) if context.app.settings.implicit_roles else None
    if role is None:
        return Identity(account, str(Arn(partition, "iam", "", account, "root")), account)
    arn = Arn(partition, "sts", "", account, f"assumed-role/{EXECUTION_ROLE}/{SESSION_NAME}")
    return Identity(account, str(arn), f"{role.role_id}:{SESSION_NAME}")


def user_context(context: Context) -> dict[str, Any]:
    """The caller as resources keep it (API shape UserContext)."""
    identity = identity_of(context)
    return {"IamIdentity": {"Arn": identity.arn, "PrincipalId": identity.user_id}}
