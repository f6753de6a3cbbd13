"""What a version of a list matches among the consignments on record: before it is activated, and since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.moments import micros
from features.parties.list_match import CONSIGNEE, CONSIGNOR
from service.parties.listed_addressees import addressed_among, consignments_to
from service.parties.stored_graph import StoredGraph
from service.parties.watch_lists import REPORTS, cards_concerned
from service.record.reassessment_marks import RESCREENED_DAYS
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import decided_of, latest_of
from service.store.store_key import pseudonyms_in
from service.store.tables import DECISIONS, LISTS

MOST_MATCHES = 1_000  # consignments of one version that are looked for
SUBJECTS_COMPARED = 2_000  # of one version; what a larger one matches is known once it is active
PREVIEW = timedelta(days=RESCREENED_DAYS)


@dataclass(frozen=True, slots=True)
class Matches:
    """The consignments that a version matches, the newest first, each with the sides on which it does.

    of_subjects: how many of its subjects were compared, and how many it has.
    """

    sides: Mapping[str, tuple[str, ...]]
    compared: int
    subjects: int


def matches_of(store: Store, list_id: str, version: int, since: datetime) -> Matches | None:
    """Look for what a version matches among what was lodged since a moment; None where there is no such version.

    A sender matches as activation sees it: the networks of those who share what identifies a subject. An addressee
    matches where it states a key of the subject alone, or its name and its house. Reports concern senders alone.
    """
    query = sa.select(LISTS.c.subjects, LISTS.c.kind).where(LISTS.c.list_id == list_id, LISTS.c.version == version)
    with store.reading() as connection:
        row = connection.execute(query).first()
        if row is None:
            return None
        subjects = [row.subjects[name] for name in sorted(row.subjects)][:SUBJECTS_COMPARED]
        hour = micros(since) // 3_600_000_000
        sent = sent_by(connection, subjects, hour)
        to = {} if row.kind == REPORTS else _addressed(connection, subjects, hour)
    newest = sorted({**sent, **to}.items(), key=lambda one: (-one[1], one[0]))[:MOST_MATCHES]
    sides = {
        number: tuple(side for side, of in ((CONSIGNOR, sent), (CONSIGNEE, to)) if number in of) for number, _ in newest
    }
    return Matches(sides, len(subjects), len(row.subjects))


def sent_by(connection: sa.Connection, subjects: Sequence[Mapping[str, Any]], hour: int) -> dict[str, int]:
    """Return by consignment of the networks that subjects concern the hour in which it was lodged.

    subjects: as a version of a list holds them. hour: since 1970; what was lodged before it is left out.
    """
    graph, pseudonyms = StoredGraph(connection), pseudonyms_in(connection)
    plain = [
        {"entity": pseudonyms.plain_list([one["entity"]])[0], "values": pseudonyms.plain_list(one["values"])}
        for one in subjects
    ]
    graph.prefetch([one["entity"] for one in plain], [value for one in plain for value in one["values"]])
    cards = sorted({card for one in plain for card in cards_concerned(graph, one)})
    codes = [pseudonyms.code("N", card) for card in cards]
    found: dict[str, int] = {}
    for batch in in_lists(codes):
        lodged = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.hour).where(
            DECISIONS.c.network.in_(batch), DECISIONS.c.stands, DECISIONS.c.hour >= hour, DECISIONS.c.salt.is_not(None)
        )
        found.update((number, at) for number, at in connection.execute(lodged.limit(MOST_MATCHES)))
        settled = latest_of(connection, ["consignment_id", "hour"], list(batch), MOST_MATCHES)
        found.update((one["consignment_id"], one["hour"]) for one in settled if one["hour"] >= hour)
    return found


def _addressed(connection: sa.Connection, subjects: Sequence[Mapping[str, Any]], hour: int) -> dict[str, int]:
    """Return by consignment that is addressed to a subject the hour in which it was lodged, since an hour."""
    lodged = dict(_since(connection, consignments_to(connection, subjects), hour))
    return {number: lodged[number] for number in addressed_among(connection, subjects, [*lodged])}


def _since(connection: sa.Connection, consignments: Sequence[str], hour: int) -> list[tuple[str, int]]:
    """Return those of some consignments that were lodged since an hour, with theirs."""
    found: list[tuple[str, int]] = []
    for batch in in_lists(consignments):
        lodged = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.hour).where(
            DECISIONS.c.consignment_id.in_(batch), DECISIONS.c.stands, DECISIONS.c.salt.is_not(None)
        )
        found += [(number, at) for number, at in connection.execute(lodged)]
    found += [(one["consignment_id"], one["hour"])
              for one in decided_of(connection, ["consignment_id", "hour"], list(consignments))]  # fmt: skip
    return [(number, at) for number, at in found if at >= hour]
