from __future__ import annotations

import os
from pathlib import Path

import pytest
from botocore.loaders import Loader

from emulator.jobs.instances import instance, limits, machine_memory
from emulator.settings import Settings

GIB = 1 << 30
OFF, ON = Settings(), Settings(data_dir=Path(), instance_limits=True)


@pytest.mark.parametrize(
    ("name", "processors", "gib"),
    [
        ("ml.m5.large", 2, 8),
        ("ml.m5.xlarge", 4, 16),
        ("ml.m5.24xlarge", 96, 384),
        ("ml.c5.9xlarge", 36, 72),
        ("ml.c4.8xlarge", 36, 60),
        ("ml.c5n.xlarge", 4, 10.5),
        ("ml.r5.4xlarge", 16, 128),
        ("ml.t3.medium", 2, 4),
        ("ml.g4dn.xlarge", 4, 16),
        ("ml.g5.48xlarge", 192, 768),
        ("ml.p3.2xlarge", 8, 61),
        ("ml.p4d.24xlarge", 96, 1152),
        ("ml.m7i-flex.large", 2, 8),
    ],
)
def test_types_have_what_aws_says(name: str, processors: int, gib: float) -> None:
    found = instance(name)
    assert found is not None
    assert (found.processors, found.memory_bytes) == (processors, gib * GIB)


@pytest.mark.parametrize("name", [None, "", "local", "ml.zz9.large", "ml.m5.huge", "ml.m5", "ml.m5.metal"])
def test_what_is_not_known_is_told(name: str | None) -> None:
    assert instance(name) is None


def test_nearly_every_type_of_the_api_is_known() -> None:
    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    types = {name for shape in ("TrainingInstanceType", "ProcessingInstanceType") for name in shapes[shape]["enum"]}
    unknown = {name.rpartition(".")[0] for name in types if instance(name) is None}
    assert unknown <= {"ml.g7", "ml.g7e", "ml.p6-b300", "ml.p6e-gb200"}


def test_without_the_setting_a_job_gets_the_machine() -> None:
    found = limits("ml.t3.medium", OFF, 100 * GIB)
    assert (found.memory_bytes, found.cpus, found.source) == (100 * GIB, (), "EMULATOR_JOB_MEMORY_MIB")


def test_with_it_a_job_gets_its_type_as_far_as_the_machine_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    found = limits("ml.t3.medium", ON, 100 * GIB)
    assert found.memory_bytes == 4 * GIB
    assert len(found.cpus) == 2
    assert "ml.t3.medium" in found.source
    assert limits("ml.m5.4xlarge", ON, 10 * GIB).memory_bytes == 10 * GIB
    assert limits("ml.m5.4xlarge", ON, 10 * GIB).cpus == ()
    assert limits("ml.zz9.large", ON, 10 * GIB).memory_bytes == 10 * GIB


def test_jobs_share_the_processors_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    given = [limits("ml.m5.large", ON, GIB).cpus for _ in range(4)]
    assert {number for cpus in given for number in cpus} == set(range(8))


def test_the_machine_has_memory() -> None:
    assert machine_memory() > GIB // 4
