"""Times as messages write them, converted to ISO 8601 with a zone."""

from __future__ import annotations

from datetime import timezone

from features.iso_times import written

Noted = tuple[str, str]


def lodged(text: str | None) -> tuple[str | None, list[Noted]]:
    """Return a moment in the form of the contract, and data problems of how it was written; None if unreadable.

    A time without a zone counts as UTC, with a note; an invalid time is left out, and the time of arrival replaces it.
    """
    if not text:
        return None, [("lodged_at", "not stated; the time of arrival stands")]
    moment = written(text)
    if moment is None:
        return None, [("lodged_at", "not a time; the time of arrival stands")]
    if moment.utc is None:
        return moment.clock.isoformat(timespec="microseconds") + "+00:00", [
            ("lodged_at", "without a zone; taken for UTC")
        ]
    local = moment.utc if moment.offset is None else moment.clock.replace(tzinfo=timezone(moment.offset))
    return local.isoformat(timespec="microseconds"), []
