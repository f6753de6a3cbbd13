"""How the service stands, looked up when Prometheus asks: what decisions lack, what waits, how old things are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.runtime.installed_version import installed_version
from service.store.database import Store
from service.store.tables import DECISIONS, DECLARATIONS
from service.store.webhook_tables import UNDELIVERED
from service.targeting import Desk
from service.webhooks.directory import failing

WHAT = ("history", "model", "lists")
MICROSECONDS = 1_000_000
DESCRIBED: dict[str, tuple[str, tuple[str, ...]]] = {
    "tamis_build_info": ("1, with what serves", ("version", "model_id", "policy_id")),
    "tamis_store_up": ("1 while the record can be read", ()),
    "tamis_lacking": ("1 while decisions lack it, by what they lack", ("what",)),
    "tamis_model_promoted_seconds": ("when the model that serves was promoted, seconds since 1970", ()),
    "tamis_history_as_of_seconds": ("the latest fact that history holds, seconds since 1970", ()),
    "tamis_lists_checked_seconds": ("when the watch list checked longest ago was, seconds since 1970", ()),
    "tamis_facts_waiting": ("declarations whose facts wait for the history", ()),
    "tamis_reassessments_waiting": ("decisions that wait to be given again", ()),
    "tamis_webhooks_failing": ("webhooks whose last message was not taken", ()),
    "tamis_webhook_failing_since_seconds": ("since when the one that fails longest does, seconds since 1970", ()),
    "tamis_webhooks_undelivered": ("messages that receivers refused and did not get since", ()),
    "tamis_store_bytes": ("size of the database", ()),
}


def state_of(desk: Desk) -> list[GaugeMetricFamily]:
    """Return how a desk stands; of a record that cannot be read, that it is so."""
    served = {
        "version": installed_version(),
        "model_id": str(desk.model.model_id),
        "policy_id": str(desk.policy.policy_id),
    }
    try:
        looked_up = list(_looked_up(desk))
    except (DBAPIError, PoolTimeout):
        return [_family("tamis_build_info", 1, **served), _family("tamis_store_up", 0)]
    return [_family("tamis_build_info", 1, **served), _family("tamis_store_up", 1), *looked_up]


def _looked_up(desk: Desk) -> Iterator[GaugeMetricFamily]:
    store, lost = desk.journal.store, desk.lost(datetime.now(UTC))
    lacking = _described("tamis_lacking")
    for what in WHAT:
        lacking.add_metric([what], float(what in lost))
    yield lacking
    if promoted := desk.model.facts.get("promoted_at"):
        yield _family("tamis_model_promoted_seconds", datetime.fromisoformat(promoted).timestamp())
    moments = {"tamis_history_as_of_seconds": desk.history.as_of(),
               "tamis_lists_checked_seconds": desk.parties.lists_checked()}  # fmt: skip
    for name, moment in moments.items():
        if moment is not None:
            yield _family(name, moment / MICROSECONDS)
    with store.reading() as connection:
        unposted = sa.select(sa.func.count()).select_from(DECLARATIONS).where(~DECLARATIONS.c.posted)
        waiting = sa.select(sa.func.count()).select_from(DECISIONS).where(DECISIONS.c.waits)
        yield _family("tamis_facts_waiting", connection.execute(unposted).scalar_one())
        yield _family("tamis_reassessments_waiting", connection.execute(waiting).scalar_one())
        yield from _of_webhooks(connection)
        yield _family("tamis_store_bytes", _bytes_of(store, connection))


def _of_webhooks(connection: sa.Connection) -> Iterator[GaugeMetricFamily]:
    fail = failing(connection)
    yield _family("tamis_webhooks_failing", len(fail))
    if fail:
        yield _family("tamis_webhook_failing_since_seconds", min(since for _, since in fail) / MICROSECONDS)
    refused = sa.select(sa.func.count()).select_from(UNDELIVERED).where(~UNDELIVERED.c.delivered)
    yield _family("tamis_webhooks_undelivered", connection.execute(refused).scalar_one())


def _bytes_of(store: Store, connection: sa.Connection) -> int:
    """Return the size of the database, as it says itself."""
    if not store.is_sqlite:
        return int(connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())
    pages, size = (connection.execute(sa.text(f"PRAGMA {what}")).scalar_one() for what in ("page_count", "page_size"))
    return int(pages) * int(size)


def _described(name: str) -> GaugeMetricFamily:
    words, labels = DESCRIBED[name]
    return GaugeMetricFamily(name, words, labels=labels)


def _family(name: str, value: float, **labels: str) -> GaugeMetricFamily:
    family = _described(name)
    family.add_metric([labels[label] for label in DESCRIBED[name][1]], float(value))
    return family
