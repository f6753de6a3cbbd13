"""The record beside the one that was kept over frames and through SQLAlchemy: the same calls leave the same rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from features.fault import Fault
from pipelines.training.standard_policy import standard_policy
from service import journal as journal_of_today
from service.desk import Desk, desk_for
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.record.ownership import INSTALLATION, Sender
from service.scoring import Model
from service.store.database import Store
from service.store.pseudonyms import pseudonyms_of
from service.store.tables import TABLES
from service.targeting import target
from tests.databases import DATABASES
from tests.oracle.record import former_store
from tests.oracle.record import journal as former_journal
from tests.service.building import NOON, declared, message, outcome, results

PARIS, LYON = "FRCDG1", "FRLYS1"
SENDERS = (INSTALLATION, INSTALLATION, Sender("post", (PARIS,)), Sender("operator", (PARIS, LYON)))
POLICY = standard_policy()
CALLS = 90
Step = Callable[[Any, Callable[..., Any]], Any]


class Pinned:
    """The clock and the dice of a run: each starts over, so that two runs that ask alike are answered alike."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        numbers = itertools.count(1)
        moments = itertools.count(1)

        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return NOON.astimezone(tz) + timedelta(days=9, microseconds=next(moments))

        class Drawn:
            @property
            def hex(self) -> str:
                return f"{next(numbers):032x}"

        for module in (journal_of_today, former_journal):
            patch.setattr(module, "datetime", Clock)
        patch.setattr("uuid.uuid4", Drawn)
        patch.setattr("secrets.token_hex", lambda size: f"{next(numbers):0{2 * size}x}")


def line(rng: np.random.Generator, number: int) -> dict[str, Any]:
    """One goods line, with what it may lack lacking now and then."""
    whole = {"line_no": number, "description": f"shoes {rng.integers(4)} 鞋 «é»", "hs_code": "640411",
             "quantity": float(rng.integers(1, 40)), "net_mass_kg": round(float(rng.random()), 3),
             "value": round(float(rng.random() * 300), 2), "currency": str(rng.choice(["EUR", "USD", "CNY"])),
             "goods_origin_country": "CN", "product_code": None}  # fmt: skip
    return whole if rng.random() < 0.7 else {k: v for k, v in whole.items() if k not in ("quantity", "hs_code")}


def consignor(rng: np.random.Generator) -> dict[str, Any]:
    """One of few senders, of whom several share a telephone or a mailbox."""
    number = int(rng.integers(12))
    party = {"name": f"Sender {number:03d}", "address": f"{number} Harbour Road", "city": "Yiwu", "country": "CN"}
    party |= {"phone": f"+86 139 0000 {number // 3:04d}"} if rng.random() < 0.7 else {}
    return party | ({"email": f"box{number // 4}@bright.example"} if rng.random() < 0.5 else {})


def parcel(rng: np.random.Generator, number: int, minute: int, **changes: Any) -> dict[str, Any]:
    """A consignment of one to four lines."""
    lines = [line(rng, n) for n in range(1, 1 + int(rng.integers(1, 5)))]
    return declared(
        number, lodged_at=NOON + timedelta(minutes=minute), goods=lines, consignor=consignor(rng),
        office=[PARIS, LYON, None][int(rng.choice(3, p=[0.7, 0.2, 0.1]))],
        gross_mass_kg=round(float(rng.random() * 3), 3) if rng.random() < 0.9 else None, **changes,
    )  # fmt: skip


def steps(seed: int = 5) -> list[Step]:
    """A stream of calls and results; each step is the same whoever takes it."""
    rng, sent, listed = np.random.default_rng(seed), list[tuple[str, dict[str, Any], int]](), list[Step]()
    for n in range(CALLS):
        kind = rng.choice(["new", "several", "amend", "cancel", "late", "repeat", "change", "result", "early", "box"],
                          p=[0.3, 0.13, 0.14, 0.05, 0.05, 0.08, 0.05, 0.12, 0.06, 0.02])  # fmt: skip
        sender = SENDERS[int(rng.integers(len(SENDERS)))]
        if kind in ("new", "several") or not sent:
            count = 1 if kind != "several" else int(rng.integers(2, 9))
            parcels = [parcel(rng, 10 * n + i, n + i % 3) for i in range(count)]
            sent += [(f"M{n}", one, 1) for one in parcels]
            listed.append(_lodged(f"M{n}", parcels, sender))
        elif kind in ("amend", "cancel", "late"):
            _, former, version = sent[int(rng.integers(len(sent)))]
            minute = n if kind != "late" else -1
            purpose = "cancellation" if kind == "cancel" else "amendment"
            changes = {"consignment_id": former["consignment_id"], "version": version + 1, "purpose": purpose}
            again = parcel(rng, 0, minute) | changes
            sent.append((f"M{n}", again, version + 1))
            listed.append(_lodged(f"M{n}", [again], sender))
        elif kind in ("repeat", "change"):
            message_id, former, _ = sent[int(rng.integers(len(sent)))]
            listed.append(_lodged(message_id, [former | ({"mail_class": "X"} if kind == "change" else {})], sender))
        elif kind == "box":
            listed.append(_lodged(f"M{n}", [parcel(rng, 10 * n + i, n) for i in range(70)], INSTALLATION))
        else:
            known = int(sent[int(rng.integers(len(sent)))][1]["consignment_id"][4:])
            number = 10 * (n + 1) if kind == "early" else known
            word = "non_compliant" if rng.random() < 0.5 else "compliant"
            found = outcome(number, known_at=NOON + timedelta(minutes=n), result=word)
            listed.append(_learned(found, sender))
    return listed


def _lodged(message_id: str, parcels: list[dict[str, Any]], sender: Sender) -> Step:
    return lambda desk, send: send(message(*parcels, message_id=message_id), desk_for(desk, sender)).as_json()


def _learned(found: dict[str, Any], sender: Sender) -> Step:
    return lambda desk, _: desk.journal.sent_by(sender).learn(results(found))


def taken(desk: Any, send: Callable[..., Any], stream: list[Step]) -> list[Any]:
    """What each step gave, or the fault by which it was refused."""
    answers: list[Any] = []
    for step in stream:
        try:
            answers.append(step(desk, send))
        except Fault as fault:
            answers.append((type(fault).__name__, str(fault)))
    return [str(answer) for answer in answers]


def tables_of(store: Store) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, by their primary keys; a file of settled history by what it is."""
    with store.reading() as connection:
        return {
            table.name: [
                dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()
            ]
            for table in TABLES.sorted_tables
        }


def differing(before: Any, now: Any) -> Any:
    """What two rows do not agree in."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = [*before, *(name for name in now if name not in before)]
        return {n: differing(before.get(n), now.get(n)) for n in names if before.get(n) != now.get(n)}
    return before, now


@pytest.fixture(params=DATABASES)
def addresses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two empty databases of one kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'former.db'}", f"sqlite:///{tmp_path / 'today.db'}"
    else:
        yield request.getfixturevalue("other_postgresql"), request.getfixturevalue("postgresql")


@pytest.mark.parametrize(("grouped", "linking"), [(True, True), (False, False)])
def test_the_same_calls_leave_the_same_rows(
    addresses: tuple[str, str], model: Model, tmp_path: Path, grouped: bool, linking: bool
) -> None:
    switch = LinkingSwitch(tmp_path / "linking.json")
    if linking:
        switch.turn_on("tests", "nobody here exists", datetime(2026, 1, 1, tzinfo=UTC))
    keys, stream, policy = tmp_path / "keys", steps(), load_policy(POLICY)
    pseudonyms_of(keys)  # made now, as it is drawn too
    found = []
    for address, folder in zip(addresses, ("former", "today"), strict=True):
        where = {"folder": tmp_path / folder, "keys": keys, "grouped": grouped}
        with pytest.MonkeyPatch.context() as patch:
            Pinned(patch)
            if folder == "former":
                store: Store = former_store.Store(address, **where)  # type: ignore[arg-type]
                desk: Any = former_store.desk_of(store, switch, model, policy)  # type: ignore[arg-type]
                answers = taken(desk, former_store.target, stream)
            else:
                store = Store(address, **where)  # type: ignore[arg-type]
                desk = Desk(StoredParties(store, switch), StoredHistory(store), model, policy, Journal(store, switch))
                answers = taken(desk, target, stream)
            found.append((answers, tables_of(store)))
        store.close()
    (answers_before, before), (answers_now, now) = found
    assert answers_now == answers_before
    for name, rows in before.items():
        assert [differing(*pair) for pair in zip(rows, now[name], strict=True) if pair[0] != pair[1]] == [], name
    for name in ("declarations", "decisions", "running", "outcomes", "early_results", "transfers", "chain", "tallies"):
        assert before[name], name
    if linking:
        assert before["links"]
        assert before["evidence"]
