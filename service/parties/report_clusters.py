"""Reports of consumers and platforms that speak of the same thing: by contact or shop, or by brand and wording."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import sqlalchemy as sa

from features.identifiers.letters import comparable
from features.parties.evidence import NAMES, SURE, level_of
from service.store.database import Store
from service.store.store_key import pseudonyms_in
from service.store.tables import LISTS

FEWEST, MOST_REPORTS = 2, 20_000
TOO_COMMON = 50  # reports that share a value or a pair of words: it tells nothing
PAIR = 2  # words of the goods that two reports of a brand must share
WORD = re.compile(r"[\w]{3,}")
BRAND, WORDING = "brand", "title"
Subject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Reports that speak of the same thing.

    code: of the report that is named first, by which the cluster is asked for. ties: kinds of evidence that they share,
    and `brand` for a brand in like words. last_at: when the latest of them was imported.
    """

    code: str
    subjects: tuple[Subject, ...]
    lists: tuple[str, ...]
    brands: tuple[str, ...]
    wordings: tuple[str, ...]
    ties: tuple[str, ...]
    last_at: int

    @property
    def size(self) -> int:
        """How many reports."""
        return len(self.subjects)

    @property
    def label(self) -> str:
        """What it is about, in the words of the reports."""
        return " · ".join([*self.brands[:2], *self.wordings[:1]]) or ", ".join(self.lists[:2])


@dataclass(frozen=True, slots=True)
class Report:
    """One report: from which list, and the forms in which it is compared."""

    subject: Subject
    list_id: str
    at: int
    forms: frozenset[tuple[str, str]]


def clusters_of(store: Store) -> list[Cluster]:
    """Group the reports that are active; the largest clusters first."""
    reports = _reports(store)
    by_form: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, report in enumerate(reports):
        for form in report.forms:
            by_form[form].append(place)
    shared = {form: places for form, places in by_form.items() if FEWEST <= len(places) <= TOO_COMMON}
    first = list(range(len(reports)))
    for places in shared.values():
        for other in places[1:]:
            _join(first, places[0], other)
    groups: dict[int, list[int]] = defaultdict(list)
    for place in range(len(reports)):
        groups[_root(first, place)].append(place)
    found = [_cluster([reports[place] for place in places], set(shared)) for places in groups.values()]
    return sorted((one for one in found if one.size >= FEWEST), key=lambda one: (-one.size, -one.last_at, one.code))


def cluster_of(store: Store, code: str) -> Cluster | None:
    """The cluster that a report belongs to; None where it belongs to none."""
    return next((one for one in clusters_of(store) if one.code == code), None)


def _reports(store: Store) -> list[Report]:
    query = sa.select(LISTS).where(LISTS.c.kind == "reports", LISTS.c.status == "active")
    found: list[Report] = []
    with store.reading() as connection:
        pseudonyms = pseudonyms_in(connection)
        for row in connection.execute(query.order_by(LISTS.c.list_id)):
            for name in sorted(row.subjects)[: MOST_REPORTS - len(found)]:
                subject = row.subjects[name]
                plain = pseudonyms.plain_list(subject["values"])
                forms = frozenset(_forms(plain, subject.get("goods") or {}))
                found.append(Report({**subject, "code": f"{row.list_id}/{name}"}, row.list_id, row.imported_at, forms))
    return found


def _forms(values: Sequence[int], goods: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield what ties a report to others: what identifies a seller, and each two words of the goods of a brand."""
    for value in values:
        if level_of(value) in SURE:
            yield NAMES[level_of(value)], str(value)
    brands = sorted({form for text in goods.get(BRAND, ()) if (form := comparable(text))})
    words = sorted({word for text in goods.get(WORDING, ()) for word in WORD.findall(comparable(text) or "")})
    for brand in brands:
        rest = [word for word in words if word not in brand.split()]
        for pair in combinations(rest[:12], PAIR):
            yield BRAND, "\x1f".join((brand, *pair))


def _cluster(reports: Sequence[Report], shared: set[tuple[str, str]]) -> Cluster:
    def texts(name: str) -> tuple[str, ...]:
        stated = (text for report in reports for text in (report.subject.get("goods") or {}).get(name, ()))
        return tuple(dict.fromkeys(stated))

    count: dict[tuple[str, str], int] = defaultdict(int)
    for report in reports:
        for form in report.forms & shared:
            count[form] += 1
    ties = sorted({kind for (kind, _), number in count.items() if number >= FEWEST})
    return Cluster(
        min(report.subject["code"] for report in reports), tuple(report.subject for report in reports),
        tuple(dict.fromkeys(report.list_id for report in reports)), texts(BRAND), texts(WORDING), tuple(ties),
        max(report.at for report in reports),
    )  # fmt: skip


def _root(first: list[int], place: int) -> int:
    while first[place] != place:
        first[place] = first[first[place]]
        place = first[place]
    return place


def _join(first: list[int], one: int, other: int) -> None:
    first[max(_root(first, one), _root(first, other))] = min(_root(first, one), _root(first, other))
