"""Timestamps as text, in each format that a model may ask for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from emulator.gateway import timestamps

MOMENT = datetime(2026, 11, 22, 8, 0, 0, 123_000, UTC)


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("rfc822", "Sun, 22 Nov 2026 08:00:00 GMT"),
        ("iso8601", "2026-11-22T08:00:00.123Z"),
        ("unixTimestamp", "1795334400.123"),
    ],
)
def test_a_time_keeps_the_precision_of_its_format(style: str, text: str) -> None:
    assert timestamps.render(MOMENT, style) == text
    assert abs(timestamps.parse(text) - MOMENT).total_seconds() < 1


def test_whole_seconds_have_no_fraction() -> None:
    assert timestamps.render(MOMENT.replace(microsecond=0), "unixTimestamp") == "1795334400"


@pytest.mark.parametrize("text", ["", "soon", "nan", "1e300", True, None])
def test_what_is_no_time_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        timestamps.parse(text)
