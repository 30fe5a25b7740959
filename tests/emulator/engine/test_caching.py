from __future__ import annotations

import time
from typing import Any

import pytest

from emulator.engine.caching import StepCache, cache_key
from emulator.engine.definition import read_definition
from emulator.engine.errors import DefinitionError
from tests.emulator.engine.fakes import PIPELINE, World, condition, equals, processing, text_of, training

ON = {"Enabled": True, "ExpireAfter": "P30D"}
URI = {"Get": "Steps.A.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}


def source_of(world: World, arn: str, step: str) -> str | None:
    hit = world.steps(arn)[step].display.get("CacheHitResult")
    return hit["SourcePipelineExecutionArn"] if hit else None


def run(world: World, *steps: dict[str, Any], **parts: Any) -> str:
    arn = world.start([*steps], **parts)
    world.wait(arn)
    return arn


def test_a_hit_takes_over_everything_and_starts_nothing(world: World) -> None:
    data = {"InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": URI}}}]}
    steps = [processing("A", CacheConfig=ON), training("T", CacheConfig=ON, arguments=data)]
    first = run(world, *steps)
    second = run(world, *steps)
    assert len(world.sagemaker.made("CreateProcessingJob")) == len(world.sagemaker.made("CreateTrainingJob")) == 1
    for step in ("A", "T"):
        before, after = world.steps(first)[step], world.steps(second)[step]
        assert (source_of(world, first, step), source_of(world, second, step)) == (None, first)
        assert (after.status, after.metadata, after.arn) == ("Succeeded", before.metadata, before.arn)
        assert world.engine.store.properties(second, step) == world.engine.store.properties(first, step)


def test_a_hit_of_a_hit_names_the_execution_that_did_the_work(world: World) -> None:
    first, _, third = (run(world, processing("A", CacheConfig=ON)) for _ in range(3))
    assert source_of(world, third, "A") == first


@pytest.mark.parametrize(
    "changed",
    [
        {"Environment": {"A": "2"}},
        {"AppSpecification": {"ImageUri": "other:1"}},
        {"ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": "s3://bucket/b", "LocalPath": "/opt/ml/in"}}]},
    ],
)
def test_what_counts_of_a_processing_step(world: World, changed: dict[str, Any]) -> None:
    base = {"Environment": {"A": "1"}}
    run(world, processing("A", CacheConfig=ON, arguments=base))
    again = run(world, processing("A", CacheConfig=ON, arguments=base | changed))
    assert source_of(world, again, "A") is None


def test_what_does_not_count(world: World) -> None:
    first = run(world, processing("A", CacheConfig=ON), training("T", CacheConfig=ON))
    cluster = {"InstanceType": "ml.m5.4xlarge", "InstanceCount": 1, "VolumeSizeInGB": 99}
    role = {"RoleArn": "arn:aws:iam::123456789012:role/Other"}
    other = processing("A", CacheConfig=ON, arguments=role | {"ProcessingResources": {"ClusterConfig": cluster}})
    output = {"OutputDataConfig": {"S3OutputPath": "s3://elsewhere"}, "StoppingCondition": {"MaxRuntimeInSeconds": 9}}
    again = run(world, other, training("T", CacheConfig=ON, arguments=role | output))
    assert source_of(world, again, "A") == source_of(world, again, "T") == first


def test_the_order_of_members_does_not_count(world: World) -> None:
    first = run(world, processing("A", CacheConfig=ON, arguments={"Environment": {"A": "1", "B": "2"}}))
    again = run(world, processing("A", CacheConfig=ON, arguments={"Environment": {"B": "2", "A": "1"}}))
    assert source_of(world, again, "A") == first


def test_the_values_of_parameters_count_not_their_names(world: World) -> None:
    declared = [{"Name": "Depth", "Type": "Integer", "DefaultValue": 3}]
    by_parameter = training("T", CacheConfig=ON, arguments={"HyperParameters": {"d": {"Get": "Parameters.Depth"}}})
    literal = training("T", CacheConfig=ON, arguments={"HyperParameters": {"d": "3"}})
    first = run(world, by_parameter, parameters=declared)
    assert source_of(world, run(world, by_parameter, parameters=declared, given={"Depth": "4"}), "T") is None
    assert source_of(world, run(world, by_parameter, parameters=declared, given={"Depth": "3"}), "T") == first
    assert source_of(world, run(world, literal), "T") == first


def test_another_step_of_the_same_arguments_is_no_source(world: World) -> None:
    run(world, processing("A", CacheConfig=ON))
    assert source_of(world, run(world, processing("B", CacheConfig=ON)), "B") is None


def test_caching_is_off_unless_asked_for_and_a_success_without_it_counts(world: World) -> None:
    first = run(world, processing("A"))
    assert source_of(world, run(world, processing("A", CacheConfig={"Enabled": False})), "A") is None
    third = run(world, processing("A"))
    assert source_of(world, run(world, processing("A", CacheConfig=ON)), "A") == third != first


def test_failures_are_no_source_but_successes_in_failed_executions_are(world: World) -> None:
    world.sagemaker.fates = {"B": "Failed"}
    steps = [processing("A", CacheConfig=ON), processing("B", "A", CacheConfig=ON)]
    first = run(world, *steps)
    assert world.execution(first).status == "Failed"
    world.sagemaker.fates = {}
    second = run(world, *steps)
    assert (source_of(world, second, "A"), source_of(world, second, "B")) == (first, None)


def test_an_old_success_has_expired(world: World) -> None:
    old, limit = run(world, processing("A")), processing("A", CacheConfig={"Enabled": True, "ExpireAfter": "T1H"})
    age(world, 3599)
    second = run(world, limit)
    assert source_of(world, second, "A") == old, "just not expired"
    age(world, 2)
    assert source_of(world, run(world, limit), "A") is None, "a hit does not make the result younger"
    for _ in range(2):
        never = run(world, processing("A", CacheConfig={"Enabled": True}))
        age(world, 10**9)
    assert source_of(world, never, "A") is not None, "without ExpireAfter nothing expires"


def age(world: World, seconds: float) -> None:
    with world.database.transaction() as connection:
        connection.execute("UPDATE step_cache SET ended = ended - ?", (seconds,))


def test_a_condition_after_a_hit_sees_its_properties(world: World) -> None:
    check = condition("Check", [equals({"Get": "Steps.A.ProcessingJobStatus"}, "Completed")], [processing("Yes")])
    for _ in range(2):
        arn = run(world, processing("A", CacheConfig=ON), check)
    assert list(world.statuses(arn)) == ["A", "Check", "Yes"]


def test_a_deleted_pipeline_leaves_no_results(world: World) -> None:
    run(world, processing("A"))
    world.engine.store.forget_pipeline(PIPELINE)
    assert source_of(world, run(world, processing("A", CacheConfig=ON)), "A") is None


def test_many_past_results_leave_a_look_up_fast(world: World) -> None:
    cache = StepCache(world.database)
    arn = run(world, processing("A"))
    with world.database.transaction():
        for number in range(10_000):
            cache.remember(PIPELINE, "A", cache_key({"n": number}), arn, time.time())
    begun = time.process_time()
    for number in range(200):
        assert cache.find(PIPELINE, "A", cache_key({"n": number}), 0) is not None
    assert time.process_time() - begun < 0.2, "a millisecond each at most"
    plan = world.database.read(
        "EXPLAIN QUERY PLAN SELECT * FROM step_cache WHERE pipeline = '' AND step = '' AND key = ''"
    )
    assert "SEARCH" in plan[0]["detail"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"Enabled": "true"}, "Expecting a boolean. (step 'A', field CacheConfig.Enabled)"),
        ({"Enabled": True, "ExpireAfter": 30}, "Expecting a string. (step 'A', field CacheConfig.ExpireAfter)"),
        ({"Enabled": True, "ExpireAfter": "soon"}, "'soon' is not an ISO 8601 duration such as P30D, T12H or 30dT5h."),
        ({"Enabled": True, "Expires": "P1D"}, "unknown property 'Expires'. (step 'A', field CacheConfig)"),
    ],
)
def test_wrong_cache_configs_are_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read_definition(text_of([processing("A", CacheConfig=config)]))
    assert message in str(refused.value)
