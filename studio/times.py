"""Times as people read them: how long, how long ago, and exactly when."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_SPOKEN = ((86_400 * 365, "year"), (86_400 * 30, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute"))


def duration(seconds: float | None) -> str:
    """``0.3 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, (size, name) in enumerate(_UNITS):
        if whole >= size:
            smaller, small = _UNITS[unit + 1] if unit + 1 < len(_UNITS) else (1, "s")
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """``3 minutes ago``; ``just now`` within the last ten seconds and for clocks that run ahead."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < 10:
        return "just now"
    for size, name in _SPOKEN:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return f"{int(seconds)} seconds ago"


def absolute(moment: datetime) -> str:
    """``2026-11-22 09:15:10`` in the time zone of this machine."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def machine(moment: datetime) -> str:
    """For the ``datetime`` attribute: ISO 8601 in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def between(start: datetime | None, end: datetime | None) -> float | None:
    """Seconds from start to end, or until now; None if it has not begun."""
    if start is None:
        return None
    return ((end or datetime.now(UTC)) - start).total_seconds()
