"""Answers in the format of the caller: JSON, ICS2, EDIFACT 7365, ASYCUDA lanes, CSV for a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from features.choices import KINDS, AnswerKind
from features.fault import Fault
from service.answers import ics2_answers as ics2
from service.answers.answer_codes import AnswerCodes, load_codes
from service.answers.spreadsheet import for_spreadsheet
from service.orientation.decisions import frame_of

OF_ICS2 = ("IE4S02", "IE4Q04", "IE4Q05")
ENDINGS: dict[AnswerKind, str] = {
    "json": "json",
    "IE4S02": "IE4S02.xml",
    "IE4Q04": "IE4Q04.xml",
    "IE4Q05": "IE4Q05.xml",
    "edifact": "edifact.json",
    "asycuda": "asycuda.json",
    "csv": "csv",
}
Decision = Mapping[str, Any]
Written = Callable[[Sequence[Decision], Mapping[str, str], AnswerCodes], bytes | None]


class NoSuchAnswer(Fault):
    """An answer format that does not fit the message; names those that do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as sent; content is None where there is nothing to answer."""

    content: bytes | None
    media_type: str


def answer(
    kind: AnswerKind,
    decisions: Sequence[Decision],
    header: Mapping[str, str],
    format: str,
    codes: AnswerCodes,
) -> Answer:
    """Write decisions in the format `kind`; `header` and `format` are those of the message to answer.

    Raises NoSuchAnswer as `refuse_unfit` does.
    """
    refuse_unfit(kind, format, len(decisions))
    if not decisions:
        return Answer(None, MEDIA[kind])
    return Answer(WRITERS[kind](decisions, header, codes), MEDIA[kind])


def refuse_unfit(kind: AnswerKind, format: str, consignments: int) -> None:
    """Raise NoSuchAnswer for an ICS2 answer to a message of another format, or to too many consignments."""
    if kind in OF_ICS2 and format != "ics2":
        raise NoSuchAnswer(f"{kind} answers an ICS2 message; ask for json, edifact, asycuda or csv")
    if kind in OF_ICS2 and consignments > ics2.MOST_REQUESTS:
        raise NoSuchAnswer(f"{kind} holds at most {ics2.MOST_REQUESTS} houses; split the message")


def _by_lane(table: str) -> Written:
    def write(decisions: Sequence[Decision], _: Mapping[str, str], codes: AnswerCodes) -> bytes:
        words: Mapping[str, str] = getattr(codes, table)
        consignments = [
            {
                "consignment_id": decision["consignment_id"],
                "version": decision["version"],
                table: words[decision["clearance"]],
            }
            for decision in decisions
        ]
        return json.dumps({"consignments": consignments}, ensure_ascii=False).encode()

    return write


def _json(decisions: Sequence[Decision], _: Mapping[str, str], __: AnswerCodes) -> bytes:
    return json.dumps({"decisions": list(decisions)}, ensure_ascii=False).encode()


def _csv(decisions: Sequence[Decision], _: Mapping[str, str], __: AnswerCodes) -> bytes:
    return for_spreadsheet(frame_of([dict(decision) for decision in decisions])).write_csv().encode()


WRITERS: dict[AnswerKind, Written] = {
    "json": _json,
    "IE4S02": ics2.risk_result,
    "IE4Q04": ics2.information_request,
    "IE4Q05": ics2.screening_request,
    "edifact": _by_lane("edifact_7365"),
    "asycuda": _by_lane("asycuda"),
    "csv": _csv,
}
XML = "application/xml"
MEDIA: dict[AnswerKind, str] = {
    "json": "application/json",
    "IE4S02": XML,
    "IE4Q04": XML,
    "IE4Q05": XML,
    "edifact": "application/json",
    "asycuda": "application/json",
    "csv": "text/csv; charset=utf-8",
}

__all__ = [
    "ENDINGS",
    "KINDS",
    "Answer",
    "AnswerCodes",
    "AnswerKind",
    "NoSuchAnswer",
    "answer",
    "for_spreadsheet",
    "load_codes",
    "refuse_unfit",
]
