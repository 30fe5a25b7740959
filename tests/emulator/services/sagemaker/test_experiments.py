"""Experiments, trials and trial components, over the wire. tests/clients has the SDKs' ``Run``, made of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.services.sagemaker import (
    artifacts,
    associations,
    experiments,
    search,
    tags,
    trial_components,
    trials,
)
from tests.emulator.gateway.conftest import Wire, make_app, register, serve, wire

__all__ = ["make_app", "register", "serve", "wire"]
REGISTERED = (artifacts, associations, experiments, trials, trial_components, search, tags)
PREFIX = "arn:aws:sagemaker:us-east-1:123456789012"


@pytest.fixture
def client(wire: Wire) -> Any:
    return wire.client("sagemaker")


def refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def run_in(client: Any, experiment: str = "flights", trial: str = "first", component: str = "run-1") -> None:
    client.create_experiment(ExperimentName=experiment)
    client.create_trial(TrialName=trial, ExperimentName=experiment)
    client.create_trial_component(TrialComponentName=component)
    client.associate_trial_component(TrialName=trial, TrialComponentName=component)


def test_an_experiment_is_kept_changed_and_listed(client: Any) -> None:
    made = client.create_experiment(ExperimentName="Flights", Description="late?", Tags=[{"Key": "a", "Value": "b"}])
    assert made["ExperimentArn"] == f"{PREFIX}:experiment/flights"
    client.update_experiment(ExperimentName="Flights", DisplayName="Late-flights")
    found = client.describe_experiment(ExperimentName="flights")
    assert (found["ExperimentName"], found["DisplayName"], found["Description"]) == ("Flights", "Late-flights", "late?")
    assert client.list_tags(ResourceArn=made["ExperimentArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    assert [each["ExperimentName"] for each in client.list_experiments()["ExperimentSummaries"]] == ["Flights"]


def test_names_are_taken_once_whatever_their_case(client: Any) -> None:
    run_in(client)
    for call, request in (
        (client.create_experiment, {"ExperimentName": "flights"}),
        (client.create_experiment, {"ExperimentName": "FLIGHTS"}),
        (client.create_trial, {"TrialName": "first", "ExperimentName": "flights"}),
        (client.create_trial_component, {"TrialComponentName": "run-1"}),
    ):
        code, message = refused(call, **request)
        assert code == "ValidationException"
        assert "already exists" in message


def test_what_is_not_there_is_not_found(client: Any) -> None:
    for call, request in (
        (client.describe_experiment, {"ExperimentName": "x"}),
        (client.create_trial, {"TrialName": "t", "ExperimentName": "x"}),
        (client.describe_trial, {"TrialName": "x"}),
        (client.update_trial_component, {"TrialComponentName": "x"}),
        (client.list_trial_components, {"TrialName": "x"}),
        (client.associate_trial_component, {"TrialName": "x", "TrialComponentName": "x"}),
    ):
        code, message = refused(call, **request)
        assert code == "ResourceNotFound"
        assert "does not exist" in message


def test_a_trial_component_keeps_what_a_run_is_about(client: Any) -> None:
    client.create_trial_component(
        TrialComponentName="run-1",
        Parameters={"depth": {"NumberValue": 3}, "kind": {"StringValue": "tree"}},
        Status={"PrimaryStatus": "InProgress"},
        StartTime=datetime(2026, 1, 1, tzinfo=UTC),
    )
    client.update_trial_component(
        TrialComponentName="run-1",
        Parameters={"depth": {"NumberValue": 4}},
        ParametersToRemove=["kind"],
        OutputArtifacts={"model": {"Value": "s3://b/m"}},
        Status={"PrimaryStatus": "Completed"},
    )
    found = client.describe_trial_component(TrialComponentName="run-1")
    assert found["Parameters"] == {"depth": {"NumberValue": 4}}
    assert found["OutputArtifacts"] == {"model": {"Value": "s3://b/m"}}
    assert found["Status"] == {"PrimaryStatus": "Completed"}
    assert found["StartTime"] == datetime(2026, 1, 1, tzinfo=UTC)


def test_components_belong_to_trials_and_are_found_by_them(client: Any) -> None:
    run_in(client)
    client.create_trial(TrialName="second", ExperimentName="flights")
    client.create_trial_component(TrialComponentName="run-2")
    for trial in ("second", "second", "first"):
        client.associate_trial_component(TrialName=trial, TrialComponentName="run-2")

    def components(**of: str) -> list[str]:
        pages = client.get_paginator("list_trial_components").paginate(
            **of, SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
        )
        return [each["TrialComponentName"] for page in pages for each in page["TrialComponentSummaries"]]

    assert components(TrialName="first") == components(ExperimentName="flights") == components() == ["run-1", "run-2"]
    assert components(TrialName="second") == ["run-2"]
    in_trials = client.list_trials(TrialComponentName="run-2")["TrialSummaries"]
    assert {each["TrialName"] for each in in_trials} == {"first", "second"}
    client.disassociate_trial_component(TrialName="second", TrialComponentName="run-2")
    assert components(TrialName="second") == []
    assert components(ExperimentName="flights") == ["run-1", "run-2"]
    assert refused(client.disassociate_trial_component, TrialName="second", TrialComponentName="run-2")[0] == (
        "ResourceNotFound"
    )
    client.disassociate_trial_component(TrialName="first", TrialComponentName="run-2")
    assert components(ExperimentName="flights") == ["run-1"]


def test_only_one_filter_is_taken(client: Any) -> None:
    run_in(client)
    assert (
        refused(client.list_trial_components, ExperimentName="flights", TrialName="first")[0] == "ValidationException"
    )
    assert refused(client.list_trials, ExperimentName="flights", TrialComponentName="run-1")[0] == "ValidationException"


def test_what_others_stand_on_is_not_deleted(client: Any) -> None:
    run_in(client)
    assert "must be deleted first" in refused(client.delete_experiment, ExperimentName="flights")[1]
    assert "must be disassociated" in refused(client.delete_trial, TrialName="first")[1]
    assert "must be disassociated" in refused(client.delete_trial_component, TrialComponentName="run-1")[1]
    client.disassociate_trial_component(TrialName="first", TrialComponentName="run-1")
    client.delete_trial_component(TrialComponentName="run-1")
    client.delete_trial(TrialName="first")
    client.delete_experiment(ExperimentName="flights")
    assert client.list_experiments()["ExperimentSummaries"] == []


def test_metrics_are_summed_up_where_the_run_is_described(wire: Wire, client: Any) -> None:
    run_in(client)
    data = [
        {"MetricName": "loss", "Value": value, "Timestamp": time.time() + n, "Step": n}
        for n, value in enumerate((3.0, 1.0, 2.0))
    ]
    wire.client("sagemaker-metrics").batch_put_metrics(TrialComponentName="run-1", MetricData=data)
    (metric,) = client.describe_trial_component(TrialComponentName="run-1")["Metrics"]
    assert (metric["MetricName"], metric["Min"], metric["Max"], metric["Last"], metric["Count"]) == ("loss", 1, 3, 2, 3)


def test_runs_are_searched_by_parent_and_parameter(client: Any) -> None:
    run_in(client)
    client.update_trial_component(TrialComponentName="run-1", Parameters={"depth": {"NumberValue": 4}})

    def search(name: str, value: str) -> list[str]:
        filters = [{"Name": name, "Operator": "Equals", "Value": value}]
        results = client.search(Resource="ExperimentTrialComponent", SearchExpression={"Filters": filters})["Results"]
        return [each["TrialComponent"]["TrialComponentName"] for each in results]

    assert search("Parents.TrialName", "first") == search("Parameters.depth.NumberValue", "4") == ["run-1"]
    assert search("Parents.ExperimentName", "other") == []


def test_a_run_takes_part_in_lineage(client: Any) -> None:
    run = client.create_trial_component(TrialComponentName="run-1")["TrialComponentArn"]
    data = client.create_artifact(ArtifactName="data", Source={"SourceUri": "s3://b/d"}, ArtifactType="DataSet")
    client.add_association(SourceArn=run, DestinationArn=data["ArtifactArn"], AssociationType="Produced")
    (edge,) = client.list_associations(SourceArn=run)["AssociationSummaries"]
    assert (edge["SourceName"], edge["DestinationName"], edge["DestinationType"]) == ("run-1", "data", "DataSet")
