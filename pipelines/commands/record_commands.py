"""Commands on the record: verify it, replay a decision, hand a network on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import current_settings, sign_checkpoint

Against = Annotated[str, typer.Option(help="a second place of checkpoints: a folder, or an http address")]
Keys = Annotated[
    Path | None, typer.Option(help="folder with the bundle.pub that signed them, kept apart from the home")
]


SinceLast = Annotated[bool, typer.Option("--since-last", help="go on from the last one that found nothing wrong")]


def verify(against: Against = "", keys: Keys = None, since_last: SinceLast = False) -> None:
    """Verify the audit log, every table and the signed checkpoints; exits with 1 where one differs."""
    from service.audit.verified_point import keep_point, read_point
    from service.audit.verify import verify_record
    from service.record.checkpoint_places import place_of
    from service.store.database import open_store

    settings = current_settings()
    place = place_of(against, settings.checkpoint_token) if against else None
    since = read_point(settings.checkpoints, keys or settings.keys) if since_last else None
    verification = verify_record(open_store(settings), settings.checkpoints, keys or settings.keys, place, since)
    if verification.since is not None:
        show.line(
            f"gone on from entry {verification.since.number:,}, verified at {verification.since.at}. Not looked at "
            f"again: what the entries up to there vouch for, the digests of tables, settled history, and the content "
            f"of {show.counted(verification.unread, 'file')} of settled decisions that are as they were by hash. "
            f"Everything was looked at on {verification.since.whole_at}"
        )
    elif since_last:
        show.line("nothing was verified before that could be gone on from: everything is looked at")
    show.line(
        f"{show.counted(verification.entries, 'entry', 'entries')}: "
        f"{show.counted(verification.decisions, 'decision')}, {show.counted(verification.outcomes, 'outcome')}, "
        f"{verification.erased:,} erased; "
        f"{show.counted(verification.checkpoints, 'checkpoint')} in {settings.checkpoints}"
    )
    for fault in verification.faults:
        show.line(fault)
    if not verification.holds:
        raise Fault(f"{show.counted(verification.wrong, 'fault')}: the record is not as it was written")
    keep_point(verification.point(datetime.now(UTC)), settings.checkpoints, settings.keys)
    show.line("the record is as it was written")


def checkpoint(
    to: Annotated[str, typer.Option("--to", help="a second place: a folder, or an http address")] = "",
) -> None:
    """Sign how far the audit log reaches, and send all checkpoints to the second place that is set or named."""
    from service.record.checkpoint_copies import copies_of, send_all
    from service.record.checkpoint_places import place_of
    from service.store.database import open_store

    settings = current_settings()
    store = open_store(settings)
    sign_checkpoint(settings, store)
    store.close()
    if to:
        sent = send_all(settings, place_of(to, settings.checkpoint_token))
        show.line(f"{show.counted(sent, 'checkpoint')} in the second place")
    elif (copies := copies_of(settings)) is None:
        show.line(f"signed in {settings.checkpoints}; no second place is set: TAMIS_CHECKPOINT_PLACE, or --to")
    elif copies.fault:
        raise Fault(f"{copies.fault}; {show.counted(copies.waiting, 'checkpoint')} wait")
    else:
        show.line("every checkpoint is in the second place")


def replay(
    decision_id: Annotated[str, typer.Argument(help="number of the decision, as its answer gives it (32 digits)")],
) -> None:
    """Replay one decision from its bundle, row, policy and circumstances, and compare it byte for byte."""
    from pipelines.commands.replay_output import show_weights
    from service.audit.replay import Bundles, replay
    from service.store.database import open_store

    settings = current_settings()
    store, bundles = open_store(settings), Bundles(settings.bundles, settings.keys)
    replayed = replay(store, bundles, decision_id)
    show_weights(store, bundles, decision_id)
    for name, recorded, given in replayed.differences:
        show.line(f"{name}: on record {recorded!r}, given now {given!r}")
    if not replayed.identical:
        raise Fault(f"{show.counted(len(replayed.differences), 'field')} of the decision not as on record")
    show.line(f"decision {decision_id}: the same, byte for byte")


def network(
    code: Annotated[str, typer.Argument(help="a party (P-…) or a network (N-…)")],
    out: Annotated[Path, typer.Option(help="FollowTheMoney JSON lines")],
    by: Annotated[str, typer.Option(help="who hands it on")],
    reason: Annotated[str, typer.Option(help="to whom and why; kept on the audit log")],
) -> None:
    """Write what the parties of a network declared as FollowTheMoney entities, to hand it on."""
    from pipelines.batch.link_archive import hand_on

    lines = hand_on(current_settings(), code, out, by, reason, datetime.now(UTC))
    show.line(f"{show.counted(lines, 'entity', 'entities')} written to {out}")
