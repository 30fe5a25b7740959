from datetime import UTC, datetime, timedelta

import pytest

from emulator.aws.errors import AwsError, NotImplementedHere, ResourceInUse, ResourceLimitExceeded, ValidationException
from tests.emulator.jobs.world import IMAGE, ROLE, World, outputs, s3_input, s3_output, until


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def test_the_request_is_described_back_with_the_state_of_the_job(world):
    tags = [{"Key": "team", "Value": "flights"}]
    answer = world.processing("Echo-Job", "true", Environment={"A": "1"}, Tags=tags)
    arn = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/Echo-Job"
    assert answer == {"ProcessingJobArn": arn}
    job = world.processed("Echo-Job")
    assert (job["ProcessingJobName"], job["ProcessingJobArn"], job["RoleArn"]) == ("Echo-Job", arn, ROLE)
    assert job["AppSpecification"] == {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", "true"]}
    assert job["Environment"] == {"A": "1"}
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert job["LastModifiedTime"] >= job["CreationTime"]
    assert "Tags" not in job
    assert world.resources.tags(arn) == tags


def test_a_taken_name_is_refused_in_the_words_of_aws(world):
    world.processing("twice", "true")
    with pytest.raises(ResourceInUse) as caught:
        world.processing("twice", "false")
    assert caught.value.message == (
        "Job name must be unique within an AWS account and region, and a job with this name already exists"
        " (arn:aws:sagemaker:us-east-1:123456789012:processing-job/twice)"
    )


@pytest.mark.parametrize("operation", ["DescribeProcessingJob", "StopProcessingJob", "DeleteProcessingJob"])
def test_an_unknown_job_is_a_validation_error(world, operation):
    with pytest.raises(ValidationException, match=r"^Could not find requested job with name: nobody$"):
        world.call(operation, ProcessingJobName="nobody")


def test_lists_are_filtered_sorted_and_paged(world):
    for name in ("b-job", "a-job", "c-other"):
        world.processing(name, "exit 1" if name == "a-job" else "true")
        world.processed(name, ("Completed", "Failed"))

    def listed(**request):
        answer = world.call("ListProcessingJobs", **request)
        return [job["ProcessingJobName"] for job in answer["ProcessingJobSummaries"]], answer["NextToken"]

    assert listed() == (["b-job", "a-job", "c-other"], None)
    assert listed(SortBy="Name", SortOrder="Descending")[0] == ["c-other", "b-job", "a-job"]
    assert listed(NameContains="job")[0] == ["b-job", "a-job"]
    assert listed(StatusEquals="Failed")[0] == ["a-job"]
    now = datetime.now(UTC)
    assert listed(CreationTimeAfter=now + timedelta(hours=1))[0] == []
    assert len(listed(CreationTimeAfter=now - timedelta(hours=1))[0]) == 3
    first, token = listed(MaxResults=2)
    assert first + listed(MaxResults=2, NextToken=token)[0] == ["b-job", "a-job", "c-other"]
    (failed,) = world.call("ListProcessingJobs", StatusEquals="Failed")["ProcessingJobSummaries"]
    assert failed["FailureReason"] == "AlgorithmError: , exit code: 1"


def test_a_finished_job_cannot_be_stopped_but_deleted(world):
    world.processing("done", "true")
    world.processed("done")
    with pytest.raises(ValidationException, match=r"rejected because the processing job is in status Completed\."):
        world.call("StopProcessingJob", ProcessingJobName="done")
    world.call("DeleteProcessingJob", ProcessingJobName="done")
    with pytest.raises(ValidationException):
        world.call("DescribeProcessingJob", ProcessingJobName="done")


def test_a_running_job_cannot_be_deleted(world):
    world.processing("busy", "echo ready; sleep 60")
    until(lambda: world.log("Processing", "busy"))
    with pytest.raises(ResourceInUse, match="Only a processing job that is Completed, Failed or Stopped"):
        world.call("DeleteProcessingJob", ProcessingJobName="busy")


def test_a_job_whose_input_is_a_query_exists_and_fails_by_field(world):
    dataset = {"LocalPath": f"{IN}/add", "AthenaDatasetDefinition": {}}
    world.processing("queries", "true", ProcessingInputs=[{"InputName": "a", "DatasetDefinition": dataset}])
    job = world.processed("queries", "Failed")
    assert job["FailureReason"] == (
        "ClientError: Data download failed: ProcessingInputs[a].DatasetDefinition: the emulator does not have Athena"
        " and Redshift datasets yet."
    )


CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
IN, OUT = "/opt/ml/processing/in", "/opt/ml/processing/out"


@pytest.mark.parametrize(
    ("members", "error", "message"),
    [
        ({"ProcessingResources": {"ClusterConfig": {**CLUSTER, "InstanceCount": 21}}}, ResourceLimitExceeded,
         "^The account-level service limit 'Number of instances for a processing job' is 20 Instances, with current"
         " utilization of 0 Instances and a request delta of 21 Instances.*EMULATOR_MAX_HOSTS_PER_JOB"),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", IN, S3CompressionType="Gzip")]}, ValidationException,
         "Input a: S3CompressionType Gzip can only be used with S3InputMode Pipe"),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", "/tmp/x")]}, ValidationException,
         "LocalPath /tmp/x of input a must be an absolute path below /opt/ml/processing/"),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", f"{IN}/../../x")]}, ValidationException, "absolute"),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", "")]}, ValidationException,
         'Input a missing one or more required fields for SageMaker-managed S3Input: "LocalPath"'),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", IN), s3_input("b", "s3://b/k", f"{IN}/")]},
         ValidationException, "each LocalPath must be unique"),
        ({"ProcessingInputs": [s3_input("a", "s3://b/k", IN), s3_input("a", "s3://b/k", OUT)]},
         ValidationException, "each InputName must be unique, but a"),
        ({"ProcessingInputs": [s3_input("a", "https://b/k", IN)]}, ValidationException, "Invalid S3 URI"),
        ({"ProcessingOutputConfig": outputs(s3_output("o", "/opt/ml/model", "s3://b/k"))}, ValidationException,
         "LocalPath /opt/ml/model of output o"),
        ({"ProcessingOutputConfig": outputs({"OutputName": "o", "FeatureStoreOutput": {"FeatureGroupName": "g"}})},
         NotImplementedHere, "feature group"),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_honoured_are_refused_by_field(world, members, error, message):
    with pytest.raises(error, match=message):
        world.processing("refused", "true", **members)
    with pytest.raises(AwsError):
        world.call("DescribeProcessingJob", ProcessingJobName="refused")
