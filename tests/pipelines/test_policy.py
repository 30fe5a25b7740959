from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from emulator.engine.steps import step_types
from emulator.engine.steps.executor import _EXECUTORS, ApiExecutor
from emulator.engine.steps.job import JobExecutor
from pipelines.checks.registry import run_checks
from pipelines.ci_policy import ci_statements
from pipelines.environment import Environment
from pipelines.policy import document, execution_statements, is_allowed, own_images, unknown_steps
from tests.pipelines.checks.cases import ACCOUNT, ROLE, tiny

JOB = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:training-job/pipelines-x"


def executor(kind: str) -> Any:
    return _EXECUTORS[kind]


def policy(root: Path, **settings: Any) -> dict[str, Any]:
    environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket", root=root, **settings)
    return document(execution_statements(tiny(root).subject().definition, environment))


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("sagemaker:CreateTrainingJob", JOB, True),
        ("sagemaker:CreateTrainingJob", JOB.replace("pipelines-", "other-"), False),
        ("sagemaker:CreateTransformJob", JOB.replace("training", "transform"), False),
        ("sagemaker:DeletePipeline", "*", False),
        ("s3:GetObject", "arn:aws:s3:::bucket/tiny/x", True),
        ("s3:PutObject", "arn:aws:s3:::bucket/tiny/x", True),
        ("s3:GetObject", "arn:aws:s3:::other/x", False),
        ("s3:DeleteObject", "arn:aws:s3:::bucket/x", False),
        ("iam:PassRole", ROLE, True),
        ("iam:PassRole", ROLE + "2", False),
        ("ecr:BatchGetImage", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/small", True),
        ("ec2:CreateNetworkInterface", "*", False),
    ],
)
def test_the_role_may_do_what_the_pipeline_does_and_no_more(
    tmp_path: Path, action: str, resource: str, allowed: bool
) -> None:
    assert is_allowed(policy(tmp_path), action, resource) is allowed


def test_network_and_key_are_allowed_where_the_environment_has_them(tmp_path: Path) -> None:
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/x"
    held = policy(tmp_path, subnets=("subnet-1",), security_groups=("sg-1",), kms_key=key)
    assert is_allowed(held, "ec2:CreateNetworkInterface", "*")
    assert is_allowed(held, "kms:Decrypt", key)


def test_ci_may_upsert_this_pipeline_and_start_nothing(tmp_path: Path) -> None:
    environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket", root=tmp_path)
    held = document(ci_statements(tiny(tmp_path).subject().definition, "tiny", "tiny-x", environment))
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/tiny-x"
    assert is_allowed(held, "sagemaker:UpdatePipeline", arn)
    assert is_allowed(held, "s3:PutObject", "arn:aws:s3:::bucket/tiny/assets/x")
    assert not is_allowed(held, "sagemaker:UpdatePipeline", arn.replace("tiny-x", "other"))
    assert not is_allowed(held, "sagemaker:StartPipelineExecution", arn)
    assert not is_allowed(held, "sagemaker:DeletePipeline", arn)
    assert is_allowed(held, "ecr:PutImage", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/small")
    assert not is_allowed(held, "ecr:PutImage", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/other")
    assert not is_allowed(held, "s3:PutObject", "arn:aws:s3:::bucket/other/x")


def test_a_deny_goes_before_an_allow() -> None:
    statements = [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["s3:Put*"], "Resource": "arn:aws:s3:::a/*"},
    ]
    assert not is_allowed(document(statements), "s3:PutObject", "arn:aws:s3:::a/x")
    assert is_allowed(document(statements), "s3:PutObject", "arn:aws:s3:::b/x")


def test_every_statement_is_well_formed(tmp_path: Path) -> None:
    statements = policy(tmp_path)["Statement"]
    assert len({statement["Sid"] for statement in statements}) == len(statements)
    for statement in statements:
        assert re.fullmatch(r"[A-Za-z0-9]+", statement["Sid"])
        assert statement["Resource"]
        assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z0-9]+", action) for action in statement["Action"])


def test_the_policy_it_prints_passes_its_own_check(tmp_path: Path) -> None:
    import json

    made = tiny(tmp_path)
    made.settings["role_policy"] = "policy.json"
    made.write("policy.json", json.dumps(policy(tmp_path)))
    assert run_checks(made.subject()) == []


def test_ci_may_delete_the_copies_of_branches_where_it_is_asked_for(tmp_path: Path) -> None:
    environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket", root=tmp_path)
    held = document(ci_statements({}, "tiny", "tiny", environment, branches=True))
    arn = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/tiny"
    assert is_allowed(held, "sagemaker:DeletePipeline", f"{arn}-branch")
    assert not is_allowed(held, "sagemaker:DeletePipeline", arn)


def one_step(kind: str, **arguments: Any) -> dict[str, Any]:
    return {"Steps": [{"Name": "A", "Type": kind, "Arguments": arguments}]}


@pytest.mark.parametrize("kind", sorted(kind for kind in step_types() if isinstance(executor(kind), ApiExecutor)))
def test_the_role_may_make_the_calls_that_the_engine_makes(kind: str) -> None:
    environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket")
    held = document(execution_statements(one_step(kind), environment))
    resource = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:"
    allowed = {action for each in held["Statement"] for action in each["Action"]}
    runs = executor(kind)
    assert {f"sagemaker:{runs.create}", f"sagemaker:{runs.describe}"} <= allowed
    if isinstance(runs, JobExecutor):
        assert f"sagemaker:{runs.stop_operation}" in allowed
        noun = re.sub(r"(?<!^)(?=[A-Z])", "-", runs.create.removeprefix("Create")).lower()
        assert is_allowed(held, f"sagemaker:{runs.create}", f"{resource}{noun}/pipelines-0123456789ab-A-x")


def test_jobs_of_a_name_of_their_own_are_allowed_by_it() -> None:
    environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket")
    held = document(execution_statements(one_step("Training", TrainingJobName="churn"), environment))
    assert is_allowed(held, "sagemaker:CreateTrainingJob", JOB.replace("pipelines-x", "churn-0123"))
    assert not is_allowed(held, "sagemaker:CreateTrainingJob", JOB)


def test_the_repository_of_an_image_is_its_name_with_or_without_a_tag() -> None:
    environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket")
    host, ends = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com", ("plain", "tagged:1", "by-hash@sha256:0")
    images = [f"{host}/team/{end}" for end in ends]
    definition = one_step("Model", Containers=[{"Image": image} for image in images])
    (held,) = (each for each in execution_statements(definition, environment) if each["Sid"] == "Images")
    names = ("team/by-hash", "team/plain", "team/tagged")
    assert held["Resource"] == [f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}" for name in names]
    assert own_images(definition, environment) == list(names)


def test_steps_in_loops_count_and_unknown_ones_are_named() -> None:
    environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket")
    inner = one_step("Training")["Steps"] + [{"Name": "B", "Type": "EMR", "Arguments": {}}]
    definition = one_step("ForEach", ForEachBody=inner)
    assert is_allowed(document(execution_statements(definition, environment)), "sagemaker:CreateTrainingJob", JOB)
    assert unknown_steps(definition) == {"B": "EMR"}
