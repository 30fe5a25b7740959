"""The one search: whatever has a page is found, with few calls, and what AWS refuses leaves the rest."""

from __future__ import annotations

import re
from typing import Any

import pytest

from studio.finding import MOST, MOST_BUCKETS, MOST_ENTITIES
from tests.integration.small_pipelines import BUCKET, Runner
from tests.studio.front import DENIED, Front, Refusal, Request
from tests.studio.servers import Server
from tests.studio.world import World

ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"


def hits(server: Server, text: str) -> list[tuple[str, str]]:
    """Kind and title of each, in order."""
    row = r'<tr><td class="muted">([^<]+)</td><td><a class="strong" href="[^"]+">([^<]+)</a>'
    return re.findall(row, server.get(f"/search?q={text}").text)


@pytest.fixture(scope="module")
def things(runner: Runner, world: World) -> None:
    sagemaker = runner.sagemaker
    source = {"SourceUri": f"s3://{BUCKET}/finch/table.csv"}
    sagemaker.create_artifact(ArtifactName="nest", ArtifactType="DataSet", Source=source)
    sagemaker.create_action(ActionName="finch-action", ActionType="Job", Source=source)
    sagemaker.create_context(ContextName="finch-context", ContextType="Endpoint", Source=source)
    sagemaker.create_trial_component(TrialComponentName="finch-component")
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/plain:latest"
    sagemaker.create_model(
        ModelName="finch-model", PrimaryContainer={"Image": image}, ExecutionRoleArn="arn:aws:iam::123456789012:role/r"
    )
    specification = {
        "Containers": [{"Image": image}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    sagemaker.create_model_package(ModelPackageName="finch-package", InferenceSpecification=specification)
    runner.upload("a", "finch/one.csv")


def test_lineage_models_packages_and_objects_are_found(server: Server, rules: Front, things: None) -> None:
    found = hits(server, "finch")
    assert {
        ("Artifact", "nest"),
        ("Action", "finch-action"),
        ("Context", "finch-context"),
        ("Trial component", "finch-component"),
        ("Model", "finch-model"),
        ("Model package", "finch-package"),
        ("Object", f"{BUCKET}/finch/one.csv"),
    } <= set(found)
    assert len(found) == len(set(found)), "each once"


def test_every_hit_leads_to_a_page(server: Server, rules: Front, things: None) -> None:
    paths = re.findall(r'<a class="strong" href="([^"]+)">', server.get("/search?q=finch").text)
    for path in paths:
        assert server.get(path.replace("&amp;", "&")).status == 200, path


def test_a_bucket_and_a_prefix_are_looked_up_by_listing(server: Server, rules: Front, things: None) -> None:
    assert ("Object", f"{BUCKET}/data/table.csv") in hits(server, f"{BUCKET}/data/t")
    assert ("Object", f"{BUCKET}/data/tree.json") not in hits(server, f"{BUCKET}/data/ta")
    assert rules.calls["ListObjectsV2"] <= 2 * (1 + MOST_BUCKETS)
    assert not {"GetObject", "HeadObject"} & set(rules.calls), "it lists only"


def test_executions_are_found_by_status_and_beyond_the_newest(server: Server, rules: Front, world: World) -> None:
    failed = server.get("/search?q=failed").text
    assert f"/pipelines/broken/executions/{world.id(world.failed)}" in failed
    old = f"{ACCOUNT}:pipeline/quality/execution/old00000001"
    rules.rules["ListPipelineExecutions"] = lambda _: {"PipelineExecutionSummaries": []}

    def answer(request: Request) -> dict[str, Any]:
        values = {entry["Value"] for entry in request["SearchExpression"]["Filters"]}
        is_it = request["Resource"] == "PipelineExecution" and values == {"old0", "/execution/old0"}
        record = {"PipelineExecutionArn": old, "PipelineExecutionStatus": "Stopped"}
        return {"Results": [{"PipelineExecution": record}] if is_it else []}

    rules.rules["Search"] = answer
    assert ("Execution", "quality · old00000001") in hits(server, "old0")


def test_without_search_the_newest_are_still_found(server: Server, rules: Front, world: World) -> None:
    rules.rules["Search"] = Refusal("UnknownOperationException", "no such operation")
    page = server.get(f"/search?q={world.id(world.good)[2:]}")
    assert f"/pipelines/quality/executions/{world.id(world.good)}" in page.text
    assert "Left out" not in page.words
    rules.rules["Search"] = DENIED
    page = server.get(f"/search?q={world.id(world.good)[2:]}")
    assert f"/pipelines/quality/executions/{world.id(world.good)}" in page.text
    assert "Left out: Search: User:" in page.words


def test_of_very_many_artifacts_the_newest_are_read(server: Server, rules: Front, world: World) -> None:
    def artifacts(request: Request) -> dict[str, Any]:
        first = int(request.get("NextToken", "0"))
        items = [
            {"ArtifactArn": f"{ACCOUNT}:artifact/{n:05d}", "ArtifactName": f"gull-{n}", "Source": {"SourceUri": "x"}}
            for n in range(first, first + 100)
        ]
        is_exact = "SourceUri" in request
        return {"ArtifactSummaries": []} if is_exact else {"ArtifactSummaries": items, "NextToken": str(first + 100)}

    rules.rules["ListArtifacts"] = artifacts
    assert [kind for kind, _ in hits(server, "gull")].count("Artifact") == MOST
    rules.calls.clear()
    assert ("Artifact", "gull-299") in hits(server, "gull-299")
    assert ("Artifact", "gull-300") not in hits(server, "gull-300")
    assert rules.calls["ListArtifacts"] == 2 * (1 + MOST_ENTITIES // 100)


def test_text_that_no_name_may_have_is_not_asked_for(server: Server, rules: Front, world: World) -> None:
    page = server.get("/search?q=a+%3Cb%3E+c")
    assert page.status == 200
    assert "Left out" not in page.words
    assert not {"ListTrainingJobs", "ListModels", "ListModelPackages"} & set(rules.calls)
