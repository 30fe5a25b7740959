"""Lineage that SageMaker makes by itself: of a processing job, of the training job after it, of a model package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.services.sagemaker import (  # noqa: F401 - register their operations
    actions,
    artifacts,
    associations,
    contexts,
    lineage_queries,
    model_package_groups,
    model_packages,
    trial_components,
)
from emulator.store.trial_metrics import TrialMetrics
from tests.emulator.jobs.world import BUCKET, IMAGE, World, outputs, s3_input, s3_output

RAW, TABLE = f"s3://{BUCKET}/raw", f"s3://{BUCKET}/table"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Any]:
    world = World(tmp_path)
    world.context.app.metrics = world.jobs.metrics
    world.context.app.trial_metrics = TrialMetrics(world.resources.database)
    world.put("raw/x", b"1")
    yield world
    world.close()


def about(world: Any, arn: str) -> list[tuple[str, str, str]]:
    """What is associated with an entity, as the SDK's table shows it: direction, name or source, type."""
    found = []
    for direction, end, other in (("Input", "DestinationArn", "Source"), ("Output", "SourceArn", "Destination")):
        for edge in world.call("ListAssociations", **{end: arn})["AssociationSummaries"]:
            found.append((direction, name(world, edge, other), edge[f"{other}Type"]))
    return sorted(found)


def name(world: Any, edge: dict[str, Any], end: str) -> str:
    arn = edge[f"{end}Arn"]
    if ":artifact/" in arn:
        return str(world.call("DescribeArtifact", ArtifactArn=arn)["Source"]["SourceUri"])
    return str(edge[f"{end}Name"])


def component(world: Any, kind: str, job: str) -> str:
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/{job}"
    (found,) = world.call("ListTrialComponents", SourceArn=arn)["TrialComponentSummaries"]
    return str(found["TrialComponentArn"])


def run_both(world: Any) -> str:
    """A processing job and a training job on what it made; the model's URI."""
    world.processing(
        "prepare",
        "cp $ML/processing/in/x $ML/processing/out/",
        ProcessingInputs=[s3_input("raw", RAW, "/opt/ml/processing/in")],
        ProcessingOutputConfig=outputs(s3_output("table", "/opt/ml/processing/out", TABLE)),
    )
    world.processed("prepare")
    world.training("fit", "touch $ML/model/m", {"train": TABLE})
    return str(world.trained("fit")["ModelArtifacts"]["S3ModelArtifacts"])


def test_a_job_is_associated_with_its_image_its_data_and_what_it_made(world: Any) -> None:
    model = run_both(world)
    prepare = component(world, "processing-job", "prepare")
    made = [("Input", IMAGE, "Image"), ("Input", RAW, "DataSet"), ("Output", TABLE, "DataSet")]
    assert about(world, prepare) == sorted(made)
    fit = component(world, "training-job", "fit")
    used = [("Input", IMAGE, "Image"), ("Input", TABLE, "DataSet"), ("Output", model, "Model")]
    assert about(world, fit) == sorted(used)


def test_the_way_from_data_to_model_can_be_queried(world: Any) -> None:
    model = run_both(world)
    (found,) = world.call("ListArtifacts", SourceUri=model)["ArtifactSummaries"]
    start = {"StartArns": [found["ArtifactArn"]], "Direction": "Ascendants"}
    wanted = {"LineageTypes": ["TrialComponent"], "Types": ["TrainingJob"]}
    trained = world.call("QueryLineage", **start, Filters=wanted)["Vertices"]
    assert [vertex["Arn"] for vertex in trained] == [component(world, "training-job", "fit")]
    sources = world.call("QueryLineage", **start, Filters={"Types": ["DataSet"]})["Vertices"]
    uris = [world.call("DescribeArtifact", ArtifactArn=each["Arn"])["Source"]["SourceUri"] for each in sources]
    assert uris == [TABLE, RAW]


def test_a_job_that_failed_made_nothing(world: Any) -> None:
    world.training("broken", "exit 1", {"train": RAW})
    world.trained("broken", "Failed")
    directions = {direction for direction, _, _ in about(world, component(world, "training-job", "broken"))}
    assert directions == {"Input"}


def test_a_package_leads_to_its_group_its_approval_and_its_containers(world: Any) -> None:
    world.call("CreateModelPackageGroup", ModelPackageGroupName="models")
    world.put("model.tar.gz", b"x")
    model = f"s3://{BUCKET}/model.tar.gz"
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": model}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    request = {"ModelPackageGroupName": "models", "InferenceSpecification": specification}
    package = world.call("CreateModelPackage", **request, ModelApprovalStatus="Approved")["ModelPackageArn"]
    (found,) = world.call("ListArtifacts", SourceUri=package)["ArtifactSummaries"]
    (one, two, three, four) = about(world, found["ArtifactArn"])
    assert {("Input", IMAGE, "Image"), ("Input", model, "Model")} <= {one, two, three}
    approvals = [each for each in (one, two, three) if each[2] == "Approval"]
    assert approvals[0][1].startswith("models-1-Approved-")
    assert (four[0], four[2]) == ("Output", "ModelGroup")
    assert four[1].endswith("-aws-model-package-group")


def test_an_artifact_that_was_made_by_itself_becomes_the_caller_s(world: Any) -> None:
    run_both(world)
    before = about(world, component(world, "training-job", "fit"))
    world.call("CreateArtifact", ArtifactName="mine", Source={"SourceUri": TABLE}, ArtifactType="data-location")
    (found,) = world.call("ListArtifacts", SourceUri=TABLE)["ArtifactSummaries"]
    assert (found["ArtifactName"], found["ArtifactType"]) == ("mine", "data-location")
    assert about(world, component(world, "training-job", "fit")) == before
