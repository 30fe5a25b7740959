from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.environment import Environment
from pipelines.errors import BuildError
from pipelines.overlay import apply_environment
from tests.pipelines.checks.cases import ACCOUNT, ROLE, tiny

KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/x"
VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}


def applied(root: Path, **settings: Any) -> dict[str, Any]:
    environment = Environment("prod", ACCOUNT, "us-east-1", ROLE, "bucket", root=root, **settings)
    definition = apply_environment(tiny(root).subject().definition, environment)
    return {body["Name"]: body["Arguments"] for body in definition["Steps"]} | {"Parameters": definition["Parameters"]}


def test_an_environment_that_says_nothing_changes_nothing(tmp_path: Path) -> None:
    before = tiny(tmp_path).subject().definition
    environment = Environment("local", ACCOUNT, "us-east-1", ROLE, "bucket", root=tmp_path)
    assert apply_environment(json.loads(json.dumps(before)), environment) == before


def test_network_and_key_go_where_each_request_has_them(tmp_path: Path) -> None:
    made = applied(tmp_path, subnets=("subnet-1",), security_groups=("sg-1",), kms_key=KEY)
    assert made["Prepare"]["NetworkConfig"]["VpcConfig"] == VPC
    assert made["Train"]["VpcConfig"] == VPC
    assert made["Prepare"]["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == KEY
    assert made["Prepare"]["ProcessingOutputConfig"]["KmsKeyId"] == KEY
    assert made["Train"]["ResourceConfig"]["VolumeKmsKeyId"] == KEY
    assert made["Train"]["OutputDataConfig"]["KmsKeyId"] == KEY
    assert "VpcConfig" not in made["Check"]


def test_tags_go_to_jobs_and_what_the_code_set_stays(tmp_path: Path) -> None:
    assert applied(tmp_path, tags={"team": "x"})["Train"]["Tags"] == [{"Key": "team", "Value": "x"}]
    definition = tiny(tmp_path).subject().definition
    definition["Steps"][1]["Arguments"]["Tags"] = [{"Key": "team", "Value": "own"}]
    environment = Environment("prod", ACCOUNT, "us-east-1", ROLE, "bucket", root=tmp_path, tags={"team": "x"})
    apply_environment(definition, environment)
    assert definition["Steps"][1]["Arguments"]["Tags"] == [{"Key": "team", "Value": "own"}]


def test_instance_types_and_defaults_are_replaced(tmp_path: Path) -> None:
    made = applied(tmp_path, instance_types={"ml.m5.large": "ml.m5.4xlarge"}, parameters={"MaxDepth": 8})
    assert made["Train"]["ResourceConfig"]["InstanceType"] == "ml.m5.4xlarge"
    assert made["Prepare"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.4xlarge"
    assert made["Parameters"][1]["DefaultValue"] == 8


def test_an_unknown_parameter_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"environment prod gives parameter 'MaxDept' .* Did you mean 'MaxDepth'"):
        applied(tmp_path, parameters={"MaxDept": 8})
