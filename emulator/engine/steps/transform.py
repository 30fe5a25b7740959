"""Transform steps: one transform job each (CreateTransformJob)."""

from __future__ import annotations

from emulator.engine.steps.executor import register
from emulator.engine.steps.job import JobExecutor


@register
class Transform(JobExecutor):
    type = "Transform"
    kind = "TransformJob"
    create = "CreateTransformJob"
    describe = "DescribeTransformJob"
    stop_operation = "StopTransformJob"
    cached_by = ("DataProcessing", "Environment", "ModelName", "TransformInput")
