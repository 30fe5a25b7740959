"""What ``pipelines train`` asks AWS for, held by moto and botocore's own validation."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.connection import Connection
from pipelines.environments import load_target
from pipelines.errors import ContainerNotFound, UsageError
from pipelines.storage import parse_uri
from pipelines.train import START, Order, base_of, job_name, start_training
from pipelines.train_image import FRAMEWORKS, aws_image, guess_framework, own_image
from pipelines.train_inputs import Channel, Program, pairs, read_channels
from tests.pipelines.conftest import Cli

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program and its data."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "train.py").write_text("import sklearn\n")
    (tmp_path / "source" / "helper.py").write_text("")
    (tmp_path / "source" / "__pycache__").mkdir()
    (tmp_path / "source" / "__pycache__" / "x.pyc").write_text("")
    (tmp_path / "data.csv").write_text("1,2\n")
    return tmp_path


def submitted(connection: Connection, order: Order, **settings: Any) -> dict[str, Any]:
    """The request as botocore has checked it."""
    seen: list[dict[str, Any]] = []
    events = connection.sagemaker.meta.events
    events.register("provide-client-params.sagemaker.CreateTrainingJob", lambda params, **_: seen.append(params))
    start_training(connection, replace(connection.target.environment, **settings), "job-1", order)
    return seen[0]


def content(connection: Connection, uri: str) -> bytes:
    bucket, key = parse_uri(uri)
    body: bytes = connection.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def keys(connection: Connection, uri: str) -> list[str]:
    bucket, prefix = parse_uri(uri)
    found = connection.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [item["Key"].removeprefix(prefix) for item in found]


def test_a_script_runs_in_the_script_mode_of_aws_image(connection: Connection, folder: Path) -> None:
    order = Order(
        IMAGE,
        program=Program("train.py", folder / "source"),
        channels=[Channel("train", str(folder / "data.csv"))],
        hyperparameters={"depth": "3"},
        metrics={"auc": "auc=(.*)"},
    )
    job = submitted(connection, order)
    told = {name: json.loads(value) for name, value in job["HyperParameters"].items()}
    assert told["sagemaker_program"] == "train.py"
    assert told["depth"] == 3
    with tarfile.open(fileobj=io.BytesIO(content(connection, told["sagemaker_submit_directory"]))) as archive:
        assert archive.getnames() == ["helper.py", "train.py"]
    (channel,) = job["InputDataConfig"]
    assert channel["ContentType"] == "text/csv"
    assert keys(connection, channel["DataSource"]["S3DataSource"]["S3Uri"]) == ["data.csv"]
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == [{"Name": "auc", "Regex": "auc=(.*)"}]
    assert job["OutputDataConfig"]["S3OutputPath"] == f"s3://{connection.target.environment.bucket}/train/models"


def test_a_script_in_an_own_image_is_started_by_the_entry_point(connection: Connection, folder: Path) -> None:
    connection.s3.create_bucket(Bucket="bucket")
    order = Order(
        IMAGE,
        by_toolkit=False,
        program=Program("train.py", folder / "source"),
        channels=[Channel("train", "s3://bucket/data/")],
        hyperparameters={"depth": "3", "C": "x y"},
    )
    job = submitted(connection, order)
    algorithm = job["AlgorithmSpecification"]
    assert algorithm["ContainerEntrypoint"] == ["/bin/sh", "-c", START, "train.py"]
    assert algorithm["ContainerArguments"] == ["--depth", "3", "-C", "x y"]
    assert job["HyperParameters"] == {"depth": "3", "C": "x y"}
    train, code = job["InputDataConfig"]
    assert train["DataSource"]["S3DataSource"]["S3Uri"] == "s3://bucket/data/"
    assert keys(connection, code["DataSource"]["S3DataSource"]["S3Uri"]) == ["helper.py", "train.py"]
    assert job["Environment"]["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert max(map(len, algorithm["ContainerEntrypoint"])) <= 256  # AWS's limit


def test_an_own_image_may_train_by_itself_without_data(connection: Connection) -> None:
    job = submitted(connection, Order(IMAGE, by_toolkit=False))
    assert "InputDataConfig" not in job
    assert "ContainerEntrypoint" not in job["AlgorithmSpecification"]


def test_the_environment_has_its_say(connection: Connection) -> None:
    order = Order(IMAGE, instance_type="ml.m5.large")
    job = submitted(
        connection,
        order,
        kms_key="k",
        subnets=("subnet-1",),
        security_groups=("sg-1",),
        instance_types={"ml.m5.large": "ml.m5.4xlarge"},
        parameters={"Unknown": 1},
    )
    assert job["ResourceConfig"]["InstanceType"] == "ml.m5.4xlarge"
    assert job["ResourceConfig"]["VolumeKmsKeyId"] == job["OutputDataConfig"]["KmsKeyId"] == "k"
    assert job["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert job["RoleArn"] == connection.target.environment.role


def test_the_same_content_goes_up_once(connection: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order(IMAGE, program=Program("train.py", folder / "source"), channels=[Channel("t", str(folder))])
    environment = connection.target.environment
    start_training(connection, environment, "job-1", order)
    uploads: list[Any] = []
    monkeypatch.setattr("pipelines.train_inputs.put_files", lambda *arguments: uploads.append(arguments[2]))
    start_training(connection, environment, "job-2", order)
    assert uploads == [{}, {}]
    (folder / "data.csv").write_text("3,4\n")
    start_training(connection, environment, "job-3", order)
    assert any(name.endswith("/data.csv") for files in uploads[2:] for name in files)


def test_data_behind_a_link_is_data(connection: Connection, folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "rows.csv").write_text("1\n")
    (folder / "linked").mkdir()
    (folder / "linked" / "sub").symlink_to(folder / "elsewhere")
    found = submitted(connection, Order(IMAGE, channels=[Channel("t", str(folder / "linked"))]))
    assert keys(connection, found["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]) == ["sub/rows.csv"]


def test_content_types_come_from_names_or_from_the_command_line(connection: Connection, folder: Path) -> None:
    connection.s3.create_bucket(Bucket="bucket")
    connection.s3.put_object(Bucket="bucket", Key="a/part-0.parquet", Body=b"")
    given = [f"one={folder / 'data.csv'}", "two=s3://bucket/a", "three=s3://bucket/nothing", "four=s3://bucket/a"]
    channels = read_channels(given, ["four=application/x-mine"])
    found = submitted(connection, Order(IMAGE, channels=channels))["InputDataConfig"]
    assert [channel.get("ContentType") for channel in found] == [
        "text/csv",
        "application/x-parquet",
        None,
        "application/x-mine",
    ]
    assert [channel.content_type for channel in read_channels(given, ["text/csv"])] == ["text/csv"] * 4


@pytest.mark.parametrize(
    ("channels", "types", "message"),
    [
        (["train"], [], "is not of the form NAME=VALUE"),
        (["a=s3://b/c", "a=s3://b/d"], [], "'a' is given twice"),
        (["a=./nowhere"], [], "./nowhere does not exist here"),
        (["a b=s3://b/c"], [], "a name is made of"),
        (["a=s3://"], [], "is not an S3 URI"),
        (["a=s3://b/c"], ["z=text/csv"], "'z' is of no channel; there are: a"),
    ],
)
def test_wrong_channels_are_told(channels: list[str], types: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("(", r"\(")):
        read_channels(channels, types)


def test_values_may_have_equals_signs() -> None:
    assert pairs(["metric=a=(.*)"], "Metric") == {"metric": "a=(.*)"}


@pytest.mark.parametrize(
    ("source", "framework"),
    [
        ("import torch.nn as nn\nimport sklearn", "pytorch"),
        ("from keras import layers", "tensorflow"),
        ("import xgboost", "xgboost"),
        ("from .torch import x\nimport pandas", "sklearn"),
    ],
)
def test_the_framework_is_the_one_that_a_script_imports(tmp_path: Path, source: str, framework: str) -> None:
    (tmp_path / "s.py").write_text(source)
    assert guess_framework(tmp_path / "s.py") == framework


def test_what_is_no_python_needs_its_image_named(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("echo $(")
    with pytest.raises(UsageError, match="--framework or --image"):
        guess_framework(tmp_path / "s.sh")


def test_images_of_aws_come_from_the_sdks_table() -> None:
    known = tuple(FRAMEWORKS)
    uri = aws_image("sklearn:1.2-1", known, "us-east-1", "ml.m5.large")
    assert uri == "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    assert "/pytorch-training:" in aws_image("pytorch", known, "eu-central-1", "ml.m5.large")
    with pytest.raises(UsageError, match="Did you mean 'xgboost'"):
        aws_image("xgbost", known, "us-east-1", "ml.m5.large")
    with pytest.raises(UsageError, match="Unsupported sklearn version"):
        aws_image("sklearn:0.1", known, "us-east-1", "ml.m5.large")


def test_own_images_are_uris_or_folders(project: Path) -> None:
    environment = load_target(project, "local").environment
    assert own_image(IMAGE, environment) == IMAGE
    assert own_image("small", environment).startswith("123456789012.dkr.ecr.us-east-1.amazonaws.com/small:")
    with pytest.raises(ContainerNotFound):
        own_image("smal", environment)


def test_names_fit_aws() -> None:
    assert job_name("My_script.v2", 1_700_000_000.5) == "My-script-v2-2023-11-14-22-13-20-500"
    long = job_name("x" * 100, 1_700_000_000.5)
    assert len(long) == 63
    assert base_of(Order("…/sagemaker-xgboost:1.7-1")) == "xgboost"
    assert base_of(Order(IMAGE, program=Program("sub/fit.py", Path("source")))) == "fit"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say what to train"),
        (["--script", "nope.py"], "nope.py does not exist"),
        (["--algorithm", "xgboost", "--image", "x"], "--algorithm and --image each say"),
        (["--algorithm", "xgboost", "--script", "{script}"], "--framework xgboost to run a script"),
        (["--framework", "sklearn"], "--framework is for a script"),
        (["--source-dir", "."], "--source-dir goes with --script"),
        (["--script", "{script}", "--image", "small", "--channel", "code=s3://b/c"], "choose another name"),
        (["--image", "small", "-H", "x"], "Hyperparameter 'x' is not of the form"),
    ],
)
def test_contradictions_are_told_before_anything_is_done(
    cli: Cli, project: Path, folder: Path, arguments: list[str], message: str
) -> None:
    script = str(folder / "source" / "train.py")
    result = cli(project, "train", *(word.format(script=script) for word in arguments))
    assert result.exit_code == 2, result.output
    assert message in result.output


def test_a_job_is_started_and_named_for_following(cli: Cli, project: Path, aws_variables: None) -> None:
    result = cli(project, "train", "--image", "small", "--name", "mine")
    assert result.exit_code == 0, result.output
    arn = "arn:aws:sagemaker:us-east-1:123456789012:training-job/mine"
    assert result.output.splitlines() == [f"started {arn}", f"Next: pipelines follow {arn}"]
    as_json = cli(project, "train", "--image", "small", "--json", "--name", "other")
    assert json.loads(as_json.output) == {"arn": arn.replace("mine", "other")}
