import pytest

from emulator.aws.errors import NotImplementedHere, ResourceInUse, ResourceLimitExceeded, ValidationException
from tests.emulator.jobs.world import IMAGE, ROLE, World, channel

ALGORITHM = {"TrainingImage": IMAGE, "TrainingInputMode": "File", "ContainerEntrypoint": ["true"]}
RESOURCES = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
GROUPS = [{"InstanceGroupName": name, "InstanceType": "ml.m5.large", "InstanceCount": 1} for name in "ab"]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    made.put("train/x", b"1")
    yield made
    made.close()


def test_the_request_is_described_back_with_the_state_of_the_job(world):
    request = {
        "HyperParameters": {"eta": "0.3"},
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90},
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        "DebugHookConfig": {"S3OutputPath": "s3://data/debug"},
    }
    world.training("echo", "true", {"train": "s3://data/train/"}, **request)
    job = world.trained("echo")
    assert {name: job[name] for name in request} == request
    assert job["TrainingJobArn"] == "arn:aws:sagemaker:us-east-1:123456789012:training-job/echo"
    assert job["EnableNetworkIsolation"] is False
    whole = channel("train", "s3://data/train/", S3DataDistributionType="FullyReplicated")
    assert job["InputDataConfig"] == [whole | {"CompressionType": "None", "RecordWrapperType": "None"}]
    assert job["AlgorithmSpecification"]["EnableSageMakerMetricsTimeSeries"] is False
    assert job["OutputDataConfig"]["KmsKeyId"] == ""


def test_a_taken_name_is_refused_in_the_words_of_aws(world):
    world.training("twice", "true")
    with pytest.raises(ResourceInUse, match="Training job names must be unique within an AWS account and region"):
        world.training("twice", "true")


@pytest.mark.parametrize("operation", ["DescribeTrainingJob", "StopTrainingJob", "DeleteTrainingJob"])
def test_an_unknown_job_is_a_validation_error(world, operation):
    with pytest.raises(ValidationException, match=r"^Requested resource not found\.$"):
        world.call(operation, TrainingJobName="nobody")


def test_summaries_tell_both_statuses(world):
    world.training("one", "true")
    world.trained("one")
    (summary,) = world.call("ListTrainingJobs")["TrainingJobSummaries"]
    assert (summary["TrainingJobStatus"], summary["SecondaryStatus"]) == ("Completed", "Completed")
    assert summary["TrainingEndTime"] > summary["CreationTime"]


def test_a_channel_without_data_is_refused_as_aws_does(world):
    with pytest.raises(ValidationException) as caught:
        world.training("hungry", "true", {"train": "s3://data/nothing"})
    assert caught.value.message == (
        'No S3 objects found under S3 URL "s3://data/nothing" given in input data source. Please ensure that the bucket'
        " exists in the selected region (us-east-1), that objects exist under that S3 prefix, and that the role"
        f' "{ROLE}" has "s3:ListBucket" permissions on bucket "data".'
    )


def test_a_finished_job_can_be_deleted(world):
    world.training("done", "true")
    world.trained("done")
    world.call("DeleteTrainingJob", TrainingJobName="done")
    assert world.call("ListTrainingJobs")["TrainingJobSummaries"] == []


def source(**members):
    return {"InputDataConfig": [channel("train", "s3://data/train/", **members)]}


def channels(**members):
    return {"InputDataConfig": [channel("train", "s3://data/train/") | members]}


FILES = {"FileSystemId": "fs-12345678", "FileSystemAccessMode": "ro", "FileSystemType": "EFS", "DirectoryPath": "/"}


@pytest.mark.parametrize(
    ("members", "error", "message"),
    [
        ({"ResourceConfig": {**RESOURCES, "InstanceCount": 21}}, ResourceLimitExceeded,
         "'Number of instances for a training job' is 20 Instances.*request delta of 21 Instances"),
        ({"ResourceConfig": {"InstanceGroups": GROUPS, "InstanceCount": 1, "VolumeSizeInGB": 1}}, ValidationException,
         "must not have both InstanceGroups and"),
        ({"ResourceConfig": {"InstanceGroups": GROUPS[:1] * 2, "VolumeSizeInGB": 1}}, ValidationException,
         "each InstanceGroupName must be unique"),
        ({"ResourceConfig": {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1}, **source(InstanceGroupNames=["c"])},
         ValidationException, r"InstanceGroupNames: \['c'\] is none of the InstanceGroups of ResourceConfig"),
        ({"ResourceConfig": {"InstanceGroups": GROUPS, "VolumeSizeInGB": 1},
          "InputDataConfig": [channel("a", "s3://data/train/", InstanceGroupNames=["a"]),
                              channel("b", "s3://data/train/")]},
         ValidationException, "either all channels or none"),
        ({"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"}}, NotImplementedHere,
         "AlgorithmSpecification.AlgorithmName"),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, ValidationException, "TrainingImage"),
        (channels(CompressionType="Gzip"), ValidationException,
         "^Invalid compression type for channel train: File mode only supports NONE, got Gzip instead$"),
        (channels(InputMode="FastFile", RecordWrapperType="RecordIO"), ValidationException,
         "^Invalid record wrapper type for channel train: FastFile mode only supports NONE, got RecordIO instead$"),
        (source(S3DataType="Converse"), NotImplementedHere, "S3DataType.*Converse"),
        ({"InputDataConfig": [{"ChannelName": "train", "DataSource": {"FileSystemDataSource": FILES}}]},
         NotImplementedHere, r"InputDataConfig\[train\].DataSource.FileSystemDataSource"),
        ({"AlgorithmSpecification": {**ALGORITHM, "MetricDefinitions": [{"Name": "m", "Regex": "("}]}},
         ValidationException, "the Regex of m is not a regular expression"),
        (source(S3DataType="AugmentedManifestFile", AttributeNames=["a"]), ValidationException,
         "AugmentedManifestFile is only supported in Pipe mode, got File instead"),
        ({"AlgorithmSpecification": {**ALGORITHM, "TrainingInputMode": "Pipe"},
          **source(S3DataType="AugmentedManifestFile")}, ValidationException, "AttributeNames must be given"),
        ({"InputDataConfig": [channel("..", "s3://data/train/")]}, ValidationException, "the name of a channel"),
        ({"InputDataConfig": [channel("a", "s3://data/train/")] * 2}, ValidationException, "must be unique"),
        ({"EnableManagedSpotTraining": True}, ValidationException, "Invalid MaxWaitTimeInSeconds"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 90}}, ValidationException,
         "^Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set to true$"),
        ({"CheckpointConfig": {"S3Uri": "s3://data/cp", "LocalPath": "/tmp/cp"}}, NotImplementedHere,
         "CheckpointConfig.LocalPath"),
        ({"CheckpointConfig": {"S3Uri": "s3://data/cp", "LocalPath": "/opt/ml/input"}}, ValidationException,
         "not usable for checkpoints"),
        ({"DebugRuleConfigurations": [{"RuleConfigurationName": "r"}]}, NotImplementedHere, "Debugger rules"),
        ({"OutputDataConfig": {"S3OutputPath": "https://x/y"}}, ValidationException, "Invalid S3 URI"),
    ],
)  # fmt: skip
def test_requests_that_cannot_be_honoured_are_refused_by_field(world, members, error, message):
    with pytest.raises(error, match=message):
        world.training("refused", "true", **members)
    assert world.call("ListTrainingJobs")["TrainingJobSummaries"] == []
