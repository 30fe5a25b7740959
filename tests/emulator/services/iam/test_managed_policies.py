"""Policies that customers manage, their versions, and the tags of roles."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.gateway.conftest import Wire
from tests.emulator.services.iam.test_roles import create, policy

ARN = "arn:aws:iam::123456789012:policy/training"


@pytest.fixture
def iam(wire: Wire) -> Any:
    client = wire.client("iam")
    client.create_policy(PolicyName="training", PolicyDocument=policy("s3:GetObject"), Description="d")
    return client


def test_a_policy_is_described_and_listed(iam: Any) -> None:
    made = iam.create_policy(
        PolicyName="other", Path="/team/", PolicyDocument=policy("s3:*"), Tags=[{"Key": "a", "Value": "b"}]
    )["Policy"]
    assert made["Arn"] == "arn:aws:iam::123456789012:policy/team/other"
    found = iam.get_policy(PolicyArn=ARN)["Policy"]
    assert (found["PolicyName"], found["DefaultVersionId"], found["AttachmentCount"]) == ("training", "v1", 0)
    assert (found["Description"], found["PolicyId"][:4], len(found["PolicyId"])) == ("d", "ANPA", 21)
    assert [each["PolicyName"] for each in iam.list_policies(Scope="Local")["Policies"]] == ["other", "training"]
    assert [each["PolicyName"] for each in iam.list_policies(PathPrefix="/team/")["Policies"]] == ["other"]
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"]["Tags"] == [{"Key": "a", "Value": "b"}]
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException):
        iam.create_policy(PolicyName="training", PolicyDocument=policy("s3:*"))
    with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
        iam.create_policy(PolicyName="wrong", PolicyDocument="{}")


def test_versions(iam: Any) -> None:
    made = iam.create_policy_version(PolicyArn=ARN, PolicyDocument=policy("s3:*"), SetAsDefault=True)["PolicyVersion"]
    assert (made["VersionId"], made["IsDefaultVersion"]) == ("v2", True)
    read = iam.get_policy_version(PolicyArn=ARN, VersionId="v2")["PolicyVersion"]
    assert read["Document"] == json.loads(policy("s3:*"))
    for _ in range(3):
        iam.create_policy_version(PolicyArn=ARN, PolicyDocument=policy("s3:*"))
    with pytest.raises(iam.exceptions.LimitExceededException, match="up to 5 versions"):
        iam.create_policy_version(PolicyArn=ARN, PolicyDocument=policy("s3:*"))
    with pytest.raises(iam.exceptions.DeleteConflictException, match="default version"):
        iam.delete_policy_version(PolicyArn=ARN, VersionId="v2")
    iam.set_default_policy_version(PolicyArn=ARN, VersionId="v5")
    iam.delete_policy_version(PolicyArn=ARN, VersionId="v2")
    listed = iam.list_policy_versions(PolicyArn=ARN)["Versions"]
    assert [each["VersionId"] for each in listed] == ["v5", "v4", "v3", "v1"]
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_policy_version(PolicyArn=ARN, VersionId="v2")


def test_an_attached_policy_counts_and_stays(iam: Any) -> None:
    role = create(iam)
    iam.attach_role_policy(RoleName="Trainer", PolicyArn=ARN)
    assert iam.get_policy(PolicyArn=ARN)["Policy"]["AttachmentCount"] == 1

    def allowed(action: str) -> str:
        results = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[action])["EvaluationResults"]
        return str(results[0]["EvalDecision"])

    assert (allowed("s3:GetObject"), allowed("s3:PutObject")) == ("allowed", "implicitDeny")
    iam.create_policy_version(PolicyArn=ARN, PolicyDocument=policy("s3:PutObject"), SetAsDefault=True)
    assert (allowed("s3:GetObject"), allowed("s3:PutObject")) == ("implicitDeny", "allowed")
    with pytest.raises(iam.exceptions.DeleteConflictException, match="attached to entities"):
        iam.delete_policy(PolicyArn=ARN)
    iam.detach_role_policy(RoleName="Trainer", PolicyArn=ARN)
    with pytest.raises(iam.exceptions.DeleteConflictException, match="more than one version"):
        iam.delete_policy(PolicyArn=ARN)
    iam.delete_policy_version(PolicyArn=ARN, VersionId="v1")
    iam.delete_policy(PolicyArn=ARN)
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="was not found"):
        iam.get_policy(PolicyArn=ARN)
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="not attachable"):
        iam.attach_role_policy(RoleName="Trainer", PolicyArn=ARN)


def test_what_aws_manages_is_refused_by_name(iam: Any) -> None:
    for call in (
        lambda: iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"),
        lambda: iam.list_policies(Scope="AWS"),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "NotImplemented"


@pytest.mark.parametrize("created", [True, False])
def test_roles_are_tagged(iam: Any, created: bool) -> None:
    if created:
        create(iam)
    iam.tag_role(RoleName="Trainer", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.tag_role(RoleName="Trainer", Tags=[{"Key": "a", "Value": "3"}])
    assert iam.list_role_tags(RoleName="Trainer")["Tags"] == [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]
    iam.untag_role(RoleName="Trainer", TagKeys=["a"])
    assert iam.get_role(RoleName="Trainer")["Role"]["Tags"] == [{"Key": "b", "Value": "2"}]
