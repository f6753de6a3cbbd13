"""Calls that come while others are worked on are decided together: what a hundred small frames cost is paid once.

It changes no decision but where they compete: consignments of one group see each other as those of one message do, by
the moment each was lodged at, and share what capacity is left by rank, not by who came first.
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
from service.crowd import Crowd
from service.orientation import Decisions
from service.targeting import Desk, target
from service.versions import Conflict, Gone

MOST = 64  # consignments of a group: the first must not wait for ever for the last
OWN_FAULTS = (Refused, Conflict, Gone)  # what is wrong with one message and no business of those beside it


@dataclass(frozen=True, slots=True)
class Call:
    """A message of a call, the desk that serves it, and where its answer is put.

    versions: of its consignments, as they are sent: two calls that share one are not decided at the same time.
    """

    message: Message
    desk: Desk
    versions: tuple[str, ...]
    told: Future[Decisions]


class Gathering:
    """One thread that decides for all calls of a process; each waits for its own decisions, or gets its own fault."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._next: Call | None = None  # taken from those that wait, and not of the group that is decided now
        self._over = False
        self._crowd, self._formed = Crowd(), time.monotonic()  # when the last group was whole
        self._thread = threading.Thread(target=self._run, name="deciding", daemon=True)
        self._thread.start()

    def decide(self, message: Message, desk: Desk) -> Future[Decisions]:
        """The decisions on a message whose rows name their consignments, once recorded, or what `target` raises."""
        told: Future[Decisions] = Future()
        told.set_running_or_notify_cancel()  # who no longer waits for an answer cannot take back what was sent
        self._waiting.put(Call(message, desk, _versions(message), told))
        return told

    def close(self) -> None:
        """Decide what waits, then stop."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while group := self._group():
            began = time.monotonic()
            _decide(group)
            self._crowd.answered(len(group), self._waiting.qsize(), time.monotonic() - began)

    def _group(self) -> list[Call]:
        """The call that has waited longest, and those behind it as far as they go together; empty at the end."""
        first = self._next or (None if self._over else self._waiting.get())
        self._next = None
        if first is None:
            return []
        group, versions, there = [first], set(first.versions), 1 + self._waiting.qsize()
        began = time.monotonic()
        hold = self._crowd.hold(there)
        while not self._over:
            left = 0.0 if self._crowd.whole(len(group)) else max(began + hold - time.monotonic(), 0.0)
            try:
                call = self._waiting.get(timeout=left)
            except queue.Empty:
                break
            if call is None:
                self._over = True
            elif (
                call.desk is first.desk
                and len(versions) + len(call.versions) <= MOST
                and versions.isdisjoint(call.versions)
            ):
                group.append(call)
                versions.update(call.versions)
            else:
                self._next = call
                break
        formed, self._formed = self._formed, time.monotonic()
        if hold and self._next is None:
            self._crowd.held(len(group) - there, self._formed - began, len(group), self._formed - formed)
        return group


def _versions(message: Message) -> tuple[str, ...]:
    own = zip(message.rows["consignment_id"].to_list(), message.rows["version"].to_list(), strict=True)
    return tuple(dict.fromkeys(f"{number.strip()}\x1f{version or '1'}" for number, version in own))


def _decide(group: Sequence[Call]) -> None:
    if len(group) == 1:
        _alone(group[0])
        return
    try:
        decisions = target(_together([call.message for call in group]), group[0].desk)
        parts = _apart(decisions, [len(call.versions) for call in group])
    except OWN_FAULTS:
        for call in group:
            _alone(call)
    except BaseException as fault:  # noqa: BLE001 - a panic of polars too is handed to those who wait
        for call in group:
            call.told.set_exception(fault)
    else:
        for call, part in zip(group, parts, strict=True):
            call.told.set_result(part)


def _alone(call: Call) -> None:
    try:
        call.told.set_result(target(call.message, call.desk))
    except BaseException as fault:  # noqa: BLE001 - a panic of polars too is handed to the one who waits
        call.told.set_exception(fault)


def _together(messages: Sequence[Message]) -> Message:
    rows = pl.concat([message.rows for message in messages], how="diagonal").with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("line")
    )
    return replace(messages[-1], rows=rows, received_at=max(message.received_at for message in messages))


def _apart(decisions: Decisions, counts: Sequence[int]) -> list[Decisions]:
    """Those of each message: consignments keep the order in which they were sent."""
    parts, begin = [], 0
    for count in counts:
        own = slice(begin, begin + count)
        before = decisions.before[own]
        parts.append(replace(decisions, rows=decisions.rows[own], before=before))
        begin += count
    return parts
