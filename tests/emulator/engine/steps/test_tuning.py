from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from emulator.engine.definition import StepDefinition
from emulator.engine.retries import CAPACITY_ERROR
from emulator.engine.steps import StepRun
from emulator.engine.steps.tuning import Tuning


@pytest.mark.parametrize(
    ("reason", "error"),
    [("InternalServerError: again", ""), ("CapacityError: none left", CAPACITY_ERROR), ("All jobs failed", "")],
)
def test_a_tuning_job_that_met_an_internal_error_is_not_run_again(reason: str, error: str) -> None:
    job = {"HyperParameterTuningJobArn": "arn", "HyperParameterTuningJobStatus": "Failed", "FailureReason": reason}
    host: Any = SimpleNamespace(invoke=lambda operation, request: job)
    work = Tuning().follow(StepRun(StepDefinition("Tune", "Tuning", {}), "Executing", handle={"Name": "t"}), host)
    assert (work.status, work.error) == ("Failed", error)
