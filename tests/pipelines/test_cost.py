from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.cost import TABLE, as_document, expected_costs, hourly_price, job_cost, lines, planned_costs
from pipelines.definition import parameters, steps
from tests.pipelines.checks.cases import tiny


def test_the_table_says_when_and_where_its_prices_are_from() -> None:
    table = json.loads(TABLE.read_text())
    assert {"as_of", "region", "source", "currency", "note"} <= set(table)
    assert all(price > 0 for price in table["prices"].values())


@pytest.mark.parametrize(
    ("instance", "price"),
    [
        ("ml.m5.xlarge", 0.23),
        ("ml.m5.large", 0.115),
        ("ml.m5.4xlarge", 0.92),
        ("ml.g5.16xlarge", None),  # sizes with accelerators do not cost in proportion
        ("ml.m5.metal", None),
        ("ml.z9.large", None),
    ],
)
def test_prices_by_type(instance: str, price: float | None) -> None:
    assert hourly_price(instance) == (None if price is None else pytest.approx(price))


def test_before_a_run_each_job_has_its_price_per_hour(tmp_path: Path) -> None:
    definition = tiny(tmp_path).subject().definition
    definition["Parameters"].append({"Name": "Size", "Type": "String", "DefaultValue": "ml.m5.2xlarge"})
    definition["Steps"][1]["Arguments"]["ResourceConfig"] = {
        "InstanceType": {"Get": "Parameters.Size"},
        "InstanceCount": 2,
    }
    found = planned_costs(steps(definition), parameters(definition))
    assert [(cost.step, cost.instance, cost.count, cost.price) for cost in found] == [
        ("Prepare", "ml.m5.large", 1, pytest.approx(0.115)),
        ("Train", "ml.m5.2xlarge", 2, pytest.approx(0.46)),
    ]
    printed = "\n".join(lines(found))
    assert "0.92" in printed
    assert "Estimate: prices of 2025-01-26" in printed
    assert as_document(found)["estimate"] is True


def test_after_a_run_billed_seconds_count_and_a_cached_step_is_free() -> None:
    begun = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    resources = {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2}}
    billed = job_cost("Train", resources | {"BillableTimeInSeconds": 1800})
    assert billed is not None
    assert billed.dollars == pytest.approx(0.23)
    times = {"ProcessingStartTime": begun, "ProcessingEndTime": begun + timedelta(hours=1)}
    cluster = {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}}}
    timed, cached = job_cost("Prepare", cluster | times), job_cost("Prepare", cluster | times, cached=True)
    assert timed is not None
    assert cached is not None
    assert (timed.dollars, cached.dollars) == (pytest.approx(0.23), 0.0)
    assert job_cost("Check", {}) is None
    assert "Total  0.2300 USD" in lines([timed, cached])


def test_a_run_to_come_takes_the_hours_of_a_past_one(tmp_path: Path) -> None:
    definition = tiny(tmp_path).subject().definition
    planned = planned_costs(steps(definition), parameters(definition))
    resources = {"ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1}}
    past = [job_cost("Train", resources | {"BillableTimeInSeconds": 3600}), job_cost("Prepare", resources, cached=True)]
    found = expected_costs(planned, [cost for cost in past if cost])
    assert [(cost.step, cost.hours, cost.dollars) for cost in found] == [
        ("Prepare", None, None),
        ("Train", 1.0, pytest.approx(0.115)),
    ]
    assert "On the emulator the same run costs 0.0000 USD and 3600.0 seconds of jobs." in lines(found)
