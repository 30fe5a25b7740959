"""Training steps: one training job each (CreateTrainingJob)."""

from __future__ import annotations

from typing import Any

from emulator.engine.definition import Definition, StepDefinition
from emulator.engine.errors import DefinitionError
from emulator.engine.steps.executor import register
from emulator.engine.steps.job import JobExecutor

NOTEBOOK_ENTRYPOINT = "amazon_sagemaker_scheduler"
"""What SDK v3's NotebookJobStep runs: a Training step, but in an image of Studio."""


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

    def check(self, step: StepDefinition, definition: Definition) -> None:
        super().check(step, definition)
        if step.arguments.get("AlgorithmSpecification", {}).get("ContainerEntrypoint") == [NOTEBOOK_ENTRYPOINT]:
            reason = "Notebook jobs exist on AWS but the emulator does not run them yet."
            field = "Arguments.AlgorithmSpecification.ContainerEntrypoint"
            raise DefinitionError(reason, step=step.name, field=field)

    def images(self, step: StepDefinition) -> tuple[Any, ...]:
        return (step.arguments.get("AlgorithmSpecification", {}).get("TrainingImage"),)
