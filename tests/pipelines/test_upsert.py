import json
from dataclasses import replace
from pathlib import Path

from pipelines.build import BuiltPipeline
from pipelines.connection import Connection
from pipelines.record import unstamped
from pipelines.storage import stored_sizes
from pipelines.upsert import upsert_pipeline

BUCKET = "sagemaker-us-east-1-123456789012"


def record(connection: Connection) -> list[str]:
    """Names of the operations called from now on."""
    calls: list[str] = []
    for client in (connection.sagemaker, connection.s3):
        client.meta.events.register("before-call", lambda model, **_: calls.append(model.name))
    return calls


def changed(built: BuiltPipeline, folder: Path) -> BuiltPipeline:
    """The same build with another default of a parameter."""
    definition = json.loads(json.dumps(built.definition))
    definition["Parameters"][2]["DefaultValue"] = 9
    other = replace(built, folder=folder)
    folder.joinpath("manifest.json").write_text(json.dumps(built.manifest | {"assets": []}))
    folder.joinpath("definition.json").write_text(json.dumps(definition))
    return other


def test_the_first_creates_bucket_assets_and_pipeline(built: BuiltPipeline, connection: Connection) -> None:
    said: list[str] = []
    done = upsert_pipeline(built, connection, said.append)
    assert done.action == "created"
    assert done.arn == "arn:aws:sagemaker:us-east-1:123456789012:pipeline/tiny"
    stored = stored_sizes(connection, BUCKET, "tiny/assets/")
    assert stored == {asset["key"]: asset["size"] for asset in built.manifest["assets"]}
    answer = connection.sagemaker.describe_pipeline(PipelineName="tiny")
    assert unstamped(json.loads(answer["PipelineDefinition"])) == built.definition
    assert said == [f"created bucket {BUCKET}", f"uploaded {len(stored)} of {len(stored)} assets"]


def test_the_second_finds_it_unchanged_in_three_requests(built: BuiltPipeline, connection: Connection) -> None:
    upsert_pipeline(built, connection, lambda line: None)
    calls = record(connection)
    done = upsert_pipeline(built, connection, lambda line: None)
    assert (done.action, done.uploaded) == ("unchanged", ())
    assert len(calls) <= 3
    assert not {"PutObject", "CreatePipeline", "UpdatePipeline"} & set(calls)


def test_a_change_updates(built: BuiltPipeline, connection: Connection, tmp_path: Path) -> None:
    upsert_pipeline(built, connection, lambda line: None)
    other = changed(built, tmp_path)
    assert upsert_pipeline(other, connection, lambda line: None).action == "updated"
    answer = connection.sagemaker.describe_pipeline(PipelineName="tiny")
    assert json.loads(answer["PipelineDefinition"])["Parameters"][2]["DefaultValue"] == 9


def test_only_a_missing_asset_is_uploaded(built: BuiltPipeline, connection: Connection) -> None:
    upsert_pipeline(built, connection, lambda line: None)
    lost, cut = (asset["key"] for asset in built.manifest["assets"][:2])
    connection.s3.delete_object(Bucket=BUCKET, Key=lost)
    connection.s3.put_object(Bucket=BUCKET, Key=cut, Body=b"")
    done = upsert_pipeline(built, connection, lambda line: None)
    assert (done.action, set(done.uploaded)) == ("unchanged", {lost, cut})


def test_a_pipeline_made_in_between_is_updated(built: BuiltPipeline, connection: Connection, tmp_path: Path) -> None:
    other = changed(built, tmp_path)
    raced: list[str] = []

    def create_first(model: object, **_: object) -> None:
        if not raced:
            raced.append("x")
            connection.sagemaker.create_pipeline(
                PipelineName="tiny",
                PipelineDefinition=json.dumps(built.definition),
                RoleArn=connection.target.environment.role,
            )

    connection.sagemaker.meta.events.register("before-call.sagemaker.CreatePipeline", create_first)
    assert upsert_pipeline(other, connection, lambda line: None).action == "updated"


def test_a_long_definition_goes_by_s3(built: BuiltPipeline, connection: Connection, tmp_path: Path) -> None:
    other = changed(built, tmp_path)
    definition = other.definition | {"Metadata": {"text": "x" * 110_000}}
    tmp_path.joinpath("definition.json").write_text(json.dumps(definition))
    upsert_pipeline(replace(other), connection, lambda line: None)
    keys = list(stored_sizes(connection, BUCKET, "tiny/definitions/"))
    assert len(keys) == 1
    stored = json.loads(connection.s3.get_object(Bucket=BUCKET, Key=keys[0])["Body"].read())
    assert unstamped(stored) == definition
