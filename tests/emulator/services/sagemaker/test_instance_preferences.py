import pytest

from emulator.aws.errors import ValidationException
from emulator.services.sagemaker.instance_preferences import selected
from tests.emulator.jobs.world import World

TYPES = [{"InstanceType": "ml.m5.xlarge"}, {"InstanceType": "ml.m5.large"}]
COUNTED = [{**preference, "InstanceCount": number} for number, preference in enumerate(TYPES, 2)]


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("wanted", "count"),
    [({"InstancePreferences": TYPES, "InstanceCount": 1}, 1), ({"InstancePreferences": COUNTED}, 2)],
    ids=["one count", "a count each"],
)
def test_a_job_runs_on_the_first_type_and_says_so(world, wanted, count):
    resources = {**wanted, "VolumeSizeInGB": 10}
    chosen = {"SelectedInstanceType": "ml.m5.xlarge", "SelectedInstanceCount": count}
    world.training("trains", "true", ResourceConfig=resources)
    assert world.trained("trains")["ResourceConfig"] == resources | chosen
    world.processing("processes", "true", ProcessingResources={"ClusterConfig": resources})
    assert world.processed("processes")["ProcessingResources"]["ClusterConfig"] == resources | chosen


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        ({"InstancePreferences": TYPES}, "specify InstanceCount either for every one"),
        ({"InstancePreferences": COUNTED, "InstanceCount": 1}, "specify InstanceCount either for every one"),
        ({"InstancePreferences": [COUNTED[0], TYPES[1]]}, "specify InstanceCount either for every one"),
        ({"InstancePreferences": [TYPES[0]] * 2, "InstanceCount": 1}, "can appear only once"),
        ({"InstancePreferences": TYPES, "InstanceType": "ml.m5.large"}, "mutually exclusive with InstanceType"),
        ({"SelectedInstanceType": "ml.m5.large"}, "SelectedInstanceType is read-only"),
    ],
)
def test_preferences_that_contradict_themselves_are_refused(resources, message):
    with pytest.raises(ValidationException, match=message):
        selected(resources, "ResourceConfig")


def test_spot_training_has_no_preferences(world):
    resources = {"InstancePreferences": TYPES, "InstanceCount": 1, "VolumeSizeInGB": 10}
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    with pytest.raises(ValidationException, match="mutually exclusive with EnableManagedSpotTraining"):
        world.training(
            "spot", "true", ResourceConfig=resources, EnableManagedSpotTraining=True, StoppingCondition=stopping
        )
