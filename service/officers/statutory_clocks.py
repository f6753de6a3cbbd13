"""Statutory clocks of a case: what is due until when, in working days of the member state, and by which article.

Every period is a pure function of what was noted and when, so that a clock never has to be kept running.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from service.officers.working_days import after_working_days
from service.orientation.lanes import Track
from service.orientation.track_conditions import REGULATION

TEN, THREE_IF_PERISHABLE = 10, 3


@dataclass(frozen=True, slots=True)
class Clock:
    """One thing that is due. step: what ends it. due: the last day. source: the article. done: the day it was noted."""

    step: str
    text: str
    due: date
    source: str
    done: date | None = None

    @property
    def kept(self) -> bool | None:
        """Whether it was done in time; None while it is open."""
        return None if self.done is None else self.done <= self.due


def clocks(track: Track, noted: Mapping[str, date], country: str, *, perishable: bool = False) -> list[Clock]:
    """The clocks of a case in the order in which they start.

    noted: steps and the days on which they were done; `detained` is always there.
    """
    clocks = [_notice_to_declarant(track, noted, country)]
    if track is Track.simplified_destruction:
        clocks += _simplified(noted, country)
    else:
        clocks += _standard(noted, country, TEN if not perishable else THREE_IF_PERISHABLE, perishable=perishable)
    return clocks


def _notice_to_declarant(track: Track, noted: Mapping[str, date], country: str) -> Clock:
    article = "26(3)" if track is Track.simplified_destruction else "17(3)"
    due = after_working_days(noted["detained"], 1, country)
    text = "tell the declarant or the holder of the goods of the detention"
    return Clock("declarant_notified", text, due, f"{REGULATION}, Article {article}", noted.get("declarant_notified"))


def _simplified(noted: Mapping[str, date], country: str) -> list[Clock]:
    clocks = []
    if (sent := noted.get("declarant_notified")) is not None:
        due = after_working_days(sent, TEN, country)
        text = "the declarant may object; silence counts as consent to destruction"
        answered = noted.get("declarant_agrees") or noted.get("declarant_objects")
        clocks.append(Clock("declarant_answers", text, due, f"{REGULATION}, Article 26(4) to (6)", answered))
    if "declarant_objects" in noted and (told_holder := noted.get("holder_notified")) is not None:
        due = after_working_days(told_holder, TEN, country)
        text = "the right holder opens proceedings, or the goods are released"
        done = noted.get("proceedings")
        clocks.append(Clock("proceedings", text, due, f"{REGULATION}, Article 26(8) and (9)", done))
    return clocks


def _standard(noted: Mapping[str, date], country: str, days: int, *, perishable: bool) -> list[Clock]:
    clocks = []
    due = after_working_days(noted["detained"], 1, country)
    text = "tell the right holder, the same day as the declarant or promptly after"
    clocks.append(Clock("holder_notified", text, due, f"{REGULATION}, Article 17(3)", noted.get("holder_notified")))
    if (sent := noted.get("holder_notified")) is not None:
        longer = TEN if "extended" in noted and not perishable else 0
        due = after_working_days(sent, days + longer, country)
        article = "23(1)(a) and (4)" if longer else "23(1)(a)"
        text = "the right holder confirms the infringement and consents to destruction, or opens proceedings"
        answered = noted.get("holder_confirms") or noted.get("holder_says_genuine") or noted.get("proceedings")
        clocks.append(Clock("holder_answers", text, due, f"{REGULATION}, Article {article}", answered))
    if (sent := noted.get("declarant_notified")) is not None:
        due = after_working_days(sent, days, country)
        text = "the declarant agrees or objects to destruction; silence may count as consent"
        answered = noted.get("declarant_agrees") or noted.get("declarant_objects")
        clocks.append(Clock("declarant_answers", text, due, f"{REGULATION}, Article 23(1)(b) and (c)", answered))
    return clocks
