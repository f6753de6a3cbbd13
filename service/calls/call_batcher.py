"""Batching of calls: those that arrive while others are decided are decided together, to share the fixed cost.

Decisions change only where consignments compete: those of a group see each other as those of one message do, by the
moment each was lodged at, and share the remaining capacity by rank, not in order of arrival.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

import polars as pl

from features.messages import Message, Refused
from service.calls.batch_window import BatchWindow
from service.desk import desk_for
from service.orientation import Decisions
from service.record.consignment_versions import Conflict, Gone
from service.record.ownership import INSTALLATION, OfAnother, Sender, SendersUnclear
from service.targeting import Desk, target

CONSIGNMENTS_PER_GROUP = 64  # consignments of a group: the first must not wait too long for the last
OWN_FAULTS = (Refused, Conflict, Gone, OfAnother, SendersUnclear)  # of one message; they must not affect others


@dataclass(frozen=True, slots=True)
class Call:
    """A message of a call, the desk that serves it, and the future of its decisions.

    versions: of its consignments, as sent: two calls that share one are not decided at the same time. sender: whose
    they are.
    """

    message: Message
    desk: Desk
    versions: tuple[str, ...]
    sender: Sender
    decisions: Future[Decisions]


class CallBatcher:
    """One thread that decides all calls of a process; each waits for its own decisions, or gets its own fault."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._next: Call | None = None  # taken from the queue, but not part of the present group
        self._over = False
        self._window, self._formed = BatchWindow(), time.monotonic()  # when the last group was complete
        self._thread = threading.Thread(target=self._run, name="deciding", daemon=True)
        self._thread.start()

    def decide(self, message: Message, desk: Desk, sender: Sender = INSTALLATION) -> Future[Decisions]:
        """Return the future decisions on a message whose rows name their consignments; or what `target` raises."""
        decisions: Future[Decisions] = Future()
        decisions.set_running_or_notify_cancel()  # a client that stops waiting cannot cancel its message
        self._waiting.put(Call(message, desk, _versions(message), sender, decisions))
        return decisions

    def close(self) -> None:
        """Decide the waiting calls, then stop."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while group := self._group():
            began = time.monotonic()
            _decide(group)
            self._window.answered(len(group), self._waiting.qsize(), time.monotonic() - began)

    def _group(self) -> list[Call]:
        """Return the oldest waiting call and those behind it that can be decided with it; empty at the end."""
        first = self._next or (None if self._over else self._waiting.get())
        self._next = None
        if first is None:
            return []
        group, versions, present = [first], set(first.versions), 1 + self._waiting.qsize()
        began = time.monotonic()
        hold = self._window.wait_seconds(present)
        while not self._over:
            left = 0.0 if self._window.is_complete(len(group)) else max(began + hold - time.monotonic(), 0.0)
            try:
                call = self._waiting.get(timeout=left)
            except queue.Empty:
                break
            if call is None:
                self._over = True
            elif (
                call.desk is first.desk
                and len(versions) + len(call.versions) <= CONSIGNMENTS_PER_GROUP
                and versions.isdisjoint(call.versions)
            ):
                group.append(call)
                versions.update(call.versions)
            else:
                self._next = call
                break
        formed, self._formed = self._formed, time.monotonic()
        if hold and self._next is None:
            self._window.held(len(group) - present, self._formed - began, len(group), self._formed - formed)
        return group


def _versions(message: Message) -> tuple[str, ...]:
    table = message.table
    pairs = zip(table.series("consignment_id").to_list(), table.series("version").to_list(), strict=True)
    return tuple(dict.fromkeys(f"{number.strip()}\x1f{version or '1'}" for number, version in pairs))


def _decide(group: Sequence[Call]) -> None:
    if len(group) == 1:
        _decide_alone(group[0])
        return
    try:
        senders = [call.sender for call in group for _ in call.versions]
        decisions = target(_together([call.message for call in group]), desk_for(group[0].desk, *senders))
        parts = _split(decisions, [len(call.versions) for call in group])
    except OWN_FAULTS:
        for call in group:
            _decide_alone(call)
    except BaseException as fault:  # noqa: BLE001 - a panic of polars too is passed to the caller
        for call in group:
            call.decisions.set_exception(fault)
    else:
        for call, part in zip(group, parts, strict=True):
            call.decisions.set_result(part)


def _decide_alone(call: Call) -> None:
    try:
        call.decisions.set_result(target(call.message, desk_for(call.desk, call.sender)))
    except BaseException as fault:  # noqa: BLE001 - a panic of polars too is passed to the caller
        call.decisions.set_exception(fault)


def _together(messages: Sequence[Message]) -> Message:
    rows = pl.concat([message.table.frame for message in messages], how="diagonal").with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("line")
    )
    return replace(messages[-1], rows=rows, received_at=max(message.received_at for message in messages))


def _split(decisions: Decisions, counts: Sequence[int]) -> list[Decisions]:
    """Split decisions by message: consignments keep the order in which they were sent."""
    parts, begin = [], 0
    for count in counts:
        places = slice(begin, begin + count)
        before = decisions.before[places]
        parts.append(replace(decisions, rows=decisions.rows[places], before=before))
        begin += count
    return parts
