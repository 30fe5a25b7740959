"""QueryLineage, over raw - prepare -> table - train -> model, with a context beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.services.sagemaker import actions, artifacts, associations, contexts, lineage_queries, trial_components
from tests.emulator.services.sagemaker.registry_calls import Registry

MODULES = (actions, artifacts, associations, contexts, lineage_queries, trial_components)


class Lineage(Registry):
    """Entities by the names that the tests give them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.arns: dict[str, str] = {}
        for name in ("raw", "table", "model"):
            self.make("Artifact", name, "Model" if name == "model" else "DataSet", Properties={"stage": name})
        self.make("Action", "prepare", "Job")
        self.make("Action", "train", "Job")
        self.make("Context", "endpoint", "Endpoint")
        for source, destination in (
            ("raw", "prepare"),
            ("prepare", "table"),
            ("table", "train"),
            ("train", "model"),
            ("endpoint", "model"),
        ):
            ends = {"SourceArn": self.arns[source], "DestinationArn": self.arns[destination]}
            self.call("AddAssociation", {**ends, "AssociationType": "ContributedTo"})

    def make(self, noun: str, name: str, kind: str, **more: Any) -> None:
        request = {f"{noun}Name": name, "Source": {"SourceUri": f"s3://b/{name}"}, f"{noun}Type": kind, **more}
        self.arns[name] = self.call(f"Create{noun}", request)[f"{noun}Arn"]

    def names(self, answer: dict[str, Any]) -> list[str]:
        by_arn = {arn: name for name, arn in self.arns.items()}
        return [by_arn[vertex["Arn"]] for vertex in answer["Vertices"]]

    def query(self, start: str, **more: Any) -> list[str]:
        return self.names(self.call("QueryLineage", {"StartArns": [self.arns[start]], **more}))


@pytest.fixture
def lineage(tmp_path: Path) -> Iterator[Lineage]:
    lineage = Lineage(tmp_path)
    yield lineage
    lineage.close()


def test_directions(lineage: Lineage) -> None:
    assert lineage.query("table", Direction="Descendants") == ["table", "train", "model"]
    assert lineage.query("table", Direction="Ascendants") == ["table", "prepare", "raw"]
    assert set(lineage.query("table")) == {"raw", "prepare", "table", "train", "model", "endpoint"}


def test_depth_counts_associations(lineage: Lineage) -> None:
    assert lineage.query("raw", Direction="Descendants", MaxDepth=2) == ["raw", "prepare", "table"]


def test_vertices_and_edges_are_told_as_aws_does(lineage: Lineage) -> None:
    start = {"StartArns": [lineage.arns["table"]], "Direction": "Descendants", "MaxDepth": 1}
    answer = lineage.call("QueryLineage", start)
    table, train = answer["Vertices"]
    assert table == {"Arn": lineage.arns["table"], "Type": "DataSet", "LineageType": "Artifact"}
    assert train == {"Arn": lineage.arns["train"], "Type": "Job", "LineageType": "Action"}
    edge = {"SourceArn": lineage.arns["table"], "DestinationArn": lineage.arns["train"]}
    assert answer["Edges"] == [{**edge, "AssociationType": "ContributedTo"}]
    assert lineage.call("QueryLineage", {**start, "IncludeEdges": False})["Edges"] == []


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"LineageTypes": ["Artifact"]}, ["raw", "table", "model"]),
        ({"Types": ["Model", "Job"]}, ["prepare", "train", "model"]),
        ({"Properties": {"stage": "table"}}, ["table"]),
        ({"CreatedAfter": datetime.now(UTC) + timedelta(days=1)}, []),
        (
            {"ModifiedBefore": datetime.now(UTC) + timedelta(days=1), "LineageTypes": ["Artifact"]},
            ["raw", "table", "model"],
        ),
    ],
)
def test_filters_choose_among_what_is_reached(lineage: Lineage, filters: dict[str, Any], found: list[str]) -> None:
    assert lineage.query("raw", Direction="Descendants", Filters=filters) == found


def test_results_come_in_pages(lineage: Lineage) -> None:
    request = {"StartArns": [lineage.arns["raw"]], "Direction": "Descendants", "MaxResults": 3}
    first = lineage.call("QueryLineage", request)
    second = lineage.call("QueryLineage", {**request, "NextToken": first["NextToken"]})
    assert lineage.names(first) + lineage.names(second) == ["raw", "prepare", "table", "train", "model"]
    assert second["NextToken"] is None
    assert lineage.fails("QueryLineage", **request, NextToken="x").code == "ValidationException"


def test_a_circle_ends(lineage: Lineage) -> None:
    ends = {"SourceArn": lineage.arns["model"], "DestinationArn": lineage.arns["raw"]}
    lineage.call("AddAssociation", ends)
    assert lineage.query("raw", Direction="Descendants") == ["raw", "prepare", "table", "train", "model"]


def test_without_a_start_all_entities_are_asked(lineage: Lineage) -> None:
    assert set(lineage.names(lineage.call("QueryLineage", {"Filters": {"Types": ["Job"]}}))) == {"prepare", "train"}


def test_an_unknown_start_is_not_found(lineage: Lineage) -> None:
    error = lineage.fails("QueryLineage", StartArns=[lineage.arns["raw"][:-2] + "00"])
    assert error.code == "ResourceNotFound"


def test_a_trial_component_that_was_deleted_is_left_out(lineage: Lineage) -> None:
    component = lineage.call("CreateTrialComponent", {"TrialComponentName": "run"})["TrialComponentArn"]
    lineage.call("AddAssociation", {"SourceArn": lineage.arns["model"], "DestinationArn": component})
    lineage.call("DeleteTrialComponent", {"TrialComponentName": "run"})
    assert lineage.query("train", Direction="Descendants") == ["train", "model"]
