"""The track after a finding, for every consignment to be checked: from rules, the law, the record and severity.

The conditions of the law are judged by themselves, from the first day. Where a severity model serves, its chance of
danger or a criminal link decides beside them. Where none does yet, what is on record of the sender does, and the reason
says that nobody has estimated the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from features.columns.identifiers import GRAVE_MEAN
from features.consignment import Consignments
from features.hs_codes import hs_plain_text
from features.moments import EPOCH
from service.orientation.columns import Bools, Floats, Ints, Known
from service.orientation.context import EDITION
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


UNJUDGED = {  # while no severity model serves
    "investigation": {
        "en": "Findings with the sender's identifiers or in its network were dangerous or had a criminal link",
        "fr": "Des constats liés aux identifiants ou au réseau de l'expéditeur étaient dangereux ou liés à un crime",
        "zh": "寄件人标识或其团伙的既往查获涉及危险品或犯罪关联",
    },
    "simplified_destruction": {
        "en": "If it is counterfeit, the law opens the procedure for small consignments; danger or a criminal link "
        "were not estimated",
        "fr": "En cas de contrefaçon, la loi permet la procédure des petits envois ; ni danger ni lien criminel n'ont "
        "été estimés",
        "zh": "如为假冒商品，依法可适用小件货物简易程序；尚未评估危险性和犯罪关联",
    },
}
ROUNDING = 1e-9
NOT_ESTIMATED = "no-danger-or-criminal-link"  # what an officer has to see to beside the conditions of the law
ON_RECORD = ("identifiers_grave_share", "network_grave_share")  # without a grave finding, GRAVE_MEAN at most


@dataclass(frozen=True, slots=True)
class Followed:
    """What follows a finding in each consignment.

    track: by number (Track). grave: the probability of danger or a criminal link, given a finding; NaN where nobody
    looks or no severity model serves. unsure: by row, what is unknown until the parcel is open: conditions of the
    simplified procedure, and NOT_ESTIMATED.
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
    edition: int = EDITION,
) -> Followed:
    """Choose the track of consignments in the red or yellow lane; a rule may ask for a stricter one.

    edition: of judging (DecisionContext).
    """
    looked_at = np.flatnonzero(lane >= YELLOW)
    grave, track, unsure = np.full(len(lane), np.nan), np.zeros(len(lane), np.int64), {}
    if len(looked_at):
        grave[looked_at] = scores.severity(looked_at)
    wording = bool(tracks.applications)
    cases = _suspicions(looked_at, consignments, known, wording=wording, codes_as_written=edition == 1)
    recorded = _on_record(known)
    for place, case in cases:
        chosen, unestimated = Track.none, bool(np.isnan(grave[place]))
        if grave[place] >= tracks.investigation or (unestimated and recorded[place] and edition > 2):
            chosen = Track.investigation
        elif (not unestimated or edition > 2) and may_be_simplified(answers := eligibility(tracks, case)):
            chosen = Track.simplified_destruction
            unsure[place] = [name for name, answer in answers.items() if answer is None]
            unsure[place] += [NOT_ESTIMATED] if unestimated else []
        track[place] = max(chosen, rule_track[place])
    return Followed(track, grave, unsure)


def _on_record(known: Known) -> Bools:
    """Return where more of what was found with the sender's identifiers or in its network was grave than is usual."""
    one, other = (known.number_if_any(name) > GRAVE_MEAN + ROUNDING for name in ON_RECORD)  # not where it is unknown
    return np.asarray(one | other)


def track_text(oriented: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the sentence of a track that no rule has named, in each language."""
    texts = UNJUDGED if oriented["grave"] is None else TRACKED
    return texts[oriented["track"]]


def track_evidence(oriented: dict[str, Any]) -> dict[str, Any] | None:
    """Return the evidence of a track: the probability it rests on, to two places, or the open conditions."""
    if oriented["track"] == Track.investigation.name and oriented["grave"] is None:
        return None
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
