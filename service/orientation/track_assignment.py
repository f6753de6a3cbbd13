"""The track after a finding, for every consignment to be checked: from rules, the severity model and the law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.consignment import Consignments
from features.hs_codes import hs_plain_text
from features.moments import EPOCH
from service.orientation.columns import Floats, Ints, Known
from service.orientation.lanes import YELLOW, Track
from service.orientation.normal_texts import normal
from service.orientation.periods import MICROSECOND
from service.orientation.track_conditions import Suspicion, Tracks, eligibility, may_be_simplified
from service.scoring import Scores

TRACKED = {
    "investigation": {
        "en": "If something is found, it is likely to be dangerous or to have a criminal link",
        "fr": "En cas de constat, un danger ou un lien criminel est probable",
        "zh": "如有查获，很可能涉及危险品或犯罪关联",
    },
    "simplified_destruction": {
        "en": "If it is counterfeit, the procedure for small consignments is open",
        "fr": "En cas de contrefaçon, la procédure des petits envois est possible",
        "zh": "如为假冒商品，可适用小件货物简易程序",
    },
}


@dataclass(frozen=True, slots=True)
class Followed:
    """What follows a finding in each consignment.

    track: by number (Track). grave: the probability of danger or a criminal link, given a finding; NaN where nobody
    looks. unsure: by row, conditions of the simplified procedure that are unknown until the parcel is open.
    """

    track: Ints
    grave: Floats
    unsure: Mapping[int, Sequence[str]]


def follow(
    lane: Ints,
    rule_track: Ints,
    consignments: Consignments,
    known: Known,
    scores: Scores,
    tracks: Tracks,
    *,
    codes_as_written: bool = False,
) -> Followed:
    """Choose the track of consignments in the red or yellow lane; a rule may ask for a stricter one than the model.

    codes_as_written: as the first edition of judging did (DecisionContext).
    """
    looked_at = np.flatnonzero(lane >= YELLOW)
    grave, track, unsure = np.full(len(lane), np.nan), np.zeros(len(lane), np.int64), {}
    if len(looked_at):
        grave[looked_at] = scores.severity(looked_at)
    wording = bool(tracks.applications)
    cases = _suspicions(looked_at, consignments, known, wording=wording, codes_as_written=codes_as_written)
    for place, case in cases:
        chosen = Track.none
        if grave[place] >= tracks.investigation:
            chosen = Track.investigation
        elif not np.isnan(grave[place]) and may_be_simplified(answers := eligibility(tracks, case)):
            chosen = Track.simplified_destruction
            unsure[place] = [name for name, answer in answers.items() if answer is None]
        track[place] = max(chosen, rule_track[place])
    return Followed(track, grave, unsure)


def track_evidence(oriented: dict[str, Any]) -> dict[str, Any] | None:
    """Return the evidence of a track: the probability it rests on, to two places, or the open conditions."""
    if oriented["track"] == Track.investigation.name:
        return {"chance": round(oriented["grave"], 2)}
    return {"to_be_seen": oriented["unsure"]} if oriented["unsure"] else None


def _suspicions(
    rows: Ints, consignments: Consignments, known: Known, *, wording: bool, codes_as_written: bool
) -> Iterator[tuple[int, Suspicion]]:
    """Give of each of these rows what the conditions need; the wording of its goods only where they ask for it."""
    if not len(rows):
        return
    lines = _lines_of(rows, consignments, wording=wording, codes_as_written=codes_as_written)
    stream = known.text("stream")
    units, gross = (_or_none(known.number(name)[rows]) for name in ("pieces", "gross_mass_kg"))
    moments = known.moments("lodged_at")[rows].tolist()
    for nth, row in enumerate(rows.tolist()):
        codes, words = lines.get(row, ([], []))
        day = (EPOCH + moments[nth] * MICROSECOND).date()
        of_stream = stream.words[stream.codes[row]]
        yield row, Suspicion(of_stream, units[nth], gross[nth], tuple(codes), day, wording=" ".join(words))


def _lines_of(
    rows: Ints, consignments: Consignments, *, wording: bool, codes_as_written: bool
) -> dict[int, tuple[list[str], list[str]]]:
    """Return the known HS codes and wordings of the goods lines of rows, by row."""
    of_line = consignments.lines.whole("row").values
    chosen = np.zeros(len(consignments), np.bool_)
    chosen[rows] = True
    lines = np.flatnonzero(chosen[of_line])
    declared = consignments.lines.text_or_unknown("hs_code").take(lines).rows()
    codes = declared if codes_as_written else [code and hs_plain_text(code) for code in declared]
    described = consignments.lines.text_or_unknown("description").take(lines).rows() if wording else []
    words = normal(described) if wording else [None] * len(lines)
    found: dict[int, tuple[list[str], list[str]]] = {}
    for row, code, wording_of_line in zip(of_line[lines].tolist(), codes, words, strict=True):
        of_row = found.setdefault(row, ([], []))
        of_row[0].extend([code] if code else [])
        of_row[1].extend([wording_of_line] if wording_of_line else [])
    return found


def _or_none(numbers: Floats) -> list[float | None]:
    return [None if np.isnan(number) else number for number in numbers.tolist()]
