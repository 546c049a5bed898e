"""Moments and ranges of time as people write them: ISO 8601, UTC where no zone is given."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from roadstead.core.errors import UsageError


def moment(text: str, option: str) -> datetime:
    """Read an ISO 8601 date or time as UTC.

    Args:
        text: as written.
        option: what it was given as; the error names it.

    Raises:
        UsageError: it is neither.
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is not a date: write 2020-11-03 or 2020-11-03T02:25:00Z"
        ) from error
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def time_range(
    start: str, end: str, names: tuple[str, str] = ("--from", "--to")
) -> tuple[datetime, datetime]:
    """Return [start, end) in UTC; an end given as a date includes that whole day.

    Args:
        start: first day or moment.
        end: last day, included, or the first moment after the range.
        names: what the two were given as; errors name them.

    Raises:
        UsageError: not dates, or the end is before the start.
    """
    first, last = moment(start, names[0]), moment(end, names[1])
    if _is_a_day(end):
        last += timedelta(days=1)
    if last <= first:
        raise UsageError(f"{names[1]} {end} is before {names[0]} {start}")
    return first, last


def _is_a_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False
