"""What goes wrong on the way to AWS: told in its words, with the next command, and nothing is left half done."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ConnectionClosedError, EndpointConnectionError

from pipelines.build import BuiltPipeline
from pipelines.connection import Connection
from pipelines.endpoint import find_program
from pipelines.environments import load_target
from pipelines.errors import UsageError
from pipelines.record import unstamped
from pipelines.storage import stored_sizes
from pipelines.upsert import upsert_pipeline
from tests.pipelines.conftest import Cli
from tests.pipelines.faults import Faults
from tests.pipelines.test_upsert import BUCKET, changed


@pytest.fixture
def root(built: BuiltPipeline, aws_variables: None) -> Path:
    """A checkout that is built already, at an account with nothing in it."""
    return built.folder.parents[2]


@pytest.fixture
def faults(root: Path, monkeypatch: pytest.MonkeyPatch) -> Faults:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between botocore's attempts
    return Faults(monkeypatch)


def connection_closed(url: str) -> Exception:
    return ConnectionClosedError(endpoint_url=url)


@pytest.mark.parametrize(
    ("operation", "code", "status", "hint"),
    [
        ("sagemaker.DescribePipeline", "ExpiredTokenException", 400, "log in again (aws sso login)"),
        ("s3.ListObjectsV2", "ExpiredToken", 400, "log in again (aws sso login)"),
        ("sagemaker.DescribePipeline", "UnrecognizedClientException", 400, "aws sts get-caller-identity"),
        ("s3.ListObjectsV2", "InvalidAccessKeyId", 403, "aws sts get-caller-identity"),
        ("s3.PutObject", "AccessDenied", 403, "pipelines policy NAME --role ci"),
        ("sagemaker.CreatePipeline", "AccessDeniedException", 400, "pipelines policy NAME --role ci"),
        ("s3.HeadBucket", "", 403, "pipelines policy NAME --role ci"),
        ("s3.ListObjectsV2", "AuthorizationHeaderMalformed", 400, "aws s3api get-bucket-location"),
        ("s3.CreateBucket", "IllegalLocationConstraintException", 400, "check region and bucket of this environment"),
        ("s3.PutObject", "NoSuchBucket", 404, "creates it again"),
        ("sagemaker.CreatePipeline", "ResourceLimitExceeded", 400, "aws service-quotas"),
        ("sagemaker.DescribePipeline", "ThrottlingException", 400, "repeat the command in a minute"),
        ("s3.PutObject", "SlowDown", 503, "repeat the command in a minute"),
    ],
)
def test_a_refused_call_is_told_with_what_to_do(
    cli: Cli, root: Path, faults: Faults, operation: str, code: str, status: int, hint: str
) -> None:
    faults.refuse(operation, code, status=status)
    result = cli(root, "upsert", "tiny")
    assert result.exit_code == 5, result.output
    assert f"environment local: {operation.partition('.')[2]} was refused ({code or status})" in result.output
    assert hint in result.output
    assert "Traceback" not in result.output


def test_a_role_of_another_account_names_both(cli: Cli, root: Path, faults: Faults) -> None:
    faults.refuse("sagemaker.CreatePipeline", "ValidationException", "Cross-account pass role is not allowed.")
    result = cli(root, "upsert", "tiny")
    assert "The role is of another account than the credentials: choose the environment (--env)" in result.output


def test_a_call_that_is_throttled_at_first_is_tried_again(cli: Cli, root: Path, faults: Faults) -> None:
    faults.refuse("sagemaker.DescribePipeline", "ThrottlingException", times=2)
    assert "created arn:" in cli(root, "upsert", "tiny").output
    assert faults.calls.count("sagemaker.DescribePipeline") == 3


def test_missing_credentials_say_how_to_get_some(cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    result = cli(root, "upsert", "tiny")
    assert result.exit_code == 5
    assert 'set both with: eval "$(emulator env)"' in result.output
    result = cli(root, "executions", "tiny", "--env", "dev")
    assert result.exit_code == 5
    assert "Log in (aws sso login), or set AWS_PROFILE" in result.output


def test_a_region_that_does_not_exist_is_pointed_at(cli: Cli, root: Path, faults: Faults) -> None:
    faults.fail("sagemaker.DescribePipeline", lambda url: EndpointConnectionError(endpoint_url=url))
    result = cli(root, "history", "tiny", "--env", "dev")
    assert result.exit_code != 0
    faults.fail("sagemaker.ListPipelineVersions", lambda url: EndpointConnectionError(endpoint_url=url))
    result = cli(root, "history", "tiny", "--env", "dev")
    assert result.exit_code == 3
    assert "Check the network, and the region in pipelines/environments.toml." in result.output


def test_an_upload_that_breaks_off_is_finished_by_the_next_run(cli: Cli, root: Path, faults: Faults) -> None:
    faults.fail("s3.PutObject", connection_closed, after=3)
    result = cli(root, "upsert", "tiny")
    assert result.exit_code == 3
    assert "The connection broke. Repeat the command: what has arrived whole is not sent again." in result.output
    assert "sagemaker.CreatePipeline" not in faults.calls
    connection = Connection(load_target(root, "local"))
    arrived = set(stored_sizes(connection, BUCKET, "tiny/assets/"))
    assert len(arrived) == 3
    faults.clear()
    document = json.loads(cli(root, "upsert", "tiny", "--json").output)[0]
    assert document["action"] == "created"
    assert not arrived & set(document["uploaded"])


def test_an_upsert_that_breaks_off_before_the_pipeline_is_finished_by_the_next(
    cli: Cli, root: Path, faults: Faults
) -> None:
    faults.fail("sagemaker.CreatePipeline", connection_closed)
    assert cli(root, "upsert", "tiny").exit_code == 3
    faults.clear()
    assert cli(root, "upsert", "tiny").output.startswith("created arn:")


def test_a_deleted_bucket_is_made_again(cli: Cli, root: Path, built: BuiltPipeline) -> None:
    assert cli(root, "upsert", "tiny").exit_code == 0
    s3 = Connection(load_target(root, "local")).s3
    for asset in built.manifest["assets"]:
        s3.delete_object(Bucket=BUCKET, Key=asset["key"])
    s3.delete_bucket(Bucket=BUCKET)
    planned = cli(root, "plan", "tiny")
    assert (planned.exit_code, f"{len(built.manifest['assets'])} assets to upload" in planned.output) == (2, True)
    again = cli(root, "upsert", "tiny").output
    assert again.startswith(f"created bucket {BUCKET}\nuploaded ")
    assert "unchanged arn:" in again


def test_a_definition_over_the_limit_is_refused_before_it_is_sent(
    built: BuiltPipeline, connection: Connection, tmp_path: Path
) -> None:
    other = changed(built, tmp_path)
    definition = other.definition | {"Metadata": {"text": "x" * 1_100_000}}
    tmp_path.joinpath("definition.json").write_text(json.dumps(definition))
    with pytest.raises(UsageError, match=r"has 1,1\d\d,\d\d\d bytes, and 1,048,576 are the limit.*validate tiny"):
        upsert_pipeline(replace(other), connection, lambda line: None)


def test_two_upserts_at_once_both_end_well(built: BuiltPipeline, sagemaker_variables: None, tmp_path: Path) -> None:
    other = changed(built, tmp_path)
    root, ended = built.folder.parents[2], []

    def upsert(which: BuiltPipeline) -> None:
        done = upsert_pipeline(replace(which, suffix="-raced"), Connection(load_target(root, "local")), print)
        ended.append(done.action)

    for _ in range(3):
        threads = [threading.Thread(target=upsert, args=(which,)) for which in (built, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(ended) == 6
    connection = Connection(load_target(root, "local"))
    deployed = connection.sagemaker.describe_pipeline(PipelineName="tiny-raced")
    defaults = [item.get("DefaultValue") for item in json.loads(deployed["PipelineDefinition"])["Parameters"]]
    assert defaults in [[item.get("DefaultValue") for item in each.definition["Parameters"]] for each in (built, other)]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an emulator that demands known keys."""
    place = ["--data-dir", str(tmp_path_factory.mktemp("guarded"))]
    program = find_program("emulator")
    assert program
    keys = {"EMULATOR_ACCESS_KEY_ID": "known", "EMULATOR_SECRET_ACCESS_KEY": "secret", "PATH": "/usr/bin:/bin"}
    subprocess.run([program, "start", "--port", "0", *place], env=keys, check=True, capture_output=True)
    try:
        printed = subprocess.run(
            [program, "env", "--format", "json", *place], env=keys, check=True, capture_output=True
        )
        yield str(json.loads(printed.stdout)["AWS_ENDPOINT_URL"])
    finally:
        subprocess.run([program, "stop", *place], env=keys, check=True, capture_output=True)


@pytest.mark.parametrize(("key", "secret"), [("unknown", "secret"), ("known", "wrong")])
def test_wrong_credentials_are_told_from_missing_ones(
    cli: Cli, built: BuiltPipeline, guarded: str, monkeypatch: pytest.MonkeyPatch, key: str, secret: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", guarded)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    for command in (("history", "tiny"), ("upsert", "tiny")):
        result = cli(built.folder.parents[2], *command)
        assert result.exit_code == 5, result.output
        assert "The credentials are not known here: check them with: aws sts get-caller-identity" in result.output


def test_an_upsert_that_breaks_off_anywhere_is_finished_by_the_next(
    root: Path, built: BuiltPipeline, faults: Faults
) -> None:
    """The connection breaks for good at a call of each kind: listing, bucket, an upload, description, creation."""
    wanted = {asset["key"]: asset["size"] for asset in built.manifest["assets"]}
    connection = Connection(load_target(root, "local"))
    for calls in (0, 1, 2, 10, len(wanted) + 2, len(wanted) + 3):
        faults.fail("*", connection_closed, after=calls)
        with pytest.raises(ConnectionClosedError):
            upsert_pipeline(built, connection, print)
        faults.clear()
        assert upsert_pipeline(built, connection, print).action == "created"
        assert stored_sizes(connection, BUCKET, "tiny/assets/") == wanted
        deployed = connection.sagemaker.describe_pipeline(PipelineName="tiny")
        assert unstamped(json.loads(deployed["PipelineDefinition"])) == built.definition
        connection.sagemaker.delete_pipeline(PipelineName="tiny")
        connection.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in wanted]})
