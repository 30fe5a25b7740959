"""What came from what: of an execution, of a model version, and as the lineage service has recorded it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest

from studio.addresses import page_of
from tests.integration.small_pipelines import BUCKET, Runner
from tests.studio.servers import Server
from tests.studio.world import World

ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"
PACKAGE = f"{ACCOUNT}:model-package/quality/1"


def places(text: str) -> dict[str, float]:
    """How far down each thing of the picture stands."""
    found = re.findall(r'<a class="node thing[^>]*translate\([\d.]+ ([\d.]+)\)" aria-label="([^",]+)', text)
    return {title: float(y) for y, title in found}


@pytest.fixture(scope="module")
def recorded(runner: Runner, world: World) -> dict[str, str]:
    """raw → prepare → clean and rejected, clean → train → model → the package; by name the ARNs."""
    sagemaker, arns = runner.sagemaker, {}
    sources = {
        "raw": ("DataSet", f"s3://{BUCKET}/data/table.csv"),
        "clean": ("DataSet", f"s3://{BUCKET}/data/tree.json"),
    }
    sources |= {"model": ("Model", f"s3://{BUCKET}/m.tar.gz"), "package": ("ModelPackage", PACKAGE)}
    sources |= {"rejected": ("DataSet", f"s3://{BUCKET}/rejected")}
    for name, (kind, uri) in sources.items():
        answer = sagemaker.create_artifact(ArtifactName=name, ArtifactType=kind, Source={"SourceUri": uri})
        arns[name] = answer["ArtifactArn"]
    for name in ("prepare", "train"):
        answer = sagemaker.create_action(ActionName=name, ActionType="Job", Source={"SourceUri": f"job:{name}"})
        arns[name] = answer["ActionArn"]
    chain = ["raw", "prepare", "clean", "train", "model", "package"]
    for source, target in [*pairwise(chain), ("prepare", "rejected")]:
        sagemaker.add_association(SourceArn=arns[source], DestinationArn=arns[target], AssociationType="Produced")
    return arns


def test_a_package_is_traced_to_its_data(studio: Server, recorded: dict[str, str]) -> None:
    answer = studio.get(f"/lineage?of={quote(PACKAGE)}")
    found = places(answer.text)
    chain = ["raw", "prepare", "clean", "train", "model", "package"]
    assert [name for name, _ in sorted(found.items(), key=lambda item: item[1]) if name in chain] == chain
    assert any(name.endswith("-aws-model-package") for name in found), "SageMaker tells of the approval by itself"
    assert "rejected" not in answer.words, "it is no ancestor of the package"
    assert 'href="/models/quality/1"' in answer.text


def test_from_the_middle_one_sees_both_ways(studio: Server, recorded: dict[str, str]) -> None:
    found = places(studio.get(f"/lineage?of={quote(recorded['prepare'])}").text)
    assert set(found) >= {"raw", "prepare", "clean", "rejected", "train", "model", "package"}
    assert found["raw"] < found["prepare"] < found["rejected"]


def test_an_object_is_traced_by_its_address(studio: Server, recorded: dict[str, str]) -> None:
    assert "rejected" in studio.get(f"/lineage?of=s3://{BUCKET}/data/table.csv").words
    assert "No lineage is recorded of this." in studio.get("/lineage?of=s3://other/thing").words


def test_artifacts_are_listed_by_type(studio: Server, recorded: dict[str, str]) -> None:
    words = studio.get("/lineage?type=DataSet").words
    assert "clean" in words
    assert "ModelPackage" not in words.split("Artifact Type")[1]


def test_an_execution_shows_what_its_steps_wrote(studio: Server, world: World) -> None:
    answer = studio.get(f"/pipelines/quality/executions/{world.id(world.good)}?view=artifacts")
    found = places(answer.text)
    assert found["Evaluate"] < found["evaluation"]


def test_a_version_shows_the_model_it_is_made_of(studio: Server, runner: Runner, world: World) -> None:
    runner.upload("a model", "models/none/output/model.tar.gz")
    made: dict[str, Any] = runner.sagemaker.create_model_package(
        ModelPackageGroupName="quality",
        InferenceSpecification={
            "Containers": [
                {
                    "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/plain:latest",
                    "ModelDataUrl": f"s3://{BUCKET}/models/none/output/model.tar.gz",
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    version = made["ModelPackageArn"].rsplit("/", 1)[-1]
    page = studio.get(f"/models/quality/{version}")
    found = places(page.text)
    assert found["model"] < found[f"quality/{version}"]
    assert "aws sagemaker delete-model-package --model-package-name" in page.words
    assert studio.post(f"/models/quality/{version}/delete", {"csrf": page.csrf}).location == "/models/quality"
    assert studio.get(f"/models/quality/{version}").status == 404


@pytest.mark.parametrize(
    ("text", "page"),
    [
        (f"{ACCOUNT}:pipeline/p", "/pipelines/p"),
        (f"{ACCOUNT}:pipeline/p/execution/e", "/pipelines/p/executions/e"),
        (f"{ACCOUNT}:hyper-parameter-tuning-job/t", "/jobs/tuning/t"),
        (f"{ACCOUNT}:automl-job/t", "/jobs/automl/t"),
        (f"{ACCOUNT}:model-package/g/3", "/models/g/3"),
        (f"{ACCOUNT}:artifact/a", f"/lineage?of={quote(ACCOUNT, safe='')}%3Aartifact%2Fa"),
        ("s3://b/k", "/s3/b?prefix=k"),
        ("s3://", None),
        ("arn:aws:iam::1:role/r", None),
        ("words", None),
    ],
)
def test_addresses_of_arns(text: str, page: str | None) -> None:
    assert page_of(text) == page


def test_a_model_of_which_nothing_is_known_is_said_to_have_none(studio: Server, world: World) -> None:
    answer = studio.get(f"/lineage?of={ACCOUNT}:model-package/quality/99")
    assert "No lineage is recorded of this." in answer.words
    assert 'id="graph"' not in answer.text


def test_a_trial_component_says_what_is_recorded_of_it(studio: Server, runner: Runner, world: World) -> None:
    arn = runner.sagemaker.create_trial_component(
        TrialComponentName="tried",
        Status={"PrimaryStatus": "Completed"},
        Parameters={"eta": {"NumberValue": 0.25}, "mode": {"StringValue": "fast"}},
        OutputArtifacts={"model": {"Value": f"s3://{BUCKET}/tried/model.tar.gz"}},
    )["TrialComponentArn"]
    words = studio.get(f"/lineage?of={quote(arn)}").words
    assert "Status Completed eta 0.25 mode fast" in words
    assert f"Output model s3://{BUCKET}/tried/model.tar.gz" in words
