"""Use of machines whose names only their log streams tell."""

from __future__ import annotations

from datetime import timedelta

from studio.job_view import view_job
from studio.jobs import KINDS
from studio.usage import read_usage
from tests.studio.test_jobs import BEGAN, Answers

INSTANCE = "i-0123456789abcdef0"


def test_machines_of_a_transform_job_go_by_their_ids() -> None:
    document = {"TransformJobName": "t", "TransformJobStatus": "Completed", "TransformStartTime": BEGAN}
    names = [f"t/{INSTANCE}-1767225600", f"t/{INSTANCE}-1767225600/data-log", f"t/{INSTANCE[:-1]}1-1767225600/first"]
    result = {"Id": "q1", "Timestamps": [BEGAN + timedelta(seconds=5)], "Values": [12.0]}
    answers = Answers(
        describe_log_streams=[{"logStreams": [{"logStreamName": name} for name in names]}],
        get_metric_data=[{"MetricDataResults": [result]}],
    )
    (usage,) = read_usage(answers.aws, view_job(KINDS["transform"], document), BEGAN + timedelta(minutes=1))
    assert usage.curves == [(f"{INSTANCE[:-1]}1", ((5.0, 12.0),))]
    metric = answers.asked[1][1]["MetricDataQueries"][0]["MetricStat"]["Metric"]
    assert metric["Namespace"] == "/aws/sagemaker/TransformJobs"
    assert metric["Dimensions"] == [{"Name": "Host", "Value": f"t/{INSTANCE}"}]


def test_a_transform_job_that_has_said_nothing_has_no_machines() -> None:
    document = {"TransformJobName": "t", "TransformJobStatus": "InProgress", "TransformStartTime": BEGAN}
    answers = Answers(describe_log_streams=[{"logStreams": []}])
    assert read_usage(answers.aws, view_job(KINDS["transform"], document), BEGAN + timedelta(minutes=1)) == []
