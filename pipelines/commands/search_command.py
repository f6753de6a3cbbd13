"""`tamis search`: what is on record of a key, as the console and the API find it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.moments import EPOCH
from pipelines import show
from pipelines.commands.shared_options import current_settings

if TYPE_CHECKING:
    from service.officers.search import Found


def search(
    key: Annotated[str, typer.Argument(help="what to search for; with a star at its end, what begins so")],
    by: Annotated[str, typer.Option(help="who searches; kept on the log of reads")],
    purpose: Annotated[str, typer.Option(help="what for; kept on the log of reads")],
    kind: Annotated[list[str] | None, typer.Option(help="of which kind it is; whatever it looks like")] = None,
    office: Annotated[list[str] | None, typer.Option(help="for which offices; all where absent")] = None,
    beyond: Annotated[int, typer.Option(help="consignments of earlier pages")] = 0,
    at_most: Annotated[int, typer.Option(help="consignments of a page")] = 25,
    searches: Annotated[bool, typer.Option("--searches", help="show who has searched for this key instead")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON for a program to read")] = False,
) -> None:
    """Find consignments, parties, networks, shops, lists and cases by a key; each search stands on the log of reads."""
    from service.access.read_log import note_command, reads_traced, trace_of
    from service.officers.search import Asked, checked
    from service.officers.search import search as find
    from service.record.ownership import EVERY_OFFICE, Sender
    from service.record.search_index import catch_up
    from service.store.database import open_store

    store = open_store(current_settings())
    try:
        asked = Asked(key, tuple(kind or ()), beyond, at_most)
        key, _ = checked(asked)
        note_command(store, by, purpose, "searches" if searches else "search", trace_of(store, key), datetime.now(UTC))
        if searches:
            _show_searches(reads_traced(store, key))
            return
        catch_up(store)
        found = find(store, asked, Sender(None, tuple(office or (EVERY_OFFICE,))))
    finally:
        store.close()
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=1, ensure_ascii=False))
    else:
        _show(found)


def _show(found: Found) -> None:
    more = " and more: add what tells them apart" if found.more else ""
    show.line(f"{show.counted(found.total, 'consignment')}{more}")
    for one in found.consignments:
        lane = one["clearance"] or "archived"
        parties = " → ".join(name for name in (one["sender"], one["addressee"]) if name)
        shown = (one["lodged_at"][:10], one["office"] or "no office", lane, parties, one["goods"], ", ".join(one["by"]))
        show.line("  " + "  ".join([one["consignment_id"], *(text for text in shown if text)]))
    _show_group("party", "parties", found.parties, "party_id", "sender")
    _show_group("network", "networks", found.networks, "network_id")
    _show_group("shop or account", "shops and accounts", found.shops, "platform", "seller_account", "seller_url")
    _show_group("entry of lists", "entries of lists", found.lists, "list", "label", "source")
    _show_group("case", "cases", found.cases, "consignment_id", "track", "detained", "due")


def _show_group(one: str, several: str, rows: Sequence[dict[str, Any]], *names: str) -> None:
    if rows:
        show.line(show.counted(len(rows), one, several))
    for row in rows:
        count = [show.counted(row["consignments"], "consignment")] if "consignments" in row else []
        show.line("  " + "  ".join([*(str(row[name]) for name in names if row[name]), *count]))


def _show_searches(reads: Sequence[dict[str, Any]]) -> None:
    show.line(show.counted(len(reads), "search", "searches"))
    for read in reads:
        at = EPOCH + timedelta(microseconds=read["at"])
        show.line(f"  {at:%Y-%m-%d %H:%M}  {read['who']}  {read['route']}  {read['purpose']}")
