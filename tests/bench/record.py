"""What the record costs a call and a batch: the former code and today's, each over its own store, in one run.

    python -m tests.bench.record [CONSIGNMENTS ...]

CPU of Journal.record without the sync of the commit, and of the context of a decision, in microseconds; linking on,
several senders, one message of so many consignments, each recorded once by each code in turn.
"""

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from features.messages import Message, read
from pipelines.training.standard_policy import standard_policy
from service.api.bodies import rows_of
from service.desk import Desk
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.store.database import Store
from tests.oracle.record import former_store
from tests.service.building import NOON, declared
from tests.service.quick import quick_model

MESSAGES = {1: 150, 64: 12, 10_000: 3}  # how many messages of so many consignments
WARM = {1: 30, 64: 2, 10_000: 1}  # of these, the first ones are not counted


class Syncs:
    """The CPU that commits take, which is the disk's and not the record's."""

    def __init__(self, store: Store) -> None:
        self.spent, self._commit = 0.0, store.engine.dialect.do_commit
        store.engine.dialect.do_commit = self._timed  # type: ignore[method-assign, assignment]

    def _timed(self, connection: Any) -> None:
        began = time.process_time()
        self._commit(connection)
        self.spent += time.process_time() - began


def messages(size: int, count: int) -> list[Message]:
    """Messages of so many consignments of 97 senders, a second after another."""
    made, number = [], 0
    for nth in range(count):
        parcels = []
        for _ in range(size):
            number += 1
            sender = {"name": f"Sender {number % 97}", "address": f"{number % 97} Harbour Road", "country": "CN",
                      "email": f"seller{number % 97}@shop.example"}  # fmt: skip
            parcels.append(declared(number, lodged_at=NOON + timedelta(seconds=nth), consignor=sender))
        rows, _ = rows_of({"message_id": f"BENCH-{size}-{nth}", "consignments": parcels})
        made.append(Message(rows, name=f"BENCH-{size}-{nth}", received_at=NOON + timedelta(minutes=1, seconds=nth)))
    return made


def recorded(desk: Desk, message: Message, syncs: Syncs) -> tuple[float, float]:
    """Decide and record a message; CPU seconds of its record, without the sync, and of the context."""
    consignments, problems = read(message)
    consignments, lists = desk.screened(consignments)
    rows, lost = desk.rows(consignments)
    scores = desk.model.score(rows)
    began = time.process_time()
    context = desk.context(message, consignments, lost, lists_as_of=lists)
    of_context = time.process_time() - began
    decisions = desk.policy.orient(consignments, scores, problems, context)
    synced, began = syncs.spent, time.process_time()
    desk.journal.record(decisions, rows, consignments)
    return time.process_time() - began - (syncs.spent - synced), of_context


def measured(size: int, folder: Path) -> dict[str, list[float]]:
    """Record the same messages by both codes in turn; for each the CPU of a message's record and context."""
    switch, model = LinkingSwitch(folder / "linking.json"), quick_model()
    switch.turn_on("bench", "nobody here exists", datetime(2026, 1, 1, tzinfo=UTC))
    policy, keys = load_policy(standard_policy()), folder / "keys"
    desks: dict[str, tuple[Desk, Syncs]] = {}
    makers: dict[str, Callable[..., Any]] = {"former": former_store.Store, "now": Store}
    for name, maker in makers.items():
        store = maker(f"sqlite:///{folder / name}.db", keys=keys, grouped=size < 10_000)
        if name == "former":
            desk = former_store.desk_of(store, switch, model, policy)
        else:
            desk = Desk(StoredParties(store, switch), StoredHistory(store), model, policy, Journal(store, switch))
        desks[name] = desk, Syncs(store)
    spent: dict[str, list[float]] = {f"{name} {what}": [] for name in desks for what in ("record", "context")}
    for message in messages(size, MESSAGES.get(size, 5)):
        for name, (desk, syncs) in desks.items():
            record, context = recorded(desk, message, syncs)
            spent[f"{name} record"].append(record)
            spent[f"{name} context"].append(context)
    for desk, _ in desks.values():
        desk.journal.store.close()
    return {name: values[WARM.get(size, 1) :] for name, values in spent.items()}


def main(sizes: tuple[int, ...]) -> None:
    """Print one line for each size: medians of a message, and of the record per consignment."""
    table = Table(box=None)
    for name in (
        "consignments",
        "record before",
        "record",
        "best",
        "a consignment",
        "ratio",
        "context before",
        "context",
    ):
        table.add_column(name, justify="right")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
            spent = measured(size, Path(folder))
        us = {name: median(values) * 1e6 for name, values in spent.items()}
        best = min(spent["now record"]) * 1e6
        cells = [us["former record"], us["now record"], best, us["now record"] / size]
        ratio = us["former record"] / us["now record"]
        contexts = [us["former context"], us["now context"]]
        numbers = [f"{value:,.0f}" for value in cells] + [f"{ratio:.1f}"] + [f"{value:,.0f}" for value in contexts]
        table.add_row(f"{size:,}", *numbers)
    Console(width=140).print(table)


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or tuple(MESSAGES))
