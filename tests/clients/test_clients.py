"""Every client that people use, unchanged: what it sees is what it sees of AWS, and nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import PROGRAMS, Run, bin_of

pytestmark = [pytest.mark.clients, pytest.mark.timeout(900)]
BASE_PYTHON = "081325390199.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"
TEAMS_OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sdk-v3:latest"
STEPS = {"AbaloneProcess", "AbaloneTrain", "AbaloneEval", "AbaloneMSECond"}

Answer = Callable[..., dict[str, Any]]


def test_boto3_drives_a_pipeline(answer: Answer) -> None:
    seen = answer("aws-tools", "with_boto3.py")
    assert seen["status"] == "Succeeded"
    assert seen["said"] == "boto3"
    assert any("says ['boto3']" in line for line in seen["log"])
    assert any("running its open stand-in: scikit-learn" in line for line in seen["log"])
    assert seen["account"] == "123456789012"  # though the program names AWS's address for it
    assert seen["left"] == []


def test_the_aws_cli_drives_a_pipeline(run: Run, tmp_path: Path) -> None:
    output = run(PROGRAMS / "with_aws_cli.sh", bin_of("aws-tools"), tmp_path)
    assert output.split() == ["Say", "Succeeded", "cli", "123456789012", "by", "queue", "sales", "7.0", "None"]


@pytest.mark.parametrize(("client", "version"), [("sdk-v2", "1.7-1"), ("sdk-v2", "1.0-1"), ("sdk-v2-2023", "1.0-1")])
def test_sdk_v2_runs_the_abalone_pipeline(answer: Answer, client: str, version: str) -> None:
    """``1.0-1`` pickles its model, ``1.7-1`` does not; both are evaluated, repacked and registered."""
    seen = answer(client, "abalone_v2.py", version)
    assert seen["sdk"].startswith("2.")
    assert seen["good"]["status"] == "Succeeded"
    repacked = {"AbaloneRegister-RepackModel-0", "AbaloneRegister-RegisterModel"}
    assert seen["good"]["steps"] == dict.fromkeys(STEPS | repacked, "Succeeded")
    assert seen["bad"]["error"] == "WaiterError"
    assert "Approved" in seen["packages"]


def test_sdk_v3_runs_the_abalone_pipeline(answer: Answer) -> None:
    seen = answer("sdk-v3", "abalone_v3.py")
    assert seen["sdk"].startswith("3.")
    assert seen["status"] == "Succeeded"
    assert seen["steps"] == dict.fromkeys(STEPS | {"AbaloneRegister"}, "Succeeded")
    assert {"Name": "MseLimit", "Value": "8.5"} in seen["parameters"]
    assert seen["packages"] == ["Approved"]


@pytest.mark.parametrize(("client", "image"), [("sdk-v2", BASE_PYTHON), ("sdk-v3", TEAMS_OWN)])
def test_functions_are_steps_and_remote_calls(answer: Answer, client: str, image: str) -> None:
    seen = answer(client, "functions.py", image)
    assert seen["pipeline"]["numbers"] == [0, 1, 2, 3, 4]
    assert seen["pipeline"]["summary"] == {"total": 10, "note": "by hand"}
    assert seen["pipeline"]["praise"] == "10 is plenty (by hand)"
    assert seen["pipeline"]["few"]["too-little"] == "Failed"
    assert "praise" not in seen["pipeline"]["few"]
    assert "this function fails on purpose" in seen["broken"]["reason"]
    assert seen["remote"] == {"product": 42}


def test_sdk_v2_estimators_run_scripts_and_follow_their_logs(answer: Answer) -> None:
    seen = answer("sdk-v2", "estimators_v2.py")
    for kind, score in (("sklearn", 20.0), ("xgboost", 30.0)):
        assert seen[kind]["status"] == "Completed"
        assert seen[kind]["metrics"] == {"score": score}
        assert seen[kind]["curve"] == [["score", score]], "as CloudWatch has it"
        assert seen[kind]["model"].endswith("/output/model.tar.gz")
    assert "ExecuteUserScriptError" in seen["failed"]
    assert "ValueError: a factor of nothing" in seen["failed"]


@pytest.mark.parametrize("client", ["sdk-v2", "sdk-v3"])
def test_a_run_of_an_experiment_is_logged_and_read(answer: Answer, client: str) -> None:
    assert answer(client, "experiment.py") == {
        "parameters": {"depth": {"NumberValue": 5}, "kind": {"StringValue": "tree"}, "more": {"NumberValue": 1.5}},
        "status": "Completed",
        "metrics": {"loss": 0.5},
        "curve": [0.9, 0.5],
    }
