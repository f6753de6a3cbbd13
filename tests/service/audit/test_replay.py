"""Replays, dossiers, erasure: any decision can be given again and defended, until its content is erased by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from features import fingerprint as fingerprints
from features.catalogue import INPUTS
from features.contract import gate_outcomes
from features.fault import Fault
from features.messages import Message
from features.messages.flat import read_flat
from pipelines.synthetic import build_world
from pipelines.training.standard_policy import standard_policy
from service.api.bodies import outcome_rows
from service.audit.dossier import dossier
from service.audit.erasure import chosen, erase
from service.audit.replay import Bundles, NotReplayable, replay
from service.audit.verify import verify_record
from service.orientation import load_policy
from service.record.audit_log import tail
from service.record.consignment_versions import Gone
from service.scoring import BundleRefused, load_bundle
from service.scoring.bundle import unscored
from service.settings import Settings
from service.store.database import Store
from service.store.tables import CHAIN, DECISIONS, DECLARATIONS, OUTCOMES, POLICIES
from service.targeting import Desk, target
from tests.service.audit.replaying import all_replayed, decisions
from tests.service.building import NOON, declared, in_full, message, outcome
from tests.worlds import TINY_DAYS, TINY_SEED

HOW_MANY = int(os.environ.get("TAMIS_REPLAYS", "600"))
IN_THE_SMALL_ONE = 3_000  # decisions that the world of the other tests is good for


@pytest.fixture(scope="module")
def bundles(quick_home: Path) -> Bundles:
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


def test_a_day_of_a_world_replays_byte_for_byte(trained_desk: Desk, sealed_home: Path, tmp_path: Path) -> None:
    """As a batch and as calls, under a policy that uses its hands; TAMIS_REPLAYS: so many decisions."""
    text = trained_desk.policy.text.replace("least = 0.05", "least = 0.0")
    desk = replace(trained_desk, policy=load_policy(text))
    bundles = Bundles(Settings(home=sealed_home).bundles, Settings(home=sealed_home).keys)
    world = sealed_home.parent / "world"
    if HOW_MANY > IN_THE_SMALL_ONE:
        world = tmp_path / "world"
        build_world(TINY_DAYS, HOW_MANY // 8, TINY_SEED, world)
    files = sorted((world / "manifests").glob("*.parquet"))
    given = 0
    for number, file in enumerate(files):
        rows = read_flat(file).rows
        some = rows if number % 2 else rows.head(40)
        competing: Any = "message" if number % 2 else "day"
        at = NOON + timedelta(days=number)
        given += len(target(Message(some, file.name, at, competing=competing, complete=False), desk).rows)
        if given >= HOW_MANY:
            break
    assert given >= HOW_MANY
    assert all_replayed(desk.journal.store, bundles) == given
    lanes = {row["clearance"] for row in decisions(desk.journal.store)}
    assert {"red", "yellow", "blue", "green"} <= lanes


@pytest.mark.parametrize("language", ["en", "fr", "zh"])
def test_reasons_in_any_language_replay(desk: Desk, bundles: Bundles, language: Any) -> None:
    target(message(*(declared(n) for n in range(8))), replace(desk, language=language))
    assert all_replayed(desk.journal.store, bundles) == 8


def test_a_message_that_was_decided_in_part_before_replays(desk: Desk, bundles: Bundles) -> None:
    target(message(declared(1), declared(2)), desk)
    target(message(declared(3), declared(1), declared(4), declared(2), received_at=NOON + timedelta(hours=2)), desk)
    assert all_replayed(desk.journal.store, bundles) == 4


def test_messages_with_problems_amendments_and_cancellations_replay(desk: Desk, bundles: Bundles) -> None:
    target(message(declared(1, consignee=None, gross_mass_kg=None)), desk)
    target(message(declared(1, version=2, purpose="amendment"), message_id="M2"), desk)
    target(message(declared(1, version=3, purpose="cancellation"), message_id="M3"), desk)
    target(message(declared(2, extra={"colour": "red"}, gross_mass_kg=0.1), message_id="M4"), desk)
    assert all_replayed(desk.journal.store, bundles) == 4


def test_a_later_policy_and_a_changed_capacity_change_no_replay(desk: Desk, bundles: Bundles) -> None:
    (given,) = target(message(declared(1)), desk).rows
    later = load_policy(standard_policy().replace('id = "standard-1"', 'id = "standard-2"'))
    target(message(declared(2), message_id="M2"), replace(desk, policy=later))
    assert replay(desk.journal.store, bundles, given["decision_id"]).identical
    with desk.journal.store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(POLICIES)).scalar_one() == 2


def test_what_was_tampered_with_is_named(desk: Desk, bundles: Bundles) -> None:
    (given,) = target(message(declared(1)), desk).rows
    store = desk.journal.store
    with store.writing() as connection:
        row = connection.execute(sa.select(DECISIONS.c.body)).scalar_one()
        connection.execute(sa.update(DECISIONS).values(body={**row, "risk": 0.99, "clearance": "green"}))
    told = replay(store, bundles, given["decision_id"])
    assert {name for name, _, _ in told.differences} >= {"risk"}
    assert next(recorded for name, recorded, _ in told.differences if name == "risk") == 0.99


def test_what_a_replay_lacks_is_named(desk: Desk, bundles: Bundles, tmp_path: Path) -> None:
    (given,) = target(message(declared(1)), desk).rows
    with pytest.raises(NotReplayable, match="no such decision"):
        replay(desk.journal.store, bundles, "0" * 32)
    with pytest.raises(NotReplayable, match="is not in"):
        replay(desk.journal.store, Bundles(tmp_path, bundles.keys), given["decision_id"])
    shutil.copytree(bundles.folder, tmp_path / "bundles")
    (model,) = (tmp_path / "bundles").glob("*/model.txt")
    model.write_text(model.read_text() + " ")
    with pytest.raises(NotReplayable, match="changed since it was signed"):
        replay(desk.journal.store, Bundles(tmp_path / "bundles", bundles.keys), given["decision_id"])


def learned(desk: Desk, *told: dict[str, Any]) -> None:
    rows, _ = outcome_rows({"outcomes": [in_full(one) for one in told]})
    desk.journal.learn(gate_outcomes(rows).accepted)


def test_a_dossier_holds_what_defends_a_decision(desk: Desk, bundles: Bundles, tmp_path: Path) -> None:
    (given,) = target(message(declared(1)), desk).rows
    target(message(declared(1, version=2, mail_class="x"), message_id="M2"), desk)
    learned(desk, outcome(1, officer="o-17"))
    told = dossier(desk.journal.store, bundles, "HAWB000000001")
    assert told is not None
    assert [one["version"] for one in told["declarations"]] == [1, 2]
    assert told["declarations"][0]["declared"]["consignor_name"] == "Yiwu Bright Trading"
    first = told["decisions"][0]
    assert first["decision"]["decision_id"] == given["decision_id"]
    assert first["circumstances"]["decided_together"] == 1
    assert first["policy"] == desk.policy.text
    assert [entry["kind"] for entry in first["proof"]] == ["decision"]
    told_margin = first["explanation"]["expected_margin"]
    told_margin += sum(one["contribution"] for one in first["explanation"]["contributions"])
    assert told_margin == pytest.approx(first["explanation"]["margin"], abs=1e-9)
    assert first["explanation"]["risk"] == first["decision"]["risk"]
    assert len(first["explanation"]["contributions"]) == len(desk.model.inputs)
    assert told["outcomes"][0]["outcome"]["officer"] == "o-17"
    assert dossier(desk.journal.store, bundles, "nobody") is None
    other = dossier(desk.journal.store, Bundles(tmp_path, bundles.keys), "HAWB000000001")
    assert other is not None
    assert "the bundle that decided" in other["decisions"][0]["explanation"]["note"]


@pytest.fixture
def apart(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "checkpoints", tmp_path / "keys"


def counted(store: Store, of: Callable[[sa.Connection], Any]) -> Any:
    with store.reading() as connection:
        return of(connection)


def text_of(store: Store) -> str:
    """Everything that the tables of the record hold, as text."""
    with store.reading() as connection:
        tables = (DECLARATIONS, DECISIONS, OUTCOMES, CHAIN)
        return repr([list(connection.execute(sa.select(table))) for table in tables])


def test_what_is_erased_is_gone_and_the_chain_holds(desk: Desk, bundles: Bundles, apart: tuple[Path, Path]) -> None:
    store = desk.journal.store
    kept = target(message(declared(2), message_id="M2"), desk).rows[0]
    (given,) = target(message(declared(1, consignor={"name": "Kanarienvogel Ltd"})), desk).rows
    learned(desk, outcome(1, officer="kanarienvogel-7"))
    assert "anarienvogel" in text_of(store)
    would = erase(store, ["HAWB000000001"], "", "", NOON, dry_run=True)
    assert "anarienvogel" in text_of(store)
    done = erase(store, ["HAWB000000001"], "A. Martin", "asked for by the person", NOON)
    assert done == would
    assert (done.declarations, done.decisions, done.outcomes) == (1, 1, 1)
    assert "anarienvogel" not in text_of(store)
    told = verify_record(store, *apart)
    assert (told.holds, told.erased, told.entries) == (True, 2, 5)
    assert desk.journal.decisions_on("HAWB000000001") == []
    waiting = [body for part in desk.journal.unarchived() for body in part]
    results = desk.journal.outcomes_unarchived()
    assert ([body["consignment_id"] for body in waiting], results) == (["HAWB000000002"], [])
    assert replay(store, bundles, kept["decision_id"]).identical
    with pytest.raises(NotReplayable, match="was erased"):
        replay(store, bundles, given["decision_id"])
    with pytest.raises(Gone):
        target(message(declared(1, consignor={"name": "Kanarienvogel Ltd"})), desk)
    entry = counted(store, lambda c: c.execute(sa.select(CHAIN).where(CHAIN.c.kind == "erasure")).mappings().first())
    assert "A. Martin" in entry["content"]
    again = erase(store, ["HAWB000000001"], "A. Martin", "once more", NOON)
    assert (again.declarations, again.decisions, again.outcomes) == (0, 0, 0)
    assert counted(store, tail)[0] == 5


def test_an_erasure_needs_a_name_and_a_reason(store: Store) -> None:
    for by, reason in (("", "x"), ("x", " ")):
        with pytest.raises(Fault, match="needs a name and a reason"):
            erase(store, ["A"], by, reason, NOON)


def test_what_is_old_is_chosen_by_its_last_version(desk: Desk) -> None:
    old = NOON - timedelta(days=400)
    target(message(declared(1, lodged_at=old), declared(2, lodged_at=old)), desk)
    target(message(declared(2, version=2), message_id="M2"), desk)
    before: datetime = NOON - timedelta(days=365)
    assert chosen(desk.journal.store, [], before) == ["HAWB000000001"]
    assert chosen(desk.journal.store, ["B"], None) == ["B"]


def test_hits_of_what_was_erased_still_count(desk: Desk) -> None:
    target(message(declared(1)), desk)
    learned(desk, outcome(1))
    rows = counted(desk.journal.store, lambda c: pl.DataFrame(list(c.execute(sa.text("select * from running")))))
    erase(desk.journal.store, ["HAWB000000001"], "A. Martin", "retention", NOON)
    after = counted(desk.journal.store, lambda c: pl.DataFrame(list(c.execute(sa.text("select * from running")))))
    assert after.equals(rows)


def test_a_bundle_of_other_features_replays_and_explains_what_it_decided_and_decides_nothing_new(
    desk: Desk, home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (given,) = target(message(declared(1)), desk).rows
    bundles = Bundles(home.bundles, home.keys)
    monkeypatch.setattr(fingerprints, "MEANINGFUL", fingerprints.MEANINGFUL[1:])  # other code than it learned with
    with pytest.raises(BundleRefused) as refused:
        load_bundle(home.serving, home.keys)
    assert str(refused.value) == (
        f"{home.serving}: the features have changed since the model learned: it can replay and explain what it "
        "decided; it cannot decide new consignments: train again"
    )
    assert replay(desk.journal.store, bundles, given["decision_id"]).identical
    entry = dossier(desk.journal.store, bundles, given["consignment_id"])
    assert entry is not None
    assert entry["decisions"][0]["explanation"]["contributions"]


def test_what_rules_alone_decided_replays_with_the_fingerprint_of_its_day(
    desk: Desk, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    ruled = replace(desk, model=unscored(INPUTS))
    (given,) = target(message(declared(1)), ruled).rows
    monkeypatch.setattr(fingerprints, "MEANINGFUL", fingerprints.MEANINGFUL[1:])
    assert given["feature_fingerprint"] != fingerprints.fingerprint(INPUTS)
    assert replay(desk.journal.store, bundles, given["decision_id"]).identical
