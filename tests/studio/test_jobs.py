"""Jobs of every kind: their pages, their metrics as they come, and stopping them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

import pytest

from studio.aws import Aws
from studio.job_view import view_job
from studio.jobs import KINDS
from studio.remembered import Remembered
from studio.series import read_series
from studio.trials import read_trials
from studio.usage import read_usage
from tests.integration.emulators import until
from tests.integration.small_pipelines import BUCKET, IMAGE, ROLE, Runner
from tests.studio.servers import Server
from tests.studio.world import HILL, World, tune

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Answers:
    """AWS that answers each operation with the next of its answers, and keeps what was asked."""

    def __init__(self, **answers: list[Mapping[str, Any]]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.readings: Remembered[Any, Any] = Remembered(9)

    def call(self, service: str, method: str, **arguments: Any) -> Mapping[str, Any]:
        self.asked.append((method, arguments))
        queue = self.answers[method]
        return queue.pop(0) if len(queue) > 1 else queue[0]

    def logs(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        return self.call("logs", method, **arguments)

    def every(self, method: str, member: str, **arguments: Any) -> Any:
        return iter(self.call("sagemaker", method, **arguments)[member])

    @property
    def aws(self) -> Aws:
        return cast("Aws", self)


def test_a_tuning_job_shows_its_trials_the_best_first(studio: Server, world: World, runner: Runner) -> None:
    best = tune(runner, "tuned")["BestTrainingJob"]["TrainingJobName"]
    answer = studio.get("/jobs/tuning/tuned")
    table = answer.words.split("Began")[-1]
    assert table.split()[:2] == [best, "best"]
    assert f'href="/jobs/training/{best}"' in answer.text
    assert 'class="curve c0"' in answer.text
    info = studio.get("/jobs/tuning/tuned?tab=info").words
    for words in ("Objective Maximize score", "Range of x -10 to 10", "Jobs 3 at most", f"Image {HILL}"):
        assert words in info
    assert "tuned" in studio.get("/jobs?kind=tuning").words
    assert "Tuning job tuned" in studio.get("/search?q=tune").words


def test_trials_of_automl_are_its_candidates() -> None:
    candidates = [
        {"CandidateName": name, "CandidateStatus": "Completed", "FinalAutoMLJobObjectiveMetric": {"Value": value}}
        for name, value in [("a", 0.4), ("b", 0.2)]
    ]
    answers = Answers(list_candidates_for_auto_ml_job=[{"Candidates": candidates}])
    document = {"BestCandidate": {"CandidateName": "b"}, "AutoMLJobObjective": {"MetricName": "MSE"}}
    trials = read_trials(answers.aws, KINDS["automl"], "auto", document)
    assert trials is not None
    assert [trial.name for trial in trials.ranked] == ["b", "a"], "the smaller error is the better one"
    assert trials.objective == "MSE"
    assert trials.best_so_far == ((1.0, 0.4), (2.0, 0.2))


def test_a_trial_that_diverged_is_neither_good_nor_bad() -> None:
    summaries = [
        {"TrainingJobName": name, "FinalHyperParameterTuningJobObjectiveMetric": {"Value": value}}
        for name, value in [("a", 0.4), ("b", math.nan), ("c", 0.8)]
    ]
    answers = Answers(list_training_jobs_for_hyper_parameter_tuning_job=[{"TrainingJobSummaries": summaries}])
    trials = read_trials(answers.aws, KINDS["tuning"], "tuned", {"BestTrainingJob": {"TrainingJobName": "c"}})
    assert trials is not None
    assert [trial.name for trial in trials.ranked] == ["c", "a", "b"]
    assert trials.points == ((1.0, 0.4), (3.0, 0.8))


def test_a_transform_job_says_what_it_transforms() -> None:
    document = {
        "TransformJobName": "t",
        "TransformJobStatus": "Completed",
        "ModelName": "m",
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": 6,
        "TransformInput": {"DataSource": {"S3DataSource": {"S3Uri": "s3://b/in"}}, "ContentType": "text/csv"},
        "TransformOutput": {"S3OutputPath": "s3://b/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
        "CreationTime": BEGAN,
        "TransformStartTime": BEGAN + timedelta(seconds=5),
        "TransformEndTime": BEGAN + timedelta(seconds=65),
    }
    job = view_job(KINDS["transform"], document)
    assert dict(job.facts) == {
        "Model": "m",
        "Batch strategy": "MultiRecord",
        "Payload": "6 MB at most",
        "Content type": "text/csv",
    }
    assert [(a.name, a.uri) for a in (*job.inputs, *job.outputs)] == [("input", "s3://b/in"), ("output", "s3://b/out")]
    assert (job.started, job.instance, job.hosts) == (
        BEGAN + timedelta(seconds=5),
        "ml.m5.large, 2 instances",
        ["algo-1", "algo-2"],
    )


def test_spot_warm_pools_and_experiments_are_said() -> None:
    steps = ["Starting", "Training", "Interrupted", "Training", "Interrupted", "Training", "Completed"]
    job = training(
        EnableManagedSpotTraining=True,
        BillableTimeInSeconds=25,
        TrainingTimeInSeconds=100,
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
        SecondaryStatusTransitions=[{"Status": status} for status in steps],
        CheckpointConfig={"S3Uri": "s3://b/c"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "KeepAlivePeriodInSeconds": 600},
        WarmPoolStatus={"Status": "Reused", "ReusedByJob": "k", "ResourceRetainedBillableTimeInSeconds": 9},
        ExperimentConfig={"ExperimentName": "e", "TrialName": "t"},
    )
    assert dict(job.facts) == {
        "Spot": "managed spot training, 75 % saved",
        "Wait for spot": "120 s at most",
        "Interrupted": "2 times",
        "Checkpoints": "s3://b/c",
        "Kept warm": "600 s",
        "Warm pool": "Reused by k",
        "Warm pool billed": "9 s",
        "Experiment": "e · t",
        "Time limit": "60 s",
    }


def test_rules_of_the_debugger_are_shown_with_what_they_found() -> None:
    rule = {"RuleConfigurationName": "Overfit", "RuleEvaluationStatus": "IssuesFound", "StatusDetails": "at step 40"}
    job = training(DebugRuleEvaluationStatuses=[rule], SecondaryStatus="Training")
    assert dict(job.facts) == {"Rule Overfit": "IssuesFound at step 40", "Stage": "Training"}


def training(**members: Any) -> Any:
    document = {"TrainingJobName": "j", "TrainingJobStatus": "InProgress", "TrainingStartTime": BEGAN, **members}
    return view_job(KINDS["training"], document)


def test_use_of_machines_is_a_curve_for_each_host() -> None:
    times = [BEGAN + timedelta(seconds=60), BEGAN + timedelta(seconds=120)]
    results = [{"Id": f"q{n}", "Timestamps": times, "Values": [10.0 + n, 20.0]} for n in (0, 1)]
    answers = Answers(get_metric_data=[{"MetricDataResults": [*results, {"Id": "q2", "Timestamps": [], "Values": []}]}])
    job = training(ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2})
    (usage,) = read_usage(answers.aws, job, BEGAN + timedelta(minutes=3))
    assert usage.name == "CPUUtilization"
    assert usage.curves == [("algo-1", ((60.0, 10.0), (120.0, 20.0))), ("algo-2", ((60.0, 11.0), (120.0, 20.0)))]
    assert (usage.most, usage.is_short) == (20.0, False)
    query = answers.asked[0][1]["MetricDataQueries"][1]["MetricStat"]
    assert query["Metric"] == {
        "Namespace": "/aws/sagemaker/TrainingJobs",
        "MetricName": "CPUUtilization",
        "Dimensions": [{"Name": "Host", "Value": "j/algo-2"}],
    }


@pytest.mark.parametrize(("age", "length", "period"), [(1, 2, 1), (1, 30, 60), (200, 2, 60)])
def test_cloudwatch_keeps_fine_values_for_three_hours(age: int, length: int, period: int) -> None:
    answers = Answers(get_metric_data=[{"MetricDataResults": []}])
    job = training(TrainingEndTime=BEGAN + timedelta(minutes=length))
    assert read_usage(answers.aws, job, BEGAN + timedelta(minutes=max(age, length))) == []
    assert answers.asked[0][1]["MetricDataQueries"][0]["MetricStat"]["Period"] == period


def test_metrics_of_a_growing_log_are_read_on_where_they_ended() -> None:
    def page(token: str, *values: float) -> Mapping[str, Any]:
        events = [{"timestamp": int(1000 * value), "message": f"loss={value};"} for value in values]
        return {"events": events, "nextForwardToken": token}

    streams = {"logStreams": [{"logStreamName": "j/algo-1-1"}]}
    pages = [page("f/1", 1.0, 2.0), page("f/1"), page("f/2", 3.0), page("f/2")]
    answers = Answers(describe_log_streams=[streams], get_log_events=pages)
    patterns = [("loss", "loss=(.*?);"), ("broken", "(")]
    first = read_series(answers.aws, KINDS["training"], "j", patterns)
    assert [(m.name, m.curves) for m in first] == [("loss", [("algo-1", ((0.0, 1.0), (1.0, 2.0)))])]
    (later,) = read_series(answers.aws, KINDS["training"], "j", patterns)
    assert later.hosts[0].points == ((0.0, 1.0), (1.0, 2.0), (2.0, 3.0))
    tokens = [arguments["nextToken"] for method, arguments in answers.asked if method == "get_log_events"]
    assert tokens == [None, "f/1", "f/1", "f/2"]


def test_metrics_are_curves_of_every_host_from_one_zero() -> None:
    """Also of a host that was started again, on spot, which has a log of its own each time."""
    logs = {
        "j/algo-1-1": [(1000, 1.0), (2000, 2.0)],
        "j/algo-1-9": [(9000, 3.0)],
        "j/algo-2-1": [(500, 7.0), (4000, 8.0)],
    }

    class Hosts(Answers):
        def call(self, service: str, method: str, **arguments: Any) -> Mapping[str, Any]:
            if method == "describe_log_streams":
                return {"logStreams": [{"logStreamName": name} for name in logs]}
            events = [{"timestamp": t, "message": f"loss={v};"} for t, v in logs[arguments["logStreamName"]]]
            return {"events": [] if arguments["nextToken"] else events, "nextForwardToken": "f/1"}

    (metric,) = read_series(Hosts().aws, KINDS["training"], "j", [("loss", "loss=(.*?);"), ("none", "x=(.*)")])
    assert metric.curves == [
        ("algo-1", ((0.5, 1.0), (1.5, 2.0), (8.5, 3.0))),
        ("algo-2", ((0.0, 7.0), (3.5, 8.0))),
    ]


def test_logs_of_two_hosts_are_shown_by_time_and_each_alone(studio: Server, world: World, runner: Runner) -> None:
    program = "import time; [(print('part', i, flush=True), time.sleep(0.05)) for i in range(3)]"
    runner.sagemaker.create_training_job(
        TrainingJobName="pair",
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", program],
        },
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/pair"},
        ResourceConfig={"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    until(lambda: "Completed" in studio.get("/jobs/training/pair?tab=info").words)
    page = studio.get("/jobs/training/pair?stream=all")
    lines = re.findall(r'<span class="line"><b class="c(\d)">(algo-\d)</b>([^<]*)</span>', page.text)
    for number, host in (("0", "algo-1"), ("1", "algo-2")):
        own = [text for n, name, text in lines if (n, name) == (number, host)]
        assert [text for text in own if text.startswith("part")] == ["part 0", "part 1", "part 2"]
    assert "All hosts by time algo-1 algo-2" in page.words
    download = studio.get("/jobs/training/pair/log?stream=all").text
    assert "algo-1  part 0\n" in download
    assert "algo-2  part 2\n" in download
    found = studio.get("/jobs/training/pair?stream=all&find=part+1")
    assert re.findall(r'<b class="c\d">(algo-\d)</b>part 1<', found.text) in (
        ["algo-1", "algo-2"],
        ["algo-2", "algo-1"],
    )
    alone = studio.get("/jobs/training/pair")
    assert "<b class=" not in alone.text.split('role="log"')[1]


def test_a_job_is_stopped_by_the_command_that_is_shown(studio: Server, world: World, runner: Runner) -> None:
    runner.sagemaker.create_processing_job(
        ProcessingJobName="to-stop",
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["sleep", "600"]},
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        RoleArn=ROLE,
    )
    page = studio.get("/jobs/processing/to-stop?tab=info")
    assert "aws sagemaker stop-processing-job --processing-job-name to-stop" in page.words
    assert "to-stop" in studio.get("/jobs?kind=processing&status=InProgress").words
    assert studio.post("/jobs/processing/to-stop/stop", {}).status == 403
    assert studio.post("/jobs/processing/to-stop/stop", {"csrf": page.csrf}).location == "/jobs/processing/to-stop"
    until(lambda: "Stopped" in studio.get("/jobs/processing/to-stop").words)
    assert "/stop" not in studio.get("/jobs/processing/to-stop").text
    again = studio.post("/jobs/processing/to-stop/stop", {"csrf": page.csrf})
    assert again.status in (303, 422), "AWS's answer is shown, whatever it is"


def test_metrics_are_drawn_while_the_job_runs(studio: Server, world: World, runner: Runner) -> None:
    program = "import time;[(print(f'loss={1/(i+1)};', flush=True), time.sleep(0.1)) for i in range(600)]"
    runner.sagemaker.create_training_job(
        TrainingJobName="live",
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", program],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*?);"}],
        },
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/live"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    drawn = (line for line in studio.events("/live?for=/jobs/training/live%3Ftab%3Dmetrics") if "curve c0" in line)
    first, second = next(drawn), next(drawn)
    assert first != second, "the curve has grown"
    runner.sagemaker.stop_training_job(TrainingJobName="live")


def test_lines_are_found_in_a_log(studio: Server, world: World, runner: Runner) -> None:
    runner.sagemaker.create_processing_job(
        ProcessingJobName="chatty",
        AppSpecification={
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "-c", "for i in range(900): print('line', i, 'a \"b\" \\\\c')"],
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        RoleArn=ROLE,
    )
    until(lambda: "Completed" in studio.get("/jobs/processing/chatty").words)
    found = studio.get("/jobs/processing/chatty?find=line+17")
    assert found.text.count('class="line"') == 11, "17 and 170 to 179"
    assert 'value="line 17"' in found.text
    wanted = quote('a "b" ' + chr(92) + "c")
    quoted = studio.get(f"/jobs/processing/chatty?find={wanted}")
    assert quoted.text.count('class="line"') == 200
    on = re.findall(r'href="([^"]+)">Look on', quoted.text)[0].replace("&amp;", "&")
    assert "line 200 " in studio.get(on).words
    assert "No line contains “nothing of this”." in studio.get("/jobs/processing/chatty?find=nothing+of+this").words
