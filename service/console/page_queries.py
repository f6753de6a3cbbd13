"""What the pages show, looked up: declarations, siblings, results, what was counted."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from rapidfuzz import fuzz

from features.hs_codes import hs_plain_text
from features.identifiers.letters import comparable
from features.moments import EPOCH
from features.money import EURO_PER_UNIT
from features.outcome import LABELLED
from service.audit.timeline import timeline
from service.console.translations import words
from service.officers.cases import case_of
from service.record.days_on_record import settled_on
from service.record.ownership import EVERY_OFFICE
from service.record.standing import with_standing
from service.scoring.explanation import Language
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import decided_of, declared_of, latest_of, segments_listed
from service.store.tables import CASE_NOTES, DECISIONS, DECLARATIONS, OUTCOMES, TALLIES

Figures = tuple[list[tuple[str, list[float | None]]], list[str]]  # a row for each ranking; names of the columns
SIBLINGS = 12
WEEKS = 26
WEEK, TO_MONDAY = 604_800_000_000, 259_200_000_000  # microseconds; 1970 began three days after a Monday
CALIBRATED_ON = 2_000  # latest results, of which the risks are looked up
RISK_BANDS = (0.01, 0.03, 0.1, 0.3)
ALIKE = 75  # percent, from which a wording is like another
LOOKED_THROUGH = 300  # latest results, for those that are alike
TALLY_COLUMNS = ("seen", "physical", "scan", "documents", "audit")


def offices(store: Store) -> list[str]:
    """Every office that anything was decided for."""
    with store.reading() as connection:
        return sorted(connection.execute(sa.select(TALLIES.c.office).distinct()).scalars())


def declared(store: Store, consignments: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The latest declaration of each consignment; those that were erased are not in it."""
    bodies: dict[str, dict[str, Any]] = {}
    with store.reading() as connection:
        for batch in in_lists(consignments):
            query = sa.select(DECLARATIONS.c.consignment_id, DECLARATIONS.c.body).where(
                DECLARATIONS.c.consignment_id.in_(batch)
            )
            for row in connection.execute(query.order_by(DECLARATIONS.c.version)):
                if row.body is not None:
                    bodies[row.consignment_id] = row.body
        settled = declared_of(connection, ("consignment_id", "body"), list(consignments))
        bodies |= {row["consignment_id"]: row["body"] for row in settled if row["body"] is not None}
    return bodies


def lodged_at_office(store: Store, consignments: Sequence[str], office: str) -> set[str]:
    """Those of some consignments that a decision was given on at an office."""
    found: set[str] = set()
    with store.reading() as connection:
        for batch in in_lists(consignments):
            query = sa.select(DECISIONS.c.consignment_id).where(DECISIONS.c.consignment_id.in_(batch))
            found.update(connection.execute(query.where(DECISIONS.c.office == office)).scalars())
        settled = decided_of(connection, ("consignment_id", "office"), list(consignments))
    return found | {row["consignment_id"] for row in settled if row["office"] == office}


def goods_of(body: Mapping[str, Any] | None) -> str:
    """The goods of a declaration in one line."""
    lines = (body or {}).get("goods") or []
    return "; ".join(str(line["description"]) for line in lines[:3] if line.get("description"))


def euro_of(body: Mapping[str, Any]) -> float | None:
    """What the goods of a declaration are worth in euro; None where a value or its currency is unknown."""
    lines = body.get("goods") or []
    amounts = [euro_of_line(line) for line in lines]
    return sum(amount for amount in amounts if amount is not None) if lines and None not in amounts else None


def euro_of_line(line: Mapping[str, Any]) -> float | None:
    """What one goods line is worth in euro, at the rounded rates of the features; None where that is unknown."""
    rate = EURO_PER_UNIT.get(str(line.get("currency") or "").upper())
    return None if rate is None or line.get("value") is None else float(line["value"]) * rate


def siblings(store: Store, network: str | None, but: str) -> list[dict[str, Any]]:
    """The latest consignments of a network, with what was found of them."""
    if network is None:
        return []
    latest = (
        sa.select(DECISIONS.c.consignment_id, DECISIONS.c.body)
        .where(DECISIONS.c.network.in_([network, *store.pseudonyms.recoded([network])]))  # one of before keyed hashes
        .where(DECISIONS.c.consignment_id != but)
        .where(DECISIONS.c.stands, DECISIONS.c.salt.is_not(None))
        .order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.decision_id)
        .limit(SIBLINGS)
    )
    named = [network, *filter(None, store.pseudonyms.recoded([network]))]
    with store.reading() as connection:
        bodies = [row.body for row in connection.execute(latest)]
        bodies += [row["body"] for row in latest_of(connection, ["body"], named, SIBLINGS + 1)]
    others = [body for body in bodies if body["consignment_id"] != but]
    newest = sorted(others, key=lambda body: str(body["decided_at"]), reverse=True)[:SIBLINGS]
    numbers = [body["consignment_id"] for body in newest]
    found, declarations = results(store, numbers), declared(store, numbers)
    decisions = with_standing(store, newest)
    return [
        {
            **decision,
            "clearance": decision["standing_clearance"],
            "goods": goods_of(declarations.get(decision["consignment_id"])),
            "results": found[decision["consignment_id"]],
        }
        for decision in decisions
    ]


def events(
    store: Store, consignment_id: str, language: Language, offices: Collection[str] = (EVERY_OFFICE,)
) -> list[dict[str, Any]]:
    """The timeline of a consignment in a language: when, what, and what each entry says to who is for some offices."""
    known = words()["word"]
    return [
        {
            "at": event.at,
            "kind": event.kind,
            "title": event.title[language],
            "details": [
                known[value][language] if isinstance(value, str) and value in known else str(value)
                for name, value in event.details.items()
                if name != "decision_id"
            ],
        }
        for event in timeline(store, consignment_id, offices)
    ]


def results(store: Store, consignments: Sequence[str]) -> defaultdict[str, list[dict[str, Any]]]:
    """The results of each consignment, newest first."""
    of_consignment: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    with store.reading() as connection:
        for batch in in_lists(consignments):
            query = sa.select(OUTCOMES).where(OUTCOMES.c.consignment_id.in_(batch)).order_by(OUTCOMES.c.known_at.desc())
            for row in connection.execute(query):
                of_consignment[row.consignment_id].append({**row.body, "known_at": row.known_at})
    return of_consignment


def entered_last(store: Store, officer: str, since: int) -> list[str]:
    """The consignments whose results an officer entered at the same moment, his last one, not before `since`."""
    query = sa.select(OUTCOMES.c.consignment_id, OUTCOMES.c.known_at, OUTCOMES.c.body["officer"].as_string())
    with store.reading() as connection:
        rows = connection.execute(query.where(OUTCOMES.c.known_at >= since)).all()
    entered = [(known_at, number) for number, known_at, by in rows if by == officer]
    return sorted(number for known_at, number in entered if known_at == max(entered)[0])


def spent_today(store: Store, hour: int) -> list[dict[str, Any]]:
    """Of each office, how many consignments came in since midnight (UTC) and what checks they took."""
    sums = [sa.func.sum(TALLIES.c[name]).label(name) for name in TALLY_COLUMNS]
    today = sa.select(TALLIES.c.office, *sums).where(TALLIES.c.hour >= hour // 24 * 24).group_by(TALLIES.c.office)
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(today.order_by(TALLIES.c.office)).mappings()]


def _labelled_since(now: int) -> list[sa.ColumnElement[bool]]:
    """Choose the results of the last WEEKS that say whether goods comply."""
    return [OUTCOMES.c.known_at >= now - WEEKS * WEEK, OUTCOMES.c.result.in_(LABELLED)]


def hit_rates(store: Store, now: int) -> list[dict[str, Any]]:
    """By week and by what chose them: how many were inspected and how many of them were not compliant."""
    week = (OUTCOMES.c.known_at + TO_MONDAY) // WEEK
    selection = sa.func.coalesce(OUTCOMES.c.selection, "unknown")
    hit = sa.case((OUTCOMES.c.result == "non_compliant", 1), else_=0)
    dated = (
        sa.select(week.label("week"), selection.label("by"), hit.label("hit")).where(*_labelled_since(now)).subquery()
    )
    query = sa.select(dated.c.week, dated.c.by, sa.func.count(), sa.func.sum(dated.c.hit))
    with store.reading() as connection:
        rows = connection.execute(query.group_by(dated.c.week, dated.c.by)).all()
    counts = {
        (f"{EPOCH + timedelta(microseconds=int(number) * WEEK - TO_MONDAY):%G-W%V}", chosen): (int(tried), int(found))
        for number, chosen, tried, found in rows
    }
    return [
        {"week": week, "selection": selection, "inspected": inspected, "found": found, "rate": found / inspected}
        for (week, selection), (inspected, found) in sorted(counts.items(), reverse=True)
    ]


def calibration(store: Store, now: int) -> list[dict[str, Any]]:
    """By band of the risk that was stated: how many were inspected, and what was foretold and found of them."""
    latest = sa.select(OUTCOMES.c.consignment_id, OUTCOMES.c.result).where(*_labelled_since(now))
    sums: defaultdict[int, list[float]] = defaultdict(lambda: [0, 0.0, 0])
    with store.reading() as connection:
        rows = connection.execute(latest.order_by(OUTCOMES.c.known_at.desc()).limit(CALIBRATED_ON)).all()
        hit = {number: result == "non_compliant" for number, result in reversed(rows)}  # the one known last counts
        for batch in in_lists(list(hit)):
            risks = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.risk).where(
                DECISIONS.c.consignment_id.in_(batch), DECISIONS.c.risk.is_not(None)
            )
            for number, risk in connection.execute(risks.order_by(DECISIONS.c.version)):  # a result has lifted it
                band = sum(risk >= edge for edge in RISK_BANDS)
                sums[band][0] += 1
                sums[band][1] += risk
                sums[band][2] += hit[number]
    edges = (0.0, *RISK_BANDS, 1.0)
    return [
        {"low": edges[band], "high": edges[band + 1], "inspected": int(n), "foretold": risk / n, "found": found / n}
        for band, (n, risk, found) in sorted(sums.items())
    ]


def alarms(reports: Path) -> dict[str, Any] | None:
    """What `tamis monitor` said last: until which day, alarms that ring, readings; None where it never ran."""
    written = sorted(reports.glob("monitor/*/monitor.json"))
    if not written:
        return None
    report = json.loads(written[-1].read_text(encoding="utf-8"))
    series = {reading["meaning"]: reading["series"] for reading in report["latest"]}
    ringing = [alarm | {"series": series.get(alarm["what"], "")} for alarm in report["alarms"] if alarm["ringing"]]
    return {"last": report["last"], "ringing": ringing, "readings": report["latest"]}


def trainings(reports: Path) -> list[tuple[str, Figures]]:
    """The latest training of each model beside the obvious alternatives, and beside the champion it would follow."""
    tables = []
    for path in sorted(reports.glob("*-training.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        name = path.name.removesuffix("-training.json")
        tables.append((name, _laid_out(content["figures"])))
        if "contest" in content:
            tables.append((f"{name} – {content['champion']}", _laid_out(content["contest"])))
    return tables


def _laid_out(figures: Mapping[str, Mapping[str, float]]) -> Figures:
    names = list(dict.fromkeys(name for of in figures.values() for name in of))
    return [(ranking, [of.get(name) for name in names]) for ranking, of in figures.items()], names


def due(store: Store, consignments: Sequence[str]) -> dict[str, Any]:
    """Of those that were detained, what is due next, a Clock."""
    with store.reading() as connection:
        wanted = sa.select(CASE_NOTES.c.consignment_id).where(CASE_NOTES.c.consignment_id.in_(consignments)).distinct()
        detained = connection.execute(wanted).scalars().all()
    cases = [(number, case_of(store, number)) for number in detained]
    return {number: clock for number, case in cases if case is not None and (clock := case.due()) is not None}


def similar(store: Store, body: Mapping[str, Any], but: str) -> list[dict[str, Any]]:
    """The latest results of consignments with like wording, or of the same kind of goods (HS-6) and country.

    The likest come first; of those that are alike in kind alone, the latest.
    """
    kinds, wording = _kinds(body), _wording(body)
    if not kinds and not wording:
        return []
    latest = sa.select(OUTCOMES.c.consignment_id).where(OUTCOMES.c.consignment_id != but)
    with store.reading() as connection:
        numbers = connection.execute(latest.order_by(OUTCOMES.c.known_at.desc()).limit(LOOKED_THROUGH)).scalars().all()
    declared_as = declared(store, list(dict.fromkeys(numbers)))
    likeness = {number: _likeness(wording, _wording(other)) for number, other in declared_as.items()}
    alike = [number for number, other in declared_as.items() if likeness[number] >= ALIKE or _kinds(other) & kinds]
    found = results(store, alike)
    similar = [
        {
            **found[n][0],
            "likeness": likeness[n],
            "consignment_id": n,
            "goods": goods_of(declared_as[n]),
            "office": declared_as[n].get("office"),
        }
        for n in alike
        if found[n]
    ]
    return sorted(similar, key=lambda one: (max(ALIKE - 1, one["likeness"]), one["known_at"]), reverse=True)[:SIBLINGS]


def _wording(body: Mapping[str, Any]) -> str:
    """The words of the goods, in the form in which they are compared."""
    return comparable(" ".join(str(line.get("description") or "") for line in body.get("goods") or [])) or ""


def _likeness(one: str, other: str) -> int:
    """How alike two wordings are, in percent, whatever the order of their words."""
    return round(fuzz.token_sort_ratio(one, other)) if one and other else 0


def _kinds(body: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Country of dispatch and HS-6 of each line."""
    place = str(body.get("dispatch_country") or "")
    return {(place, hs_plain_text(str(line["hs_code"]))[:6]) for line in body.get("goods") or [] if line.get("hs_code")}


def risks_of_newest_day(store: Store) -> tuple[date, list[float]] | None:
    """The newest day that anything was decided for, and the risks of what stands of it; None where there is none."""
    newest = sa.select(sa.func.max(DECISIONS.c.day)).where(DECISIONS.c.risk.is_not(None))
    with store.reading() as connection:
        days = [connection.execute(newest).scalar(), *(one.last_day for one in segments_listed(connection))]
        day = max((one for one in days if one is not None), default=None)
        if day is None:
            return None
        chosen = sa.select(DECISIONS.c.risk).where(DECISIONS.c.day == day, DECISIONS.c.stands)
        settled = settled_on(connection, pl.Schema({"risk": pl.Float64()}), (day, day))["risk"].drop_nulls().to_list()
        risks = [float(risk) for risk in connection.execute(chosen).scalars() if risk is not None] + settled
    return EPOCH.date() + timedelta(days=day), risks


def rule_hits(store: Store, now: int) -> dict[str, tuple[int, int]]:
    """Of each rule, how many of the inspected that it had asked for there were, and how many were not compliant."""
    by_rule = OUTCOMES.c.selection == "rule"
    query = sa.select(OUTCOMES.c.consignment_id, OUTCOMES.c.result).where(by_rule, *_labelled_since(now))
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    with store.reading() as connection:
        hit = {number: result == "non_compliant" for number, result in connection.execute(query)}
        for batch in in_lists(list(hit)):
            bodies = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.body).where(
                DECISIONS.c.consignment_id.in_(batch), DECISIONS.c.stands, DECISIONS.c.salt.is_not(None)
            )
            for number, body in connection.execute(bodies):
                for reason in body["reasons"]:
                    if reason["code"].startswith("rule."):
                        counts[reason["code"].removeprefix("rule.")][0] += 1
                        counts[reason["code"].removeprefix("rule.")][1] += hit[number]
    return {code: (inspected, found) for code, (inspected, found) in counts.items()}
