"""What the story needs of the code of commit 8383d6a, by the names that the story uses; see ../story."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import later_calls
from features.assemble import assemble
from features.catalogue import INPUTS
from features.contract import gate_outcomes
from features.fingerprint import code_fingerprint
from features.history.facts import facts_of, facts_of_outcomes, facts_registered
from features.history.totals import FactTable
from features.messages import Message
from features.messages.mapping import UNMAPPED
from features.moments import micros
from features.parties.linking import code_of
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from pipelines.batch.ingest import ingest_manifest, ingest_outcomes
from pipelines.batch.link_archive import hand_on
from pipelines.batch.score import score
from pipelines.commands.application_commands import with_applications
from pipelines.commands.bundle_commands import revoke_bundle, roll_back_bundle
from pipelines.commands.train_command import learn
from pipelines.synthetic import build_world
from pipelines.training.promotion import promote
from pipelines.training.standard_policy import standard_policy
from pipelines.training.training_frame import fit_goods, labelled_of, linked, refit_dates, with_entities_of
from service.access import Access
from service.access.credentials import Denied
from service.access.guard import COOKIE
from service.api.bodies import outcome_rows, rows_of
from service.app import create
from service.audit.erasure import erase
from service.audit.replay import Bundles, NotReplayable, replay_call
from service.audit.verify import verify_record
from service.calls.reassessment import reassess
from service.canonical import canonical
from service.console.four_eyes_pages import carry_out, try_rules
from service.desk import Desk, open_desk
from service.history import compaction as settling
from service.history.compaction import settle
from service.history.stored_history import StoredHistory
from service.journal import open_journal
from service.officers.cases import Detained, case_of, detain, note
from service.officers.investigations import (
    CONSIGNMENT,
    KEY,
    Item,
    add_items,
    attach,
    finish_task,
    give_task,
    investigation_of,
    leave_out,
    open_investigation,
)
from service.officers.investigations import note as write_note
from service.officers.overrides import override_lane as override
from service.officers.proposals import decide, propose
from service.officers.purchases import Order, arrive, examine, expect, order
from service.orientation.policy_file import load_policy
from service.parties.linking_switch import LinkingSwitch
from service.parties.registered_serials import register, serials_in
from service.parties.stored_parties import judge
from service.parties.watch_lists import decide as decide_list
from service.parties.watch_lists import expire, import_list
from service.parties.watch_lists import overview as lists_of
from service.record.audit_log import tail
from service.record.checkpoints import checkpoint
from service.record.ownership import INSTALLATION
from service.serving.serving_bundle import open_serving, overview
from service.settings import Settings
from service.store import access_tables
from service.store.database import Store, open_store
from service.store.record_tables import RECORD_LIFTED, RECORD_SEGMENTS
from service.store.schema import SCHEMA
from service.store.settled_rows import decided_of
from service.store.tables import (
    CALLS,
    CASE_NOTES,
    DECISIONS,
    DECLARATIONS,
    JUDGEMENTS,
    LINKS,
    OUTCOMES,
    OVERRIDES,
    PROPOSALS,
    TABLES,
)
from service.targeting import target
from tests.databases import postgresql_server
from tests.service.building import body, declared, outcome
from tests.writers import as_fhl, as_flat, as_ics2, as_postal_json

A_DAY, SEED = 20, 12  # consignments of the kept world
ODD = {"consignee": None, "gross_mass_kg": None}  # of one consignment on the last day


def code_kept() -> str:
    """What the frame of features is of: the hash of the code."""
    return code_fingerprint(INPUTS)


def invited_by(name: str) -> str:
    """Who invites an account of the story."""
    return "set-up" if name == "anna" else "anna"


def party_code(entity: int) -> str:
    """The identifier for people of a sender that the table of links names."""
    return code_of("P", entity)


def came_since(client: Any, access: Access, place: Any) -> None:
    """What came after cd4db32, two messages whose quiet decisions go to files, an investigation and a test purchase.

    Of what lies in files, two are erased; then one gets a result, one is amended and one is overridden.
    """
    later_calls.came_since(client, access, place)
    desk, lodged_at = client.app.state.desk, place.at(later_calls.DAYS, 13)
    store, at_least = desk.journal.store, desk.journal.store.records.at_least
    store.records.at_least = 2
    for name, numbers in (("F-1", range(1000, 1040)), ("F-2", range(1040, 1080))):
        target(_quiet(name, numbers, lodged_at), desk)
    store.records.at_least = at_least
    ids, later = [f"HAWB{number:09d}" for number in range(1000, 1080)], lodged_at + timedelta(minutes=30)
    with store.reading() as connection:
        settled = decided_of(connection, ["consignment_id", "decision_id"], ids)
    found, amended, seen, *gone = settled[::9][:5]
    erase(store, [one["consignment_id"] for one in gone], "A. Martin", "asked for by the person", later)
    learned_of = {"outcomes": [outcome(int(found["consignment_id"][4:]), known_at=later, officer="o-17")]}
    desk.journal.learn(gate_outcomes(outcome_rows(learned_of)[0]).accepted)
    target(_quiet("F-3", [int(amended["consignment_id"][4:])], later, version=2, purpose="amendment"), desk)
    override(store, seen["decision_id"], "red", "b.keller", "seen in a file", later, seen["consignment_id"])
    with store.reading() as connection:
        files = connection.execute(RECORD_SEGMENTS.select()).all()
        blank = {row.blank for row in connection.execute(RECORD_LIFTED.select())}
    if len(files) != 2 or len(settled) < 30 or True not in blank:
        raise RuntimeError(f"{len(files)} files of {len(settled)}, lifted {blank}")
    _investigated(store, [seen["consignment_id"], amended["consignment_id"]], later)


def _investigated(store: Store, consignments: Sequence[str], at: datetime) -> None:
    """An investigation with a note, a task that is done and a document; a purchase whose parcel came and was examined."""
    first, second = (Item(CONSIGNMENT, number) for number in consignments)
    number = open_investigation(store, "Quiet senders of one road", [first], INSTALLATION, "b.keller", at)
    add_items(store, number, [second, Item(KEY, "+86 135 1234 0987")], INSTALLATION, "b.keller", at)
    write_note(store, number, "Each names another house of the same road.", INSTALLATION, "b.keller", at)
    give_task(store, number, "Ask the platform", "c.diaz", "", INSTALLATION, "b.keller", at)
    opened = investigation_of(store, number, INSTALLATION)
    finish_task(store, number, opened.tasks[0].number if opened else 0, INSTALLATION, "c.diaz", at)
    attach(store, number, "answer.txt", "text/plain", b"No such shop.", INSTALLATION, "c.diaz", at)
    leave_out(store, number, second, INSTALLATION, "b.keller", at)
    alias = {"name": "Jeanne Exemple", "email": "jeanne.exemple@nowhere.example"}
    shop = {"url": "https://quiet-road.example", "email": "sales@quiet-road.example"}
    placed = order(store, Order(shop, "a watch", alias, "FRCDG1", "b.keller", at, "25 EUR"))
    expect(store, placed.purchase_id, consignments[0], at, "b.keller")
    arrive(store, placed.purchase_id, consignments[0], at, "b.keller")
    examine(store, placed.purchase_id, "non_compliant", ["counterfeit"], at, "b.keller")


def _quiet(name: str, numbers: Sequence[int], lodged_at: datetime, **changes: Any) -> Message:
    each = [
        declared(
            number, lodged_at=lodged_at,
            consignor={"name": f"Quiet {number} Ltd", "address": f"{number} Road", "city": "Yiwu", "country": "CN"},
            **changes,
        )
        for number in numbers
    ]  # fmt: skip
    return Message(rows_of(body(*each, message_id=name))[0], name=name, received_at=lodged_at + timedelta(minutes=1))


SELECTION, MODE = DECISIONS.c.selection, DECISIONS.c.mode
