"""SDK v2 of 2021 to 2023 gives every training job a profiler rule that nobody asked for."""

import pytest

from emulator.aws.errors import ValidationException
from emulator.services.sagemaker.profiler_rules import NOT_EVALUATED
from tests.emulator.jobs.world import World

RULE = {
    "RuleConfigurationName": "ProfilerReport-1637000000",
    "RuleEvaluatorImage": "503895931360.dkr.ecr.us-east-1.amazonaws.com/sagemaker-debugger-rules:latest",
    "RuleParameters": {"rule_to_invoke": "ProfilerReport"},
}


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def test_a_job_with_a_rule_trains_and_says_that_the_rule_was_not_evaluated(world):
    world.training("reported", "true", ProfilerRuleConfigurations=[RULE])
    job = world.trained("reported", "Completed")
    (status,) = job["ProfilerRuleEvaluationStatuses"]
    assert job["ProfilerRuleConfigurations"] == [RULE]
    assert status["RuleConfigurationName"] == RULE["RuleConfigurationName"]
    assert (status["RuleEvaluationStatus"], status["StatusDetails"]) == ("Error", NOT_EVALUATED)
    assert status["LastModifiedTime"] == job["CreationTime"]


def test_a_job_without_rules_has_no_statuses_of_them(world):
    world.training("plain", "true")
    assert "ProfilerRuleEvaluationStatuses" not in world.trained("plain", "Completed")


def test_rules_are_given_to_a_job_as_long_as_it_trains(world):
    world.training("runs", "sleep 60")
    update = {"TrainingJobName": "runs", "ProfilerRuleConfigurations": [RULE]}
    world.call("UpdateTrainingJob", **update)
    assert world.call("DescribeTrainingJob", TrainingJobName="runs")["ProfilerRuleConfigurations"] == [RULE]
    world.call("StopTrainingJob", TrainingJobName="runs")
    world.trained("runs", "Stopped")
    with pytest.raises(ValidationException, match="can only be updated before or while the training job trains"):
        world.call("UpdateTrainingJob", **update)
