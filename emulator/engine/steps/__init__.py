"""One executor per step type, registered by the name of the type; adding a type is adding a file here."""

from emulator.engine.steps import condition, fail, processing, register_model, training
from emulator.engine.steps.executor import Executor, StepRun, Work, executor_of, step_types

__all__ = [
    "Executor",
    "StepRun",
    "Work",
    "condition",
    "executor_of",
    "fail",
    "processing",
    "register_model",
    "step_types",
    "training",
]
