"""What the story needs of the code of commit cd4db32, by the names that the story uses; see ../story."""

from __future__ import annotations

from typing import Any

from features.assemble import assemble
from features.catalogue import INPUTS, fingerprint
from features.contract import gate_outcomes
from features.facts import facts_of, facts_of_outcomes, facts_registered
from features.history import FactTable
from features.messages import Message
from features.messages.mapping import UNMAPPED
from pipelines.applications import with_applications
from pipelines.archive import Archive
from pipelines.bundles import revoke_bundle, roll_back_bundle
from pipelines.ingest import ingest_manifest, ingest_outcomes
from pipelines.learn import learn, standard_policy
from pipelines.link import hand_on
from pipelines.promote import promote
from pipelines.score import score
from pipelines.sweep import sweep
from pipelines.synthetic import build_world
from pipelines.train import PARAMETERS
from pipelines.training_frame import fit_goods, labelled_of, linked, refit_dates, with_entities_of
from service import settling
from service.access import Access
from service.access import tables as access_tables
from service.access.guard import COOKIE
from service.access.kept import Denied
from service.api.models import outcome_rows, rows_of
from service.app import create
from service.auditing import verify_record
from service.bundles import open_serving, overview
from service.cases import Detained, case_of, detain, note
from service.chain import tail
from service.checkpoints import checkpoint
from service.console.four_eyes import carry_out, try_rules
from service.desk import Desk, open_desk
from service.erasing import erase
from service.genuine import register, serials_in
from service.history import StoredHistory
from service.journal import open_journal
from service.linking_switch import LinkingSwitch
from service.lists import decide as decide_list
from service.lists import expire, import_list
from service.lists import overview as lists_of
from service.orientation import load_policy
from service.overrides import override
from service.parties import judge
from service.proposals import decide, propose
from service.reassessing import reassess
from service.records import micros
from service.replaying import Bundles, NotReplayable, replay_call
from service.scoring.signature import canonical
from service.settings import Settings
from service.settling import settle
from service.store import Store, open_store
from service.tables import (
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

SCHEMA = 1
A_DAY, SEED = 30, 11  # consignments of the kept world
ODD = {"consignee": None, "gross_mass_kg": None, "extra": {"colour": "red"}}  # of one consignment on the last day
PARAMETERS["num_threads"] = 1  # the same model on every machine


def code_kept() -> str:
    """What the frame of features is of: here the fingerprint of all inputs, as bundles bear it."""
    return fingerprint(INPUTS)


def invited_by(name: str) -> str:  # noqa: ARG001 - everyone
    """Who invites an account of the story."""
    return "set-up"


def party_code(entity: int) -> str:
    """The identifier for people of a sender that the table of links names."""
    return f"P-{entity & (2**64 - 1):016X}"


def came_since(client: Any, access: Access, place: Any) -> None:
    """Nothing that the story has beyond this version."""


SELECTION, MODE = (DECISIONS.c.body[name].as_string() for name in ("selection", "mode"))
