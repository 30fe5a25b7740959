import pytest

from emulator.services.scheduler.running import EXPRESSION, START, first_time
from emulator.store.resources import Resource, Scope

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (None, NOW),
        (NOW - 0.4, NOW),  # as the SDKs say "now"
        (NOW - 90, NOW + 30),  # the next multiple of the rate
        (NOW + 45, NOW + 45),
    ],
)
def test_a_rate_begins_with_its_start_unless_that_is_long_past(start: float | None, due: float) -> None:
    body = {EXPRESSION: "rate(2 minutes)", START: start}
    schedule = Resource(Scope("123456789012", "us-east-1"), "schedule", "s", "arn", body, "ENABLED")
    assert first_time(schedule, NOW) == (due, start or NOW)
