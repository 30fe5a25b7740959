"""Schedule expressions: ``rate(5 minutes)``, ``cron(0 12 ? * MON-FRI *)`` and ``at(2026-01-31T09:00:00)``.

Sources: EventBridge User Guide, "Cron expressions" and "Rate expressions"; EventBridge Scheduler User Guide, "Schedule
types". AWS's cron has six fields, counts days of the week from Sunday as 1, and knows L, W and #.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

_RATE = re.compile(r"rate\((\d{1,9}) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\(([^()]*)\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = {name: str(number) for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: str(number + 1) for number, name in enumerate(("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"))}
_YEARS = (1970, 2199)


class ScheduleError(ValueError):
    """It is no schedule expression."""


class Timetable(Protocol):
    def next(self, after: float, origin: float) -> float | None:
        """The first time later than ``after``, in Unix seconds; None if there is none. Rates count from ``origin``."""
        ...


def parse_schedule(text: str, zone: str = "UTC", *, scheduler: bool = False) -> Timetable:
    """Read an expression; ``scheduler``: as EventBridge Scheduler reads it: ``at`` is allowed, and ``rate(1 hours)``.

    Raises:
        ScheduleError: it is malformed.
    """
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ScheduleError(f"The time zone {zone!r} is unknown") from error
    if match := _RATE.fullmatch(text):
        number = int(match[1])
        if number < 1:
            raise ScheduleError("a rate is at least 1")
        if not scheduler and (number == 1) == bool(match[3]):
            raise ScheduleError("a rate of 1 has a singular unit, every other a plural one")
        return _Rate(number * _SECONDS[match[2]])
    if match := _CRON.fullmatch(text):
        return _parse_cron(match[1].split(), place)
    if (match := _AT.fullmatch(text)) and scheduler:
        try:
            return _Once(datetime.fromisoformat(match[1]).replace(tzinfo=place).timestamp())
        except ValueError as error:
            raise ScheduleError(str(error)) from error
    raise ScheduleError("it is none of rate(…), cron(…)" + (" and at(…)" if scheduler else ""))


@dataclass(frozen=True, slots=True)
class _Rate:
    seconds: int

    def next(self, after: float, origin: float) -> float | None:
        passed = max(0, int((after - origin) // self.seconds))
        return origin + (passed + 1) * self.seconds if after >= origin else origin


@dataclass(frozen=True, slots=True)
class _Once:
    moment: float

    def next(self, after: float, origin: float) -> float | None:
        return self.moment if self.moment > after else None


DayRule = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class _Cron:
    minutes: frozenset[int]
    hours: frozenset[int]
    days: DayRule
    months: frozenset[int]
    years: frozenset[int]
    zone: ZoneInfo

    def next(self, after: float, origin: float) -> float | None:
        start = max(after, origin)
        local = datetime.fromtimestamp(start, self.zone)
        day = local.date()
        while day.year <= min(_YEARS[1], local.year + 100):
            if day.year not in self.years:
                day = date(day.year + 1, 1, 1)
            elif day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
            else:
                if self.days(day) and (found := self._in_day(day, start)) is not None:
                    return found
                day += timedelta(days=1)
        return None

    def _in_day(self, day: date, after: float) -> float | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
                there = moment.astimezone(UTC).astimezone(self.zone)
                if (there.hour, there.minute) != (hour, minute):
                    continue  # daylight saving time skips it
                if moment.timestamp() > after:
                    return moment.timestamp()
        return None


def _parse_cron(fields: list[str], zone: ZoneInfo) -> _Cron:
    if len(fields) != 6:
        raise ScheduleError("a cron expression has six fields: minutes hours day-of-month month day-of-week year")
    minutes, hours, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ScheduleError("exactly one of day-of-month and day-of-week must be ?")
    return _Cron(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        _day_of_month(day) if weekday == "?" else _day_of_week(_named(weekday, _WEEKDAYS)),
        _numbers(_named(month, _MONTHS), 1, 12),
        _numbers(year, *_YEARS),
        zone,
    )


def _named(field: str, names: dict[str, str]) -> str:
    for name, number in names.items():
        field = re.sub(rf"\b{name}(?=\b|L)", number, field, flags=re.IGNORECASE)
    return field


def _numbers(field: str, low: int, high: int) -> frozenset[int]:
    """The values of a field of numbers: ``*``, ``5``, ``1-5``, ``0/15``, ``*/2``, and lists of them."""
    found: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(\*|\d+)(?:-(\d+))?(?:/(\d+))?", part)
        if match is None or (match[1] == "*" and match[2]):
            raise ScheduleError(f"{field!r} is not understood")
        first = low if match[1] == "*" else int(match[1])
        last = int(match[2]) if match[2] else high if match[1] == "*" or match[3] else first
        step = int(match[3] or 1)
        if not (low <= first <= high and low <= last <= high and step > 0):
            raise ScheduleError(f"{field!r} is not between {low} and {high}")
        values = range(first, last + 1) if first <= last else (*range(first, high + 1), *range(low, last + 1))
        found.update(values[::step])
    return frozenset(found)


def _last_day(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _day_of_month(field: str) -> DayRule:
    if match := re.fullmatch(r"L(?:-(\d+))?", field):
        back = int(match[1] or 0)
        return lambda day: day.day == _last_day(day) - back
    if match := re.fullmatch(r"(\d+|L)W", field):
        wanted = match[1]
        if wanted != "L":
            _numbers(wanted, 1, 31)
        return lambda day: day.day == _nearest_weekday(day, _last_day(day) if wanted == "L" else int(wanted))
    numbers = _numbers(field, 1, 31)
    return lambda day: day.day in numbers


def _nearest_weekday(day: date, wanted: int) -> int:
    """The weekday nearest to a day of the same month, within the month."""
    last = _last_day(day)
    wanted = min(wanted, last)
    weekday = day.replace(day=wanted).weekday()
    if weekday == 5:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 6:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def _day_of_week(field: str) -> DayRule:
    if field == "L":
        return lambda day: _number(day) == 7
    if match := re.fullmatch(r"([1-7])L", field):
        wanted = int(match[1])
        return lambda day: _number(day) == wanted and day.day > _last_day(day) - 7
    if match := re.fullmatch(r"([1-7])#([1-5])", field):
        wanted, nth = int(match[1]), int(match[2])
        return lambda day: _number(day) == wanted and (day.day - 1) // 7 == nth - 1
    numbers = _numbers(field, 1, 7)
    return lambda day: _number(day) in numbers


def _number(day: date) -> int:
    """1 is Sunday."""
    return day.isoweekday() % 7 + 1
