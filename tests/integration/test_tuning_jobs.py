"""Tuning jobs with real training jobs, each a few milliseconds long."""

import itertools

import pytest
from botocore.exceptions import ClientError

from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET, ROLE

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/hill:1"
METRIC = {"Name": "score", "Regex": "score=(.*?);"}
CONTINUOUS = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "-10", "MaxValue": "10"}]}
ENDED = ("Completed", "Failed", "Stopped")


def definition(static=None, **members):
    return {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [METRIC],
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/tuned"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "StaticHyperParameters": static or {},
        **members,
    }


class Desk:
    def __init__(self, runner):
        self.sagemaker = runner.sagemaker

    def start(self, name, jobs=4, parallel=2, strategy="Random", ranges=None, static=None, request=None, **config):
        limits = {"MaxParallelTrainingJobs": parallel} | ({"MaxNumberOfTrainingJobs": jobs} if jobs else {})
        config = {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": limits,
            "ParameterRanges": CONTINUOUS if ranges is None else ranges,
            "RandomSeed": 7,
            **config,
        }
        members = {"HyperParameterTuningJobConfig": config, "TrainingJobDefinition": definition(static)}
        request = {"HyperParameterTuningJobName": name, **members, **(request or {})}
        self.sagemaker.create_hyper_parameter_tuning_job(
            **{key: value for key, value in request.items() if value is not None}
        )

    def describe(self, name):
        return self.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def ended(self, name, seconds=40):
        def probe():
            job = self.describe(name)
            return job if job["HyperParameterTuningJobStatus"] in ENDED else None

        return until(probe, seconds, 0.02)

    def run(self, name, status="Completed", **members):
        self.start(name, **members)
        job = self.ended(name)
        assert job["HyperParameterTuningJobStatus"] == status, job.get("FailureReason")
        return job

    def launched(self, name, **members):
        return self.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name, **{"MaxResults": 100, **members}
        )["TrainingJobSummaries"]


@pytest.fixture(scope="module")
def desk(runner):
    return Desk(runner)


def x_of(summary):
    return float(summary["TunedHyperParameters"]["x"])


def score_of(summary):
    return summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]


def test_random_search_to_its_end(desk):
    job = desk.run("random", jobs=5)
    launched = desk.launched("random")
    assert [summary["TrainingJobName"][:10] for summary in launched] == [f"random-00{n}" for n in range(1, 6)]
    assert all(score_of(s) == pytest.approx(-((x_of(s) - 3) ** 2) - 1, abs=1e-3) for s in launched)
    best = max(launched, key=score_of)
    assert job["BestTrainingJob"] == best
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Type"] == "Maximize"
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 5, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 0,
    }  # fmt: skip
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}
    ordered = desk.launched("random", SortBy="FinalObjectiveMetricValue", SortOrder="Descending", MaxResults=3)
    assert ordered == sorted(launched, key=score_of, reverse=True)[:3]
    training = desk.sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    assert training["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert training["HyperParameters"] == {"_tuning_objective_metric": "score", **best["TunedHyperParameters"]}


def test_an_equal_seed_tries_equal_values(desk):
    for name in ("again", "and-again"):
        desk.run(name, jobs=3, parallel=1)
    one, other = ([s["TunedHyperParameters"] for s in desk.launched(name)] for name in ("again", "and-again"))
    assert one == other
    assert len({tuple(values.items()) for values in one}) == 3


def test_never_more_at_a_time_than_asked(desk):
    desk.start("parallel", jobs=6, parallel=2, static={"seconds": "0.1"})
    seen = set()
    while desk.describe("parallel")["HyperParameterTuningJobStatus"] == "InProgress":
        seen.add(len(desk.launched("parallel", StatusEquals="InProgress")))
    assert max(seen) == 2


def test_grid_tries_every_combination_once(desk):
    choices = {
        "CategoricalParameterRanges": [
            {"Name": "x", "Values": ["1", "3", "5"]},
            {"Name": "epochs", "Values": ["1", "2"]},
        ]
    }
    job = desk.run("grid", jobs=None, parallel=3, strategy="Grid", ranges=choices)
    tried = [tuple(summary["TunedHyperParameters"].values()) for summary in desk.launched("grid")]
    assert sorted(tried) == sorted(itertools.product(["1", "3", "5"], ["1", "2"]))
    assert job["BestTrainingJob"]["TunedHyperParameters"] == {"x": "3", "epochs": "2"}


def test_bayesian_search_comes_close_to_the_best(desk):
    job = desk.run("bayesian", jobs=14, parallel=2, strategy="Bayesian")
    assert abs(x_of(job["BestTrainingJob"]) - 3) < 1
    chosen = desk.launched("bayesian")[6:]
    assert sum(abs(x_of(summary) - 3) < 3 for summary in chosen) >= 3


def test_minimising(desk):
    objective = {"Type": "Minimize", "MetricName": "score"}
    job = desk.run("minimise", HyperParameterTuningJobObjective=objective)
    assert score_of(job["BestTrainingJob"]) == min(map(score_of, desk.launched("minimise")))


def test_a_target_ends_a_tuning_job_and_stops_the_rest(desk):
    choices = {"CategoricalParameterRanges": [{"Name": "seconds", "Values": ["0", "30"]}]}
    static = {"x": "3"}
    criteria = {"TargetObjectiveMetricValue": -2.0}
    job = desk.run("target", jobs=20, parallel=2, ranges=choices, static=static, TuningJobCompletionCriteria=criteria)
    counters = job["TrainingJobStatusCounters"]
    assert counters["Completed"] >= 1
    assert counters["InProgress"] == 0
    assert sum(counters.values()) < 20


def test_no_better_ones_any_more(desk):
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    choices = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["1"]}]}
    job = desk.run("stuck", jobs=20, parallel=1, ranges=choices, TuningJobCompletionCriteria=criteria)
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 4
    assert job["TuningJobCompletionDetails"]["NumberOfTrainingJobsObjectiveNotImproving"] == 3


def test_hyperband_gives_the_better_ones_longer(desk):
    strategy = {"HyperbandStrategyConfig": {"MinResource": 2, "MaxResource": 6}}
    choices = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["3", "4", "5", "6", "7", "8"]}]}
    static = {"epochs": "6", "seconds": "0.6"}
    job = desk.run(
        "hyperband", jobs=6, parallel=6, strategy="Hyperband", ranges=choices, static=static, StrategyConfig=strategy
    )
    assert job["TrainingJobStatusCounters"]["Stopped"] >= 2
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 6
    worst = min(desk.launched("hyperband"), key=score_of)
    assert worst["TrainingJobStatus"] == "Stopped"


def test_early_stopping_by_the_median(desk):
    choices = {
        "CategoricalParameterRanges": [{"Name": "x", "Values": ["3", "9"]}, {"Name": "seconds", "Values": ["0.25"]}]
    }
    desk.start(
        "median", jobs=8, parallel=1, ranges=choices, static={"epochs": "3"}, TrainingJobEarlyStoppingType="Auto"
    )
    job = desk.ended("median")
    worse = [summary for summary in desk.launched("median") if x_of(summary) == 9]
    assert job["TrainingJobStatusCounters"]["Stopped"] >= 1
    assert any(summary["TrainingJobStatus"] == "Stopped" for summary in worse)
    assert all(s["TrainingJobStatus"] == "Completed" for s in desk.launched("median") if x_of(s) == 3)


@pytest.mark.parametrize(
    ("mode", "jobs", "reason"),
    [
        (
            "broken",
            2,
            "All training jobs failed. Please take a look at the training jobs failures to get more details.",
        ),
        ("broken", 9, "No training job succeeded after 5 attempts."),
        ("silent", 2, "No objective metrics found after running 2 training jobs."),
    ],
)
def test_a_tuning_job_without_any_success(desk, mode, jobs, reason):
    name = f"{mode}-{jobs}"
    job = desk.run(name, "Failed", jobs=jobs, parallel=1, static={"mode": mode})
    assert job["FailureReason"].startswith(reason)
    assert sum(job["TrainingJobStatusCounters"].values()) == min(jobs, 5)
    assert "BestTrainingJob" not in job


def test_stopping(desk):
    desk.start("stopping", jobs=8, static={"seconds": "60"})
    until(lambda: len(desk.launched("stopping")) == 2, 10)
    desk.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopping")
    job = desk.ended("stopping")
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2
    with pytest.raises(ClientError, match="in status Stopped"):
        desk.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="stopping")


def test_a_training_job_that_is_refused_fails_the_tuning_job(desk):
    refused = definition(InputDataConfig=[
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/nothing/"}},
        }
    ])  # fmt: skip
    job = desk.run("refused", "Failed", request={"TrainingJobDefinition": refused})
    assert "No S3 objects found under S3 URL" in job["FailureReason"]


def test_several_definitions_take_turns(desk):
    objective = {"Type": "Maximize", "MetricName": "score"}
    several = [
        definition(DefinitionName=name, TuningObjective=objective, HyperParameterRanges=CONTINUOUS)
        for name in ("one", "two")
    ]
    desk.start(
        "several",
        jobs=4,
        ranges={},
        request={"TrainingJobDefinition": None, "TrainingJobDefinitions": several},
    )
    desk.ended("several")
    launched = desk.launched("several")
    assert sorted(summary["TrainingJobDefinitionName"] for summary in launched) == ["one", "one", "two", "two"]


def test_a_warm_start_knows_what_the_parents_reached(desk):
    choices = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["3"]}]}
    parent = desk.run("parent", jobs=1, parallel=1, ranges=choices)
    warm = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    child = desk.run("child", jobs=2, request={"WarmStartConfig": warm})
    assert score_of(child["BestTrainingJob"]) < score_of(parent["BestTrainingJob"])
    assert child["OverallBestTrainingJob"]["TrainingJobName"] == parent["BestTrainingJob"]["TrainingJobName"]
    assert child["OverallBestTrainingJob"]["TuningJobName"] == "parent"
    assert child["WarmStartConfig"] == warm


def test_transfer_learning_goes_on_with_another_image_and_other_ranges(desk):
    desk.run("elder", jobs=2, ranges={"CategoricalParameterRanges": [{"Name": "x", "Values": ["2", "3"]}]})
    parents = [{"HyperParameterTuningJobName": "elder"}]
    warm = {"ParentHyperParameterTuningJobs": parents, "WarmStartType": "TransferLearning"}
    changed = definition({"epochs": "2"})
    changed["AlgorithmSpecification"]["TrainingImage"] = IMAGE.replace(":1", ":2")
    members = {"WarmStartConfig": warm, "TrainingJobDefinition": changed}
    child = desk.run("heir", jobs=2, strategy="Bayesian", request=members)
    assert child["WarmStartConfig"] == warm
    assert child["TrainingJobStatusCounters"]["Completed"] == 2
    assert "OverallBestTrainingJob" not in child


def test_another_image_is_no_identical_algorithm(desk):
    desk.run("same-parent", jobs=1, parallel=1)
    parents = [{"HyperParameterTuningJobName": "same-parent"}]
    warm = {"ParentHyperParameterTuningJobs": parents, "WarmStartType": "IdenticalDataAndAlgorithm"}
    changed = definition()
    changed["AlgorithmSpecification"]["TrainingImage"] = IMAGE.replace(":1", ":2")
    with pytest.raises(ClientError, match="needs the training image of parent same-parent; use TransferLearning"):
        desk.start("other-image", request={"WarmStartConfig": warm, "TrainingJobDefinition": changed})


def test_training_jobs_are_listed_in_every_order(desk):
    desk.run("ordered", jobs=4)
    every = desk.launched("ordered")
    assert [s["TrainingJobName"] for s in every] == sorted(s["TrainingJobName"] for s in every)
    keys = {
        "Name": lambda s: s["TrainingJobName"],
        "CreationTime": lambda s: s["CreationTime"],
        "FinalObjectiveMetricValue": score_of,
    }
    for by, key in keys.items():
        listed = [key(s) for s in desk.launched("ordered", SortBy=by, SortOrder="Descending")]
        assert listed == sorted(map(key, every), reverse=True)
    call = desk.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job
    page = call(HyperParameterTuningJobName="ordered", MaxResults=3)
    rest = call(HyperParameterTuningJobName="ordered", MaxResults=3, NextToken=page["NextToken"])
    assert [*page["TrainingJobSummaries"], *rest["TrainingJobSummaries"]] == every
    assert desk.launched("ordered", StatusEquals="Failed") == []


def test_tuning_jobs_are_listed(desk):
    for name in ("listed-b", "listed-a"):
        desk.run(name, jobs=1, parallel=1)
    call = desk.sagemaker.list_hyper_parameter_tuning_jobs

    def names(**members):
        found = call(NameContains="listed-", **members)["HyperParameterTuningJobSummaries"]
        return [summary["HyperParameterTuningJobName"] for summary in found]

    assert names(SortBy="Name", SortOrder="Ascending") == ["listed-a", "listed-b"]
    assert names(SortBy="CreationTime", SortOrder="Ascending") == ["listed-b", "listed-a"]
    assert names(StatusEquals="Stopped") == []


def test_a_tuning_job_that_is_deleted_begins_anew(desk):
    desk.run("deleted", jobs=2)
    (kept, *_) = desk.launched("deleted")
    desk.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="deleted")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        desk.describe("deleted")
    assert desk.sagemaker.describe_training_job(TrainingJobName=kept["TrainingJobName"])
    desk.run("deleted", jobs=1, parallel=1)
    assert len(desk.launched("deleted")) == 1
    desk.start("deleting", jobs=2, static={"seconds": "0.5"})
    with pytest.raises(ClientError, match="is in status InProgress"):
        desk.sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="deleting")
    desk.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="deleting")
    desk.ended("deleting")


@pytest.mark.timeout(400)
def test_autotune_takes_the_recommended_ranges_of_xgboost(desk):
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    single = definition({"num_round": "1", "eta": "0.3"})
    single["AlgorithmSpecification"] = {"TrainingImage": image, "TrainingInputMode": "File"}
    request = {"TrainingJobDefinition": single, "Autotune": {"Mode": "Enabled"}}
    objective = {"Type": "Minimize", "MetricName": "validation:rmse"}
    desk.start("autotuned", ranges={}, request=request, HyperParameterTuningJobObjective=objective)
    desk.sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="autotuned")
    ranges = desk.describe("autotuned")["HyperParameterTuningJobConfig"]["ParameterRanges"]
    named = {item["Name"]: (item["MinValue"], item["MaxValue"]) for kind in ranges.values() for item in kind}
    assert named["subsample"] == ("0.5", "1")
    assert {"eta", "num_round"}.isdisjoint(named)
    desk.ended("autotuned", 300)  # its training job first builds the image, on a machine that has not built it before
    with pytest.raises(ClientError, match="does not have ranges for this algorithm; give ParameterRanges"):
        desk.start("not-autotuned", ranges={}, request={"Autotune": {"Mode": "Enabled"}})


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 3}}}, "not supported for the Random strategy"),
        (
            {
                "strategy": "Hyperband",
                "StrategyConfig": {"HyperbandStrategyConfig": {"MinResource": 5, "MaxResource": 3}},
            },
            "MinResource 5 must be at least 1 and at most MaxResource 3",
        ),
        ({"strategy": "Grid"}, "Grid search supports only categorical"),
        ({"strategy": "Hyperband"}, "MaxResource must be given"),
        ({"jobs": 2, "parallel": 3}, "must be at least MaxParallelTrainingJobs"),
        ({"ranges": {}}, "at least one hyperparameter"),
        ({"static": {"x": "1"}}, "must not be both static and tuned"),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "other"}},
            "A metric is required for this hyperparameter tuning job objective",
        ),
    ],
)
def test_a_tuning_job_that_cannot_be_is_refused(desk, members, message):
    with pytest.raises(ClientError, match=message):
        desk.start("never", **members)


def test_names_are_unique(desk):
    desk.run("unique", jobs=1, parallel=1)
    with pytest.raises(ClientError, match="ResourceInUse"):
        desk.start("unique", jobs=1, parallel=1)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        desk.describe("not-there")


def test_a_kill_makes_no_training_job_twice_and_loses_none(own_emulator):
    own_emulator.start()
    from tests.integration.small_pipelines import Runner

    desk = Desk(Runner(own_emulator))
    desk.start("killed", jobs=6, parallel=2, static={"seconds": "0.3"})
    until(lambda: desk.describe("killed")["TrainingJobStatusCounters"]["Completed"] >= 1, 20)
    own_emulator.kill()
    own_emulator.start()
    desk = Desk.__new__(Desk)
    desk.sagemaker = own_emulator.client("sagemaker")
    job = desk.ended("killed")
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    names = [summary["TrainingJobName"] for summary in desk.launched("killed")]
    everything = desk.sagemaker.list_training_jobs(MaxResults=100)["TrainingJobSummaries"]
    assert sorted(summary["TrainingJobName"] for summary in everything) == sorted(names)
    assert [name.split("-")[1] for name in names] == [f"00{n}" for n in range(1, 7)]
    assert job["TrainingJobStatusCounters"]["Completed"] == 6
