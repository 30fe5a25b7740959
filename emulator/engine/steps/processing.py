"""Processing steps: one processing job each (CreateProcessingJob)."""

from __future__ import annotations

from typing import Any

from emulator.engine.definition import StepDefinition
from emulator.engine.steps.executor import register
from emulator.engine.steps.job import JobExecutor


@register
class Processing(JobExecutor):
    type = "Processing"
    kind = "ProcessingJob"
    create = "CreateProcessingJob"
    describe = "DescribeProcessingJob"
    stop_operation = "StopProcessingJob"
    cached_by = ("AppSpecification", "Environment", "ProcessingInputs")

    def property_outputs(self, step: StepDefinition) -> tuple[Any, ...]:
        outputs = step.arguments.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return tuple(outputs) if isinstance(outputs, list) else ()

    def images(self, step: StepDefinition) -> tuple[Any, ...]:
        return (step.arguments.get("AppSpecification", {}).get("ImageUri"),)
