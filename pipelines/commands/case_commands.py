"""`tamis cases`: what was detained, what is due until when, and what the right holder said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import DAYS, current_settings
from pipelines.commands.usage import TamisGroup

if TYPE_CHECKING:
    from service.officers.cases import Case

cases = typer.Typer(cls=TamisGroup, help="Cases: detain, note, and the statutory deadlines.", no_args_is_help=True)
Consignment = Annotated[str, typer.Argument(help="the consignment")]
Officer = Annotated[str, typer.Option(help="pseudonymous id of the officer")]
At = Annotated[datetime | None, typer.Option(formats=[*DAYS, "%Y-%m-%dT%H:%M"], help="when; now where absent")]


@cases.command("detain")
def detain_consignment(
    consignment: Consignment,
    officer: Officer,
    right_holder: Annotated[str, typer.Option(help="whose right would be infringed; empty where nobody knows")] = "",
    finding: Annotated[list[str] | None, typer.Option(help="what was found; may be given several times")] = None,
    criminal_link: Annotated[
        bool, typer.Option("--criminal-link", help="a link to organised crime is suspected")
    ] = False,
    units: Annotated[float | None, typer.Option(help="pieces found; as declared where absent")] = None,
    gross_kg: Annotated[float | None, typer.Option(help="gross mass found; as declared where absent")] = None,
    country: Annotated[str, typer.Option(help="member state whose working days count")] = "FR",
    at: At = None,
) -> None:
    """Open a case: its track, the conditions of the simplified procedure, and what is due."""
    from features.finding_kinds import load_kinds
    from features.finding_words import kind_of_finding
    from service.journal import open_journal
    from service.officers.cases import Detained, detain
    from service.serving.serving_bundle import open_serving

    settings = current_settings()
    kinds = load_kinds(settings.kinds)
    meant = [kind_of_finding(word, kinds) for word in finding or ["counterfeit"]]
    if None in meant:
        raise Fault(f"--finding takes {', '.join(kinds.codes)}; {meant.count(None)} given is none of them")
    findings = kinds.with_wider(kind for kind in meant if kind)
    detained = Detained(
        consignment, _at(at), officer, country.upper(), right_holder or None, findings, criminal_link, units, gross_kg
    )
    tracks = open_serving(settings).policy.tracks
    _tell(detain(open_journal(settings), detained, tracks))
    for one in tracks.of_holder(right_holder, detained.at.date()):
        show.line(f"  application {one.number or '(no number)'}; to be told: {one.contact or '(no contact)'}")


@cases.command("note")
def note_step(
    consignment: Consignment,
    step: Annotated[str, typer.Argument(help="what happened")],
    officer: Officer,
    at: At = None,
) -> None:
    """Note what happened in a case; a right holder's answer becomes an inspection result."""
    from service.journal import open_journal
    from service.officers.cases import note

    _tell(note(open_journal(current_settings()), consignment, step, _at(at), officer))


@cases.command("show")
def show_case(consignment: Consignment) -> None:
    """One case: its track and why, what was noted, and its clocks."""
    from service.journal import open_journal
    from service.officers.cases import case_of

    case = case_of(open_journal(current_settings()).store, consignment)
    if case is None:
        raise Fault("no case of this consignment is open")
    _tell(case)


@cases.command("list")
def list_cases() -> None:
    """Open cases, the most urgent first."""
    from service.journal import open_journal
    from service.officers.cases import open_cases
    from service.officers.working_days import working_days_between

    still_open, today = open_cases(open_journal(current_settings()).store), datetime.now(UTC).date()
    for case in still_open:
        due = case.due()
        if due is None:
            show.line(f"{case.consignment_id:<24} {case.track.name:<24} nothing is due")
            continue
        left = working_days_between(today, due.due, case.country)
        state = f"{show.counted(left, 'working day')} left" if due.due >= today else "overdue"
        show.line(f"{case.consignment_id:<24} {case.track.name:<24} {due.due} {state}: {due.text}")
    show.line(show.counted(len(still_open), "open case"))


def _tell(case: Case) -> None:
    from service.orientation.track_conditions import CONDITIONS

    show.line(f"{case.consignment_id}: track {case.track.name}, {'open' if case.open else 'closed'}")
    words = {True: "yes", False: "no", None: "not known"}
    for condition in CONDITIONS:
        show.line(f"  {words[case.answers[condition.name]]:<10} {condition.text} ({condition.source})")
    for step, day in case.noted.items():
        show.line(f"  {day} {step}")
    for clock in case.clocks():
        done = "" if clock.done is None else f", done {clock.done}" + ("" if clock.kept else ", late")
        show.line(f"  until {clock.due}: {clock.text} ({clock.source}){done}")


def _at(at: datetime | None) -> datetime:
    return datetime.now(UTC) if at is None else at.replace(tzinfo=UTC)
