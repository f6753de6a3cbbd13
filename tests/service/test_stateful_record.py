"""A record against a plain dictionary: declare, amend, cancel, repeat, change, learn, start again, in any order."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from features.contract import gate_outcomes
from features.parties import Unlinked
from pipelines.training.standard_policy import standard_policy
from service.api.bodies import outcome_rows
from service.audit.verify import verify_record
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.record.consignment_versions import Conflict
from service.scoring import Model
from service.store.database import Store
from service.store.tables import RUNNING
from service.targeting import Desk, target
from tests.service.building import NOON, declared, in_full, message, outcome
from tests.service.record.tallies import as_counted, as_decided

Key = tuple[str, str, int]


def machine(model: Model) -> type[RuleBasedStateMachine]:
    class Record(RuleBasedStateMachine):
        versions = Bundle("versions")

        @initialize()
        def begin(self) -> None:
            self.folder = tempfile.TemporaryDirectory()
            self.clock, self.messages = NOON, 0
            self.sent: dict[Key, dict[str, Any]] = {}
            self.decided: dict[Key, dict[str, Any]] = {}
            self.results: set[str] = set()
            self.store: Store | None = None
            self.open()

        def open(self) -> None:
            if self.store is not None:
                self.store.close()
            self.store = Store(f"sqlite:///{self.folder.name}/store.db", grouped=True)
            policy = load_policy(standard_policy())
            self.desk = Desk(Unlinked(), StoredHistory(self.store), model, policy, Journal(self.store))

        def now(self) -> datetime:
            self.clock += timedelta(minutes=1)
            return self.clock

        def send(self, told: dict[str, Any], message_id: str) -> dict[str, Any]:
            sent = message(told, message_id=message_id, received_at=self.clock + timedelta(seconds=1))
            (row,) = target(sent, self.desk).as_json()
            return row

        def decide(self, number: int, version: int, purpose: str) -> Key:
            self.messages += 1
            told = declared(number, version=version, purpose=purpose, lodged_at=self.now())
            key = (f"M{self.messages}", told["consignment_id"], version)
            self.sent[key], self.decided[key] = told, self.send(told, key[0])
            assert self.decided[key]["version"] == version
            return key

        def last(self, number: int) -> int:
            return max((key[2] for key in self.sent if key[1] == f"HAWB{number:09d}"), default=0)

        @rule(
            target=versions,
            number=st.integers(1, 4),
            purpose=st.sampled_from(["original", "amendment", "cancellation"]),
        )
        def declare(self, number: int, purpose: str) -> Key:
            return self.decide(number, self.last(number) + 1, purpose)

        @rule(key=versions)
        def repeat(self, key: Key) -> None:
            assert self.send(self.sent[key], key[0]) == self.decided[key]

        @rule(key=versions)
        def change(self, key: Key) -> None:
            with pytest.raises(Conflict):
                self.send({**self.sent[key], "mail_class": "changed"}, key[0])

        @rule(number=st.integers(1, 5), hit=st.booleans())
        def learn(self, number: int, hit: bool) -> None:
            result = outcome(number, known_at=self.now(), result="non_compliant" if hit else "compliant")
            rows, _ = outcome_rows({"outcomes": [in_full(result)]})
            for recorded in (1, 0):
                assert self.desk.journal.learn(gate_outcomes(rows).accepted).recorded == recorded
            self.results.add(result["consignment_id"])

        @rule()
        def start_again(self) -> None:
            self.open()

        @rule()
        def settle(self) -> None:
            self.desk.journal.settle()

        def teardown(self) -> None:
            if not hasattr(self, "store") or self.store is None:
                return
            for key, decision in self.decided.items():
                found = {d["decision_id"]: d for d in self.desk.journal.decisions_on(key[1])}
                assert found[decision["decision_id"]] == decision
            told = verify_record(self.store, Path(self.folder.name) / "checkpoints", Path(self.folder.name) / "keys")
            assert (told.faults, told.decisions) == ([], len(self.decided))
            assert as_counted(self.store).equals(as_decided(self.store))
            self.desk.journal.settle()
            self.store.close()
            self.folder.cleanup()

    return Record


def test_any_order_of_events_leaves_the_record_that_a_dictionary_would(model: Model) -> None:
    run_state_machine_as_test(
        machine(model),
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )  # fmt: skip


def test_history_after_cancellations_is_that_of_what_stands(model: Model, store: Store) -> None:
    """Facts of the operator: every consignment once, as its last version has it; none where that was cancelled."""
    policy = load_policy(standard_policy())
    desk = Desk(Unlinked(), StoredHistory(store), model, policy, Journal(store))
    told = [(1, 1, "original"), (2, 1, "original"), (1, 2, "amendment"), (2, 2, "cancellation"), (3, 1, "original")]
    for minute, (number, version, purpose) in enumerate(told):
        at = NOON + timedelta(minutes=minute)
        target(message(declared(number, version=version, purpose=purpose, lodged_at=at), message_id=f"M{minute}"), desk)
    with store.reading() as connection:
        rows = connection.execute(sa.select(RUNNING).order_by(RUNNING.c.known_at)).mappings().all()
    last = {row["entity"]: row for row in rows}
    assert max(row["consignments"] for row in last.values()) == 2
    assert max(row["lodged"] for row in last.values()) == 5
