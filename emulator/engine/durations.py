"""Durations of ISO 8601, as leniently as the service reads them: ``30d``, ``p30d``, ``T12H``, ``30dT5h``, ``P1Y``."""

from __future__ import annotations

import re

_DURATION = re.compile(
    r"P?(?:(?P<Y>\d+(?:\.\d+)?)Y)?(?:(?P<MO>\d+(?:\.\d+)?)M)?(?:(?P<W>\d+(?:\.\d+)?)W)?(?:(?P<D>\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(?P<H>\d+(?:\.\d+)?)H)?(?:(?P<MI>\d+(?:\.\d+)?)M)?(?:(?P<S>\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE,
)
_DAY = 86400.0
_SECONDS = {"Y": 365 * _DAY, "MO": 30 * _DAY, "W": 7 * _DAY, "D": _DAY, "H": 3600.0, "MI": 60.0, "S": 1.0}


def parse_duration(text: str) -> float:
    """The seconds of a duration; a year has 365 days and a month 30.

    Raises:
        ValueError: it is not one.
    """
    match = _DURATION.fullmatch(text.strip())
    given = {unit: value for unit, value in match.groupdict().items() if value} if match else {}
    if not given or text.strip().upper().endswith("T"):
        raise ValueError(f"'{text}' is not an ISO 8601 duration such as P30D, T12H or 30dT5h")
    return sum(float(value) * _SECONDS[unit] for unit, value in given.items())
