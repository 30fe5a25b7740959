from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.services import sessions, sts
from tests.emulator.gateway.conftest import Wire

ROLE = "arn:aws:iam::210987654321:role/service-role/trainer"
NOTEBOOK = "arn:aws:sts::210987654321:assumed-role/SageMakerExecutionRole"


def assume(wire: Wire, role: str = ROLE, **arguments: Any) -> Any:
    return wire.client("sts").assume_role(RoleArn=role, RoleSessionName="me", **arguments)


def as_session(wire: Wire, credentials: Any, service: str = "sts") -> Any:
    return wire.client(
        service,
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_any_key_acts_under_the_execution_role_of_its_account_as_a_notebook_does(wire: Wire) -> None:
    identity = wire.client("sts", key="210987654321").get_caller_identity()
    assert identity["Account"] == "210987654321"
    assert identity["Arn"] == f"{NOTEBOOK}/SageMaker"
    role = wire.client("iam", key="210987654321").get_role(RoleName="SageMakerExecutionRole")["Role"]
    assert identity["UserId"] == f"{role['RoleId']}:SageMaker"
    with pytest.raises(ClientError, match="Must specify userName when calling with non-User credentials"):
        wire.client("iam", key="210987654321").get_user()


def test_where_roles_must_be_created_a_key_is_the_root_user(serve: Callable[..., Wire]) -> None:
    wire = serve(implicit_roles=False)
    root = "arn:aws:iam::123456789012:root"
    assert wire.client("sts").get_caller_identity()["Arn"] == root
    assert wire.client("iam").get_user()["User"]["Arn"] == root


def test_an_assumed_role_acts_in_the_roles_account(wire: Wire) -> None:
    granted = assume(wire, "arn:aws:iam::210987654321:role/trainer")
    identity = as_session(wire, granted["Credentials"]).get_caller_identity()
    assert identity["Account"] == "210987654321"
    assert identity["Arn"] == "arn:aws:sts::210987654321:assumed-role/trainer/me" == granted["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == granted["AssumedRoleUser"]["AssumedRoleId"]
    assert identity["UserId"].startswith("AROA")
    role = as_session(wire, granted["Credentials"], "iam").get_role(RoleName="trainer")["Role"]
    assert role["Arn"] == "arn:aws:iam::210987654321:role/trainer"
    assert identity["UserId"] == f"{role['RoleId']}:me"


def test_roles_with_paths_can_be_assumed(wire: Wire) -> None:
    assert assume(wire)["AssumedRoleUser"]["Arn"].endswith(":assumed-role/trainer/me")


def test_a_session_outlives_a_restart(serve: Callable[..., Wire]) -> None:
    granted = assume(serve())
    again = serve()
    assert as_session(again, granted["Credentials"]).get_caller_identity()["Account"] == "210987654321"


def test_a_session_ends(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    granted = assume(wire, DurationSeconds=900)["Credentials"]
    seconds = (granted["Expiration"] - datetime.now(UTC)).total_seconds()
    assert 890 < seconds <= 900
    now = time.time() + 901
    monkeypatch.setattr(sessions.time, "time", lambda: now)
    with pytest.raises(ClientError, match="The security token included in the request is expired"):
        as_session(wire, granted).get_caller_identity()


def test_sessions_that_have_long_ended_are_forgotten(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    old = assume(wire)["Credentials"]["AccessKeyId"]
    now = time.time() + 8 * 86_400
    monkeypatch.setattr(sts.time, "time", lambda: now)
    new = assume(wire)["Credentials"]["AccessKeyId"]
    assert wire.app.resources.by_arn(sessions.row_arn(old)) is None
    assert wire.app.resources.by_arn(sessions.row_arn(new)) is not None


def test_a_session_token_keeps_the_callers_identity(wire: Wire) -> None:
    granted = wire.client("sts", key="210987654321").get_session_token()["Credentials"]
    assert as_session(wire, granted).get_caller_identity()["Arn"] == f"{NOTEBOOK}/SageMaker"


@pytest.mark.parametrize("arn", [ROLE, "arn:aws:iam::210987654321:user/somebody", "arn:aws:iam::210987654321:root/x"])
def test_what_cannot_be_assumed_is_denied(serve: Callable[..., Wire], arn: str) -> None:
    with pytest.raises(ClientError) as caught:
        assume(serve(implicit_roles=False), arn)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::123456789012:root is not authorized to perform: sts:AssumeRole on resource: {arn}"
    )


def test_requests_are_held_against_the_model(wire: Wire) -> None:
    with pytest.raises(ClientError, match="Value 'a b' at 'roleSessionName' failed to satisfy constraint"):
        wire.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="a b")
