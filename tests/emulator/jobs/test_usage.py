from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.jobs import usage
from emulator.jobs.usage import Gauge, disk_bytes
from emulator.launchers.launcher import Exit, Usage

GIB = 1 << 30


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(usage, "time", made)
    return made


def gauge(folder: Path, instance_type: str | None = "ml.m5.large", volume: int = 1) -> Gauge:
    return Gauge("/aws/sagemaker/TrainingJobs", "job/algo-1", instance_type, volume, folder)


def attach(made: Gauge, *usages: Usage | None) -> None:
    found = iter(usages)
    process: Any = SimpleNamespace(usage=lambda: next(found))
    made.attach(process)


def values(points: Any) -> dict[str, float]:
    found = {}
    for metric, point in points:
        assert metric.namespace == "/aws/sagemaker/TrainingJobs"
        assert metric.dimensions == {"Host": "job/algo-1"}
        assert point.unit == "Percent"
        found[metric.name.removesuffix("Utilization")] = point.total
    return found


def test_shares_are_of_the_time_the_type_and_the_volume(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_bytes(bytes(64 << 20))
    made = gauge(tmp_path)
    attach(made, Usage(3.0, 2 * GIB), Usage(4.0, GIB))
    clock.now += 2
    assert values(made.sample(0)) == {"CPU": 150, "Memory": 25, "Disk": pytest.approx(6.25, rel=0.01)}
    clock.now += 10
    assert values(made.sample(0))["CPU"] == 10


def test_of_an_unknown_type_memory_is_a_share_of_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "machine_memory", lambda: 10 * GIB)
    made = gauge(tmp_path, None)
    attach(made, Usage(0, GIB))
    assert values(made.sample(0))["Memory"] == 10


def test_a_job_shorter_than_the_interval_has_one_sample_at_its_end(tmp_path: Path, clock: Clock) -> None:
    made = gauge(tmp_path)
    attach(made, None)
    assert values(made.sample(0)) == {}
    clock.now += 0.5
    exited = Exit(0, None, False, Usage(0.25, GIB))
    assert values(made.last(exited, 0)) == {"CPU": 50, "Memory": 12.5, "Disk": 0}


def test_the_end_of_a_longer_job_counts_if_it_is_long_enough(tmp_path: Path, clock: Clock) -> None:
    made = gauge(tmp_path)
    attach(made, Usage(1.0, GIB))
    clock.now += 10
    values(made.sample(0))
    clock.now += 0.2
    assert values(made.last(Exit(0, None, False, Usage(1.2, GIB)), 0)) == {}
    clock.now += 4.8
    assert values(made.last(Exit(0, None, False, Usage(6.0, GIB)), 0)) == {"CPU": 100}


def test_time_that_a_child_took_along_is_not_negative(tmp_path: Path, clock: Clock) -> None:
    made = gauge(tmp_path)
    attach(made, Usage(5.0, 0), Usage(1.0, 0), Usage(6.0, 0))
    found = []
    for _ in range(3):
        clock.now += 1
        found.append(values(made.sample(0))["CPU"])
    assert found == [500, 0, 500]


def test_a_launcher_that_cannot_tell_leaves_the_disk(tmp_path: Path, clock: Clock) -> None:
    assert values(gauge(tmp_path).last(Exit(0, None, False), 0)) == {"Disk": 0}


def test_adding_up_a_large_folder_is_put_off(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    made = gauge(tmp_path)
    attach(made, *[Usage(0, 0)] * 3)

    def slow(folder: Path) -> int:
        clock.now += 1
        return 0

    monkeypatch.setattr(usage, "disk_bytes", slow)
    seen = []
    for _ in range(3):
        seen.append("Disk" in values(made.sample(0)))
        clock.now += 30
    assert seen == [True, False, True]


def test_files_are_added_up_through_folders_and_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_bytes(bytes(1 << 20))
    (tmp_path / "loop").symlink_to(tmp_path)
    assert 1 << 20 <= disk_bytes(tmp_path) < 2 << 20
    assert disk_bytes(tmp_path / "nowhere") == 0
