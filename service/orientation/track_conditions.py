"""The two tracks: simplified destruction of safe goods without a criminal link, investigation of the rest.

A track is a proposal of what follows if a check finds something; the officer decides. The requirements of Regulation
(EU) 608/2013 for the simplified procedure for small consignments are a list of conditions, each with its article, each
true, false or unknown before the parcel is open. A false one rules the procedure out; an unknown one is left to the
officer, and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from service.orientation.applications import Application, read_applications
from service.orientation.policy_sections import above_zero, section_of, share, texts, whole

REGULATION = "Regulation (EU) No 608/2013"
HS_PERISHABLE = ("02", "03", "04", "06", "07", "08", "16", "1905", "2105")  # (K) no list in the text: a setting


@dataclass(frozen=True, slots=True)
class Suspicion:
    """The facts of a consignment when its track is chosen; None where unknown.

    units: as declared or found. gross_kg: of the consignment. codes: HS codes of its goods lines. counterfeit: whether
    the goods are suspected, or found, to be counterfeit or pirated. right_holder: of the right at issue. wording: of
    the goods, normalised for comparison, where no right holder is named yet.
    """

    stream: str | None
    units: float | None
    gross_kg: float | None
    codes: tuple[str, ...]
    day: date
    counterfeit: bool | None = None
    right_holder: str | None = None
    wording: str = ""


@dataclass(frozen=True, slots=True)
class Tracks:
    """The settings of both tracks.

    investigation: the probability of danger or a criminal link, given a finding, from which a finding is to be
        investigated. units, below_kg: what makes a consignment small. perishable: beginnings of HS codes.
    applications: of right holders, as granted.
    """

    investigation: float = 0.4
    units: int = 3
    below_kg: float = 2.0
    perishable: tuple[str, ...] = HS_PERISHABLE
    applications: tuple[Application, ...] = field(default_factory=tuple)

    def application_for(self, case: Suspicion) -> Application | None:
        """Return the valid application of the right holder that is named, or that the goods' wording names."""
        if case.right_holder is not None:
            return next(iter(self.of_holder(case.right_holder, case.day)), None)
        valid = (application for application in self.applications if application.holds_on(case.day))
        return next((application for application in valid if application.covers(case.wording, case.codes)), None)

    def of_holder(self, right_holder: str, day: date) -> list[Application]:
        """Return the applications of a right holder that are valid on a day."""
        name = right_holder.casefold()
        return [
            application
            for application in self.applications
            if application.holds_on(day) and application.right_holder.casefold() == name
        ]


Answer = bool | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the simplified procedure: its name, text, legal source and test."""

    name: str
    text: str
    source: str
    judge: Callable[[Tracks, Suspicion], Answer]


def _is_small(tracks: Tracks, case: Suspicion) -> Answer:
    """Test units and weight: either is enough; false only when neither can hold."""
    if case.stream not in ("postal", "express"):
        return False
    few_units = None if case.units is None else case.units <= tracks.units
    light = None if case.gross_kg is None else case.gross_kg < tracks.below_kg
    return True if few_units or light else None if None in (few_units, light) else False


def _keeps(tracks: Tracks, case: Suspicion) -> Answer:
    if any(code.startswith(tracks.perishable) for code in case.codes):
        return False
    return True if case.codes else None


def _is_covered(tracks: Tracks, case: Suspicion) -> Answer:
    if tracks.application_for(case) is not None:
        return True
    return None if case.right_holder is None else False


def _is_asked_for(tracks: Tracks, case: Suspicion) -> Answer:
    granted = tracks.application_for(case)
    return _is_covered(tracks, case) if granted is None else granted.small_consignments


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "counterfeit",
        "the goods are suspected of being counterfeit or pirated",
        f"{REGULATION}, Article 26(1)(a)",
        lambda _, case: case.counterfeit,
    ),
    Condition("not-perishable", "the goods are not perishable", f"{REGULATION}, Article 26(1)(b)", _keeps),
    Condition(
        "application-granted",
        "a decision granting an application covers the goods",
        f"{REGULATION}, Article 26(1)(c)",
        _is_covered,
    ),
    Condition(
        "procedure-requested",
        "the right holder has asked for this procedure in the application",
        f"{REGULATION}, Article 26(1)(d)",
        _is_asked_for,
    ),
    Condition(
        "small-consignment",
        "it came by post or express courier and holds three units or fewer, or weighs less than two kilograms gross",
        f"{REGULATION}, Articles 26(1)(e) and 2(19)",
        _is_small,
    ),
)


def eligibility(tracks: Tracks, case: Suspicion) -> dict[str, Answer]:
    """Return each condition of the simplified procedure, by name: true, false, or None where unknown."""
    return {condition.name: condition.judge(tracks, case) for condition in CONDITIONS}


def may_be_simplified(answers: Mapping[str, Answer]) -> bool:
    """Return true if no known answer rules out the simplified procedure."""
    return all(answer is not False for answer in answers.values())


def read_tracks(written: Mapping[str, Any]) -> Tracks:
    """Read the sections `track` and `applications` of a policy."""
    usual = Tracks()
    section = section_of(written, "track", {"investigation", "units", "below_kg", "perishable"})
    return Tracks(
        share(section, "track.investigation", usual.investigation),
        whole(section, "track.units", usual.units),
        above_zero(section, "track.below_kg", usual.below_kg),
        texts(section, "track.perishable", usual.perishable),
        read_applications(written.get("applications", [])),
    )
