from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from emulator.engine.scheduler import Scheduler


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    made = Scheduler("test")
    yield made
    made.close()


def run_all(scheduler: Scheduler) -> None:
    """Wait until everything posted so far is done."""
    done = threading.Event()
    scheduler.post(done.set)
    assert done.wait(10)


def test_tasks_run_in_order_in_one_thread(scheduler: Scheduler) -> None:
    seen: list[object] = []
    scheduler.post(lambda: seen.append(1))
    scheduler.start()
    scheduler.post(lambda: seen.append(2))
    scheduler.post(lambda: seen.append(threading.current_thread().name))
    run_all(scheduler)
    assert seen == [1, 2, "test"]


def test_later_tasks_run_in_the_order_of_their_time(scheduler: Scheduler) -> None:
    seen: list[int] = []
    done = threading.Event()

    def plan() -> None:
        scheduler.later(0.03, done.set)
        scheduler.later(0.02, lambda: seen.append(2))
        scheduler.later(0.01, lambda: seen.append(1))

    scheduler.start()
    scheduler.post(plan)
    run_all(scheduler)
    assert seen == []
    assert done.wait(10)
    assert seen == [1, 2]


def test_a_failing_task_is_logged_and_the_next_runs(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    scheduler.start()
    scheduler.post(lambda: print(1 / 0))
    run_all(scheduler)
    assert "a task of the test failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_close_forgets_what_is_still_to_do(scheduler: Scheduler) -> None:
    seen: list[int] = []
    scheduler.start()
    scheduler.post(lambda: scheduler.later(60, lambda: seen.append(1)))
    run_all(scheduler)
    scheduler.close()
    scheduler.post(lambda: seen.append(2))
    assert seen == []
    scheduler.close()
