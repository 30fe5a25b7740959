"""Schedule expressions, by the examples of the EventBridge User Guide."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from emulator.services.timetables import ScheduleError, parse_schedule

NOW = datetime(2026, 3, 4, 10, 20, 30, tzinfo=UTC)  # a Wednesday


def following(expression: str, zone: str = "UTC", after: datetime = NOW) -> str | None:
    moment = parse_schedule(expression, zone, scheduler=True).next(after.timestamp(), after.timestamp())
    return None if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 10 * * ? *)", "2026-03-05T10:00:00"),
        ("cron(15 12 * * ? *)", "2026-03-04T12:15:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-03-04T18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-04-01T08:00:00"),
        ("cron(0/15 * * * ? *)", "2026-03-04T10:30:00"),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-03-04T10:25:00"),
        ("cron(0 12 ? * 1 *)", "2026-03-08T12:00:00"),
        ("cron(0 12 ? * SUN,TUE *)", "2026-03-08T12:00:00"),
        ("cron(0 9 ? * 2#1 *)", "2026-04-06T09:00:00"),
        ("cron(0 9 ? * 6L *)", "2026-03-27T09:00:00"),
        ("cron(0 9 ? * FRIL *)", "2026-03-27T09:00:00"),
        ("cron(0 9 L * ? *)", "2026-03-31T09:00:00"),
        ("cron(0 9 L-2 * ? *)", "2026-03-29T09:00:00"),
        ("cron(0 9 15W * ? *)", "2026-03-16T09:00:00"),
        ("cron(0 9 LW 5 ? *)", "2026-05-29T09:00:00"),
        ("cron(0 0 29 FEB ? *)", "2028-02-29T00:00:00"),
        ("cron(0 0 1 1 ? 2030-2032)", "2030-01-01T00:00:00"),
        ("cron(0 22-2 * * ? *)", "2026-03-04T22:00:00"),
        ("cron(0 0 1 1 ? 2020)", None),
        ("cron(0 0 31 2 ? *)", None),
        ("rate(5 minutes)", "2026-03-04T10:25:30"),
        ("rate(1 day)", "2026-03-05T10:20:30"),
        ("at(2026-03-04T10:20:31)", "2026-03-04T10:20:31"),
        ("at(2026-03-04T10:20:30)", None),
    ],
)
def test_the_next_time_is_as_documented(expression: str, expected: str | None) -> None:
    assert following(expression) == expected


def test_a_rate_keeps_counting_from_its_origin() -> None:
    rate = parse_schedule("rate(10 minutes)")
    assert [rate.next(after, 1000.0) for after in (0.0, 1000.0, 1599.0, 1600.0, 9999.0)] == [
        1000.0,
        1600.0,
        1600.0,
        2200.0,
        10000.0,
    ]


@pytest.mark.parametrize("expression", ["rate(1 minutes)", "rate(1 hours)", "rate(5 minute)"])
def test_a_unit_s_number_counts_for_rules_but_not_for_the_scheduler(expression: str) -> None:
    assert following(expression) is not None
    with pytest.raises(ScheduleError, match="a rate of 1 has a singular unit"):
        parse_schedule(expression)


def test_a_shift_of_half_an_hour_skips_only_the_minutes_that_are_not() -> None:
    october = datetime(2026, 10, 3, 0, tzinfo=UTC)  # clocks of Lord Howe go from 2:00 to 2:30 on the 4th
    assert following("cron(15 2 * * ? *)", "Australia/Lord_Howe", october) == "2026-10-04T15:15:00"
    assert following("cron(45 2 * * ? *)", "Australia/Lord_Howe", october) == "2026-10-03T15:45:00"


def test_what_daylight_saving_time_repeats_runs_once() -> None:
    october = datetime(2026, 10, 24, 23, tzinfo=UTC)  # clocks of Berlin go from 3:00 to 2:00 on the 25th
    assert following("cron(30 2 * * ? *)", "Europe/Berlin", october) == "2026-10-25T00:30:00"
    again = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert following("cron(30 2 * * ? *)", "Europe/Berlin", again) == "2026-10-26T01:30:00"


def test_a_time_zone_shifts_and_daylight_saving_time_skips() -> None:
    assert following("cron(0 12 * * ? *)", "Europe/Berlin") == "2026-03-04T11:00:00"
    march = datetime(2026, 3, 28, 12, tzinfo=UTC)  # clocks go from 2:00 to 3:00 on the 29th
    assert following("cron(30 2 * * ? *)", "Europe/Berlin", march) == "2026-03-30T00:30:00"


@pytest.mark.parametrize(
    "expression",
    [
        "rate(0 minutes)", "rate(5 weeks)", "cron(0 10 * * *)",
        "cron(0 10 * * * *)", "cron(60 10 * * ? *)", "cron(0 24 * * ? *)", "cron(0 10 32 * ? *)", "cron(0 10 ? * 8 *)",
        "cron(0 10 ? * 2#6 *)", "cron(x 10 * * ? *)", "cron(*/0 10 * * ? *)", "at(2026-13-01T00:00:00)", "every day",
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(expression, scheduler=True)


def test_a_zone_must_exist_and_at_must_be_allowed() -> None:
    with pytest.raises(ScheduleError, match="Mars"):
        parse_schedule("rate(1 day)", "Mars/Olympus")
    with pytest.raises(ScheduleError):
        parse_schedule("at(2026-03-04T10:20:31)")
