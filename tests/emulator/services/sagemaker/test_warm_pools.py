import pytest

from emulator.aws.errors import ValidationException
from emulator.services.sagemaker import warm_pools
from tests.emulator.jobs.world import World

RESOURCES = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def train(world, name, seconds=600, script="true", **members):
    resources = {"ResourceConfig": {**RESOURCES, "KeepAlivePeriodInSeconds": seconds}} if seconds else {}
    world.training(name, script, **(resources | members))


def trained(world, name, *arguments, **members):
    train(world, name, *arguments, **members)
    return world.trained(name, ("Completed", "Failed", "Stopped"))


def pool(world, name):
    return world.call("DescribeTrainingJob", TrainingJobName=name)["WarmPoolStatus"]


def listed(world, **request):
    return [job["TrainingJobName"] for job in world.call("ListTrainingJobs", **request)["TrainingJobSummaries"]]


def update(world, name, **members):
    return world.call("UpdateTrainingJob", TrainingJobName=name, **members)


def test_a_job_without_a_pool_has_no_status_of_one(world):
    assert trained(world, "none", 0)["WarmPoolStatus"] is None
    assert listed(world, WarmPoolStatusEquals="Available") == []


def test_a_pool_is_in_use_then_available_then_terminated(world):
    train(world, "keeps", script="sleep 60")
    assert pool(world, "keeps") == {"Status": "InUse"}
    world.call("StopTrainingJob", TrainingJobName="keeps")
    ended = world.trained("keeps", "Stopped")["TrainingEndTime"]
    (job,) = world.resources.with_status("training-job", "Stopped")
    job.body["TrainingStartTime"] = ended
    assert warm_pools.status(job, ended + 599) == {"Status": "Available"}
    assert warm_pools.status(job, ended + 600) == {
        "Status": "Terminated",
        "ResourceRetainedBillableTimeInSeconds": 600,
    }


def test_a_job_that_fits_takes_the_pool_over(world):
    trained(world, "first")
    trained(world, "second")
    assert pool(world, "first") == {
        "Status": "Reused",
        "ResourceRetainedBillableTimeInSeconds": 1,
        "ReusedByJob": "second",
    }
    assert pool(world, "second") == {"Status": "Available"}
    assert listed(world, WarmPoolStatusEquals="Available") == ["second"]
    assert listed(world, WarmPoolStatusEquals="Reused") == ["first"]


@pytest.mark.parametrize(
    "members",
    [
        {"ResourceConfig": {**RESOURCES, "InstanceType": "ml.c5.large"}},
        {"ResourceConfig": {**RESOURCES, "VolumeSizeInGB": 2}},
        {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
        {"EnableNetworkIsolation": True},
        {"RoleArn": "arn:aws:iam::123456789012:role/Other"},
    ],
)
def test_a_job_that_differs_leaves_the_pool(world, members):
    trained(world, "first")
    world.training("other", "true", **members)
    assert pool(world, "first") == {"Status": "Available"}


def test_a_job_that_fails_by_its_own_fault_keeps_its_pool(world):
    assert trained(world, "bad", script="exit 3")["WarmPoolStatus"] == {"Status": "Available"}


def test_an_update_prolongs_a_pool_or_ends_it(world):
    trained(world, "keeps")
    update(world, "keeps", ResourceConfig={"KeepAlivePeriodInSeconds": 1200})
    job = world.call("DescribeTrainingJob", TrainingJobName="keeps")
    assert job["ResourceConfig"] == {**RESOURCES, "KeepAlivePeriodInSeconds": 1200}
    assert job["WarmPoolStatus"] == {"Status": "Available"}
    update(world, "keeps", ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    assert pool(world, "keeps")["Status"] == "Terminated"
    with pytest.raises(ValidationException, match="its warm pool is Terminated"):
        update(world, "keeps", ResourceConfig={"KeepAlivePeriodInSeconds": 60})


def test_an_update_of_a_job_without_a_pool_is_refused(world):
    trained(world, "none", 0)
    with pytest.raises(ValidationException, match="its warm pool is not there"):
        update(world, "none", ResourceConfig={"KeepAlivePeriodInSeconds": 60})


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            },
            "not supported with managed spot training",
        ),
        (
            {
                "ResourceConfig": {
                    "KeepAlivePeriodInSeconds": 60,
                    "VolumeSizeInGB": 1,
                    "InstanceGroups": [
                        {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "g"},
                    ],
                }
            },
            "not supported with InstanceGroups",
        ),
    ],
)
def test_pools_that_aws_does_not_keep_are_refused(world, members, message):
    with pytest.raises(ValidationException, match=message):
        train(world, "refused", **members)


def test_profiler_and_remote_debugging_are_changed_while_the_job_runs_and_described_back(world):
    train(world, "runs", 0, "sleep 60", ProfilerConfig={"S3OutputPath": "s3://data/profile"})
    answer = update(
        world, "runs", ProfilerConfig={"DisableProfiler": True}, RemoteDebugConfig={"EnableRemoteDebug": True}
    )
    job = world.call("DescribeTrainingJob", TrainingJobName="runs")
    assert answer == {"TrainingJobArn": job["TrainingJobArn"]}
    assert job["ProfilerConfig"] == {"S3OutputPath": "s3://data/profile", "DisableProfiler": True}
    assert job["RemoteDebugConfig"] == {"EnableRemoteDebug": True}
    world.call("StopTrainingJob", TrainingJobName="runs")
    world.trained("runs", "Stopped")
    for member in ({"ProfilerConfig": {}}, {"RemoteDebugConfig": {}}):
        with pytest.raises(ValidationException, match="can only be updated before or while the training job trains"):
            update(world, "runs", **member)


def test_an_unknown_job_is_not_updated(world):
    with pytest.raises(ValidationException, match=r"^Requested resource not found\.$"):
        update(world, "nobody")


def test_a_filtered_list_is_paged_in_full_pages(world):
    for number in range(5):
        trained(world, f"job-{number}", 600 if number % 2 == 0 else 0, EnableNetworkIsolation=bool(number % 4))
    available = listed(world, WarmPoolStatusEquals="Available")
    page = world.call("ListTrainingJobs", WarmPoolStatusEquals="Available", MaxResults=1)
    rest = listed(world, WarmPoolStatusEquals="Available", NextToken=page["NextToken"])
    assert [page["TrainingJobSummaries"][0]["TrainingJobName"], *rest] == available
    assert len(available) == 2
    assert listed(world, TrainingPlanArnEquals="arn:aws:sagemaker:us-east-1:123456789012:training-plan/none") == []
