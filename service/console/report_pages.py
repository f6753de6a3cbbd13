"""Clusters of products that consumers and platforms report, in the console; each can become an investigation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from features.moments import micros
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console.rendering import now, page
from service.officers.offices import unseen
from service.parties.list_matches import PREVIEW, sent_by
from service.parties.report_clusters import Cluster, clusters_of
from service.store.database import Store

router = APIRouter(include_in_schema=False)
SHOWN = 50
HOUR = 3_600_000_000
TIE_WORDS = {  # kinds of evidence, and the words of the console for them
    "id": "number", "account": "account", "phone": "telephone", "mailbox": "mailbox", "shop": "shop", "name": "name",
}  # fmt: skip


@router.get("/console/reports")
def reports_page(request: Request) -> Response:
    """What is reported most: the same shop, contact, or brand in like words, and what its networks lodged lately."""
    store = desk_of(request).journal.store
    clusters = clusters_of(store)
    rows = [{"cluster": one, "parcels": len(_seen(request, parcels_of(store, one, now())))} for one in clusters[:SHOWN]]
    return page(request, "reports", tie_words=TIE_WORDS, rows=rows, more=max(0, len(clusters) - SHOWN), broad=True)


def parcels_of(store: Store, cluster: Cluster, at: datetime) -> list[str]:
    """The parcels that the networks of a cluster lodged in the fourteen days before, the newest first."""
    with store.reading() as connection:
        found: Mapping[str, int] = sent_by(connection, cluster.subjects, micros(at - PREVIEW) // HOUR)
    return sorted(found, key=lambda number: (-found[number], number))


def _seen(request: Request, numbers: list[str]) -> list[str]:
    hidden = unseen(desk_of(request).journal.store, principal_of(request), numbers)
    return [number for number in numbers if number not in hidden]
