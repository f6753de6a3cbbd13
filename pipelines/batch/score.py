"""A day's manifests scored in bulk: the same `target()` as a call, published as files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from features.choices import FormatName
from features.messages.formats import read_file
from features.messages.mapping import UNMAPPED, MappingFault
from features.messages.mapping import Mapping as ColumnMapping
from features.messages.offices import ANY_OFFICE, Offices
from features.messages.raw import Raw, UnreadableFile
from pipelines.batch.archive import Archive
from pipelines.batch.expectation_suite import STANDARD, Suite
from pipelines.batch.run_account import Account, Scored
from service.calls.versioning import message_of, receptacle_assignments
from service.officers.offices import offices_on_record
from service.orientation import Decisions
from service.record.consignment_versions import Conflict, Gone
from service.targeting import Desk, target

SHARES = 0.35, 0.85  # of the time that a manifest takes: when recording begins and ends (tests/bench/batch.py)
REFUSING = (UnreadableFile, MappingFault, Conflict, Gone)  # faults of one file, which stop no other


def score(
    files: Sequence[Path],
    desk: Desk,
    archive: Archive,
    now: datetime,
    *,
    mapping: ColumnMapping = UNMAPPED,
    format: FormatName | None = None,
    expectations: bool = True,
    suite: Suite = STANDARD,
    reference: Mapping[str, Any] | None = None,
    offices: Offices = ANY_OFFICE,
    say: Callable[[str], None] = lambda _: None,
    part: Callable[[float], None] = lambda _: None,
) -> Scored:
    """Orient every consignment of some manifests; each file is one message whose consignments compete.

    suite, reference: by what the manifest as a whole is judged, where `expectations` has it judged. say: told of each
    file when it is done; part: of the share of the present one that is, from 0 to 1.
    """
    before, after = SHARES
    desk = replace(desk, journal=desk.journal.telling(lambda share: part(before + (after - before) * share)))
    on_record, account = offices_on_record(desk.journal.store), Account()
    for file in files:
        try:
            raw, decisions = _decide(file, desk, now, mapping, format, offices)
        except REFUSING as fault:
            account.refuse(fault)
            say(f"{file.name}: refused as a whole")
            continue
        account.take(file, raw, decisions)
        if decisions.declared is not None:
            archive.keep_manifest(account.accepted[-1])
        desk.journal.settle()
        say(f"{file.name}: {len(decisions.rows)} consignments decided")
    known = {*on_record, *desk.policy.capacity.offices} if on_record else set()
    return account.close(known, judged=expectations, suite=suite, reference=reference)


def _decide(
    file: Path, desk: Desk, now: datetime, mapping: ColumnMapping, format: FormatName | None, offices: Offices
) -> tuple[Raw, Decisions]:
    """What a file holds, and the decisions on it; raises one of REFUSING."""
    raw = read_file(file, mapping, format)
    receptacle_assignments(raw, desk.journal.store, now)
    how: dict[str, Any] = {"competing": "message", "complete": False, "mapping": mapping, "offices": offices}
    message = message_of(raw, desk.journal.store, file.name, now, **how)
    return raw, target(message, desk)
