"""Training steps: one training job each (CreateTrainingJob)."""

from __future__ import annotations

from typing import Any

from emulator.engine.definition import StepDefinition
from emulator.engine.steps.executor import register
from emulator.engine.steps.job import JobExecutor


@register
class Training(JobExecutor):
    type = "Training"
    kind = "TrainingJob"
    create = "CreateTrainingJob"
    describe = "DescribeTrainingJob"
    stop_operation = "StopTrainingJob"
    cached_by = (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    )

    def images(self, step: StepDefinition) -> tuple[Any, ...]:
        return (step.arguments.get("AlgorithmSpecification", {}).get("TrainingImage"),)
