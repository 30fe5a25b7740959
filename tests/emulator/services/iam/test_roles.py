from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.gateway.conftest import Wire

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
FULL = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


def policy(action: str, resource: str = "*", effect: str = "Allow", **more: Any) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def iam(wire: Wire) -> Any:
    return wire.client("iam")


def create(iam: Any, name: str = "Trainer", **more: Any) -> str:
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **more)["Role"]["Arn"]
    return arn


class TestRoles:
    def test_a_created_role_is_described(self, iam: Any) -> None:
        tags = [{"Key": "team", "Value": "flights"}]
        arn = create(iam, Path="/service-role/", Description="d", MaxSessionDuration=7200, Tags=tags)
        assert arn == "arn:aws:iam::123456789012:role/service-role/Trainer"
        role = iam.get_role(RoleName="Trainer")["Role"]
        assert role["AssumeRolePolicyDocument"] == json.loads(TRUST)
        assert (role["Path"], role["Description"], role["MaxSessionDuration"]) == ("/service-role/", "d", 7200)
        assert role["Tags"] == tags
        assert role["RoleId"].startswith("AROA")
        assert len(role["RoleId"]) == 21

    def test_names_are_taken_whatever_their_case(self, iam: Any) -> None:
        create(iam)
        with pytest.raises(iam.exceptions.EntityAlreadyExistsException, match="Role with name TRAINER already exists"):
            create(iam, "TRAINER")

    def test_any_role_exists_unless_the_setting_forbids(self, iam: Any, serve: Callable[..., Wire]) -> None:
        role = iam.get_role(RoleName="never-created")["Role"]
        assert role["Arn"] == "arn:aws:iam::123456789012:role/never-created"
        statement = role["AssumeRolePolicyDocument"]["Statement"][0]
        assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
        assert iam.list_roles()["Roles"] == []
        strict = serve(implicit_roles=False).client("iam")
        with pytest.raises(strict.exceptions.NoSuchEntityException, match="The role with name never-created cannot"):
            strict.get_role(RoleName="never-created")

    def test_roles_are_listed_by_name_in_pages(self, iam: Any) -> None:
        for name in ("c", "a", "b"):
            create(iam, name, Path="/x/" if name == "b" else "/")
        pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2}))
        assert [[role["RoleName"] for role in page["Roles"]] for page in pages] == [["a", "b"], ["c"]]
        assert [role["RoleName"] for role in iam.list_roles(PathPrefix="/x/")["Roles"]] == ["b"]

    def test_roles_belong_to_accounts_not_regions(self, wire: Wire, iam: Any) -> None:
        create(iam)
        other = wire.client("iam", key="210987654321")
        assert other.list_roles()["Roles"] == []
        assert len(wire.client("iam", region_name="eu-west-1").list_roles()["Roles"]) == 1

    def test_a_role_is_deleted_when_nothing_hangs_on_it(self, iam: Any) -> None:
        create(iam)
        iam.attach_role_policy(RoleName="Trainer", PolicyArn=FULL)
        with pytest.raises(iam.exceptions.DeleteConflictException, match="must detach all policies first"):
            iam.delete_role(RoleName="Trainer")
        iam.detach_role_policy(RoleName="Trainer", PolicyArn=FULL)
        iam.put_role_policy(RoleName="Trainer", PolicyName="p", PolicyDocument=policy("s3:*"))
        with pytest.raises(iam.exceptions.DeleteConflictException, match="must delete policies first"):
            iam.delete_role(RoleName="Trainer")
        iam.delete_role_policy(RoleName="Trainer", PolicyName="p")
        iam.delete_role(RoleName="Trainer")
        assert iam.list_roles()["Roles"] == []

    def test_the_trust_policy_can_change(self, iam: Any) -> None:
        create(iam)
        document = TRUST.replace("ecs", "sagemaker")
        iam.update_assume_role_policy(RoleName="Trainer", PolicyDocument=document)
        assert iam.get_role(RoleName="Trainer")["Role"]["AssumeRolePolicyDocument"] == json.loads(document)

    @pytest.mark.parametrize(
        "document", ["no json", "[]", "{}", '{"Statement": [1]}', '{"Statement": [{"Effect": "No"}]}']
    )
    def test_malformed_policies_are_refused(self, iam: Any, document: str) -> None:
        with pytest.raises(iam.exceptions.MalformedPolicyDocumentException):
            iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)


class TestPolicies:
    def test_inline_policies_are_kept(self, iam: Any) -> None:
        create(iam)
        document = policy("s3:GetObject", "arn:aws:s3:::ä+b/*")
        iam.put_role_policy(RoleName="Trainer", PolicyName="read", PolicyDocument=document)
        assert iam.list_role_policies(RoleName="Trainer")["PolicyNames"] == ["read"]
        assert iam.get_role_policy(RoleName="Trainer", PolicyName="read")["PolicyDocument"] == json.loads(document)
        with pytest.raises(iam.exceptions.NoSuchEntityException, match="role policy with name write cannot be found"):
            iam.get_role_policy(RoleName="Trainer", PolicyName="write")

    def test_policies_of_aws_are_attached(self, iam: Any) -> None:
        create(iam)
        for _ in range(2):
            iam.attach_role_policy(RoleName="Trainer", PolicyArn=FULL)
        attached = iam.list_attached_role_policies(RoleName="Trainer")["AttachedPolicies"]
        assert attached == [{"PolicyName": "AmazonSageMakerFullAccess", "PolicyArn": FULL}]
        with pytest.raises(iam.exceptions.NoSuchEntityException, match="does not exist or is not attachable"):
            iam.attach_role_policy(RoleName="Trainer", PolicyArn="arn:aws:iam::123456789012:policy/own")

    def test_an_implicit_role_keeps_what_is_attached(self, iam: Any) -> None:
        iam.attach_role_policy(RoleName="implicit", PolicyArn=FULL)
        assert len(iam.list_attached_role_policies(RoleName="implicit")["AttachedPolicies"]) == 1


class TestSimulation:
    def decide(self, iam: Any, *documents: str, action: str = "s3:PutObject", **more: Any) -> str:
        arn = create(iam)
        for number, document in enumerate(documents):
            iam.put_role_policy(RoleName="Trainer", PolicyName=f"p{number}", PolicyDocument=document)
        results = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=[action], **more)["EvaluationResults"]
        assert [result["EvalActionName"] for result in results] == [action]
        decision: str = results[0]["EvalDecision"]
        return decision

    def test_implicit_roles_may_do_everything(self, iam: Any) -> None:
        results = iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:role/any",
            ActionNames=["s3:PutObject", "sagemaker:CreateTrainingJob"],
            ResourceArns=["arn:aws:s3:::bucket/*"],
        )["EvaluationResults"]
        assert [result["EvalDecision"] for result in results] == ["allowed", "allowed"]
        specific = results[0]["ResourceSpecificResults"]
        assert specific[0]["EvalResourceName"] == "arn:aws:s3:::bucket/*"
        assert specific[0]["EvalResourceDecision"] == "allowed"

    def test_a_role_without_policies_may_do_nothing(self, iam: Any) -> None:
        assert self.decide(iam) == "implicitDeny"

    @pytest.mark.parametrize(
        ("documents", "decision"),
        [
            ([policy("s3:Put*")], "allowed"),
            ([policy("S3:putobject")], "allowed"),
            ([policy("s3:GetObject")], "implicitDeny"),
            ([policy("s3:*"), policy("*", effect="Deny")], "explicitDeny"),
            ([policy("s3:*", "arn:aws:s3:::other/*")], "implicitDeny"),
            ([policy("s3:*", Condition={"StringEquals": {"aws:x": "1"}})], "implicitDeny"),
            ([policy("s3:*", Condition={"StringLikeIfExists": {"aws:x": "1"}})], "allowed"),
        ],
    )
    def test_inline_policies_decide(self, iam: Any, documents: list[str], decision: str) -> None:
        assert self.decide(iam, *documents, ResourceArns=["arn:aws:s3:::bucket/key"]) == decision

    def test_context_satisfies_conditions(self, iam: Any) -> None:
        entry = {"ContextKeyName": "aws:X", "ContextKeyValues": ["10"], "ContextKeyType": "string"}
        document = policy("s3:*", Condition={"StringLike": {"aws:x": "1*"}})
        assert self.decide(iam, document, ContextEntries=[entry]) == "allowed"

    def test_unknown_condition_operators_are_refused(self, iam: Any) -> None:
        with pytest.raises(ClientError, match="condition operator DateLessThan is not evaluated"):
            self.decide(iam, policy("s3:*", Condition={"DateLessThan": {"aws:CurrentTime": "2020"}}))

    def test_a_boundary_limits(self, iam: Any) -> None:
        boundary = [policy("s3:Get*")]
        assert self.decide(iam, policy("s3:*"), PermissionsBoundaryPolicyInputList=boundary) == "implicitDeny"

    def test_users_do_not_exist(self, iam: Any) -> None:
        with pytest.raises(iam.exceptions.NoSuchEntityException, match="The user with name somebody cannot be found"):
            iam.simulate_principal_policy(
                PolicySourceArn="arn:aws:iam::123456789012:user/somebody", ActionNames=["s3:PutObject"]
            )
