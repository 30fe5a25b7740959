"""One executor per step type, registered by the name of the type; adding a type is adding a file here."""

import importlib
import pkgutil

from emulator.engine.steps.executor import Executor, StepRun, Work, executor_of, step_types

for _module in pkgutil.iter_modules(__path__, f"{__name__}."):
    importlib.import_module(_module.name)

__all__ = ["Executor", "StepRun", "Work", "executor_of", "step_types"]
