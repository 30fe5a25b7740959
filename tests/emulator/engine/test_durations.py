from __future__ import annotations

import pytest

from emulator.engine.durations import parse_duration

HOUR, DAY = 3600, 86400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 30 * DAY),
        ("p30d", 30 * DAY),
        ("P30D", 30 * DAY),
        ("T12H", 12 * HOUR),
        ("T16m", 16 * 60),
        ("PT1H", HOUR),
        ("30dT5h", 30 * DAY + 5 * HOUR),
        ("P4DT12H", 4 * DAY + 12 * HOUR),
        ("5y", 5 * 365 * DAY),
        ("P1M", 30 * DAY),
        ("P2W", 14 * DAY),
        ("P1Y2M3DT4H5M6S", (365 + 60 + 3) * DAY + 4 * HOUR + 5 * 60 + 6),
        ("T0.5H", HOUR / 2),
        ("P0D", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "T", "PT", "30", "30dT", "5h", "d30", "P1D2Y", "-P1D", "1 d", "P1H", "ever"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 duration"):
        parse_duration(text)
