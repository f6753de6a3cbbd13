"""How long a search takes over a million consignments, what its index weighs, and what it costs to take one in.

python -m tests.bench.search [CONSIGNMENTS [ADDRESS]]    # a million, in SQLite; ten minutes and 4 GB of disk

The consignments are put straight into the tables: a declaration and a decision each, whose texts are drawn from lists
of names, streets and goods; digests of these two tables are not kept. An actor's 25 parcels lie among them, at one
office of fifty, and come into the index as in the service; of the others the words of goods do, stated by a tenth of
all, and beside them as many hashes by chance as such a declaration has other keys. What it costs to take declarations
in is measured at the end, on some thousands that come as in the service.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.moments import EPOCH
from features.parties.linking import code_of
from service.officers.search import Asked, search
from service.record.ownership import INSTALLATION, Sender
from service.record.postings import add, packed
from service.record.search_index import stating, take_in, values_of
from service.record.search_keys import key_of
from service.store.bulk_rows import insert_many
from service.store.database import Store
from service.store.packed import pack
from service.store.store_key import pseudonyms_in
from service.store.tables import DECISIONS, DECLARATIONS, POSTINGS, SEARCHED

PARCELS, OFFICES, BATCH, TRIES = 25, 50, 500, 40
BY_CHANCE = 18  # keys of a consignment beside its words of goods
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
GIVEN = [
    "Marie",
    "Lucas",
    "Emma",
    "Hugo",
    "Chloe",
    "Louis",
    "Lea",
    "Jules",
    "Manon",
    "Adam",
    "Nora",
    "Theo",
    "Lina",
    "Omar",
]
FAMILY = [f"{a}{b}{c}" for a in ("Mar", "Ber", "Dur", "Lef", "Mor", "Gar", "Rou", "Fon", "Che", "Per")
          for b in ("ti", "nar", "an", "eb", "el", "ni", "ss", "tai", "val", "rin")
          for c in ("n", "d", "t", "vre", "et", "er", "eau", "ne", "ier", "ot")]  # fmt: skip
STREETS = [f"rue {a} {b}" for a in ("du", "des", "de la") for b in FAMILY[:300]]
TOWNS = [f"{a}{b}" for a in FAMILY[:40] for b in ("ville", "court", "sur Mer", "les Bains")]
GOODS = [
    *(
        "case",
        "shoes",
        "dress",
        "bag",
        "phone",
        "cover",
        "women",
        "men",
        "kids",
        "summer",
        "cotton",
        "leather",
        "watch",
    ),
    *("toy", "ring", "lamp", "cable", "usb", "set", "new", "fashion", "jacket", "shirt", "socks", "hat", "bottle"),
    *("brush", "mask", "paint", "sticker", "charger", "holder", "wallet", "belt", "scarf", "gloves", "mug", "plate"),
]
ACTOR = {
    "consignor_name": "Kexin Starlight", "consignor_address": "12 Second Road", "consignor_city": "Yiwu",
    "consignor_country": "CN", "consignor_phone": "+86 135 1234 0987", "consignor_email": "kexin@shops.example",
    "consignor_id": "CN91330782MA2E", "consignee_name": "Kevin Lemairequin", "consignee_address": "1181 rue du Port",
    "consignee_city": "Roubaix", "consignee_postcode": "59100", "consignee_country": "FR",
    "consignee_phone": "+33 6 39 98 12 34", "consignee_email": "kevin.lemairequin@inbox.example",
    "seller_account": "starlight_77", "seller_url": "https://starlight-kicks.example/p/1", "platform": "Zeebay",
}  # fmt: skip
CARD = 4_660
KINDS = {
    "telephone": "06 39 98 12 34", "mailbox": "Kevin.Lemairequin@inbox.example", "name": "LEMAIREQUIN Kévin",
    "address": "1181 rue du Port, Roubaix", "account": "Starlight 77", "shop": "starlight-kicks.example",
    "product": "KX-7781 replica", "party": code_of("P", CARD), "number": "CN 91330782MA2E", "message": "M-actor",
}  # fmt: skip
Declared = tuple[str, dict[str, Any], dict[str, Any]]


def body_of(number: int, chance: random.Random) -> dict[str, Any]:
    """A stranger's consignment."""
    name, sender = (f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}" for _ in range(2))
    return {
        "message_id": f"M{number // 100:06d}", "consignment_id": f"LB{number:09d}CN", "version": 1,
        "office": f"FR{number % OFFICES:03d}", "consignor_name": f"{sender} {number % 50_000} Trading",
        "consignor_address": f"{number % 50_000} Futian Road", "consignor_city": "Yiwu", "consignor_country": "CN",
        "consignor_phone": f"+86 13{number % 50_000 + 300_000_000}", "consignor_email": f"s{number % 50_000}@s.example",
        "consignee_name": name, "consignee_address": f"{chance.randint(1, 200)} {chance.choice(STREETS)}",
        "consignee_city": chance.choice(TOWNS), "consignee_country": "FR",
        "consignee_phone": f"+33 6{chance.randint(10_000_000, 99_999_999)}",
        "consignee_email": f"{name.replace(' ', '.').lower()}{chance.randint(100, 99_999)}@inbox.example",
        "seller_account": f"seller_{number % 50_000}", "platform": "Zeebay",
        "goods": [{"line_no": 1, "description": " ".join(chance.sample(GOODS, 4)), "hs_code": "640411", "value": 9.0}],
    }  # fmt: skip


def consignments(count: int) -> Iterator[list[Declared]]:
    """Batches of consignments, the actor's among them."""
    chance = random.Random(1)
    actors = {int(at): n for n, at in enumerate(np.linspace(count // 10, count - 2, PARCELS))}
    for start in range(0, count, BATCH):
        batch: list[Declared] = []
        for number in range(start, min(count, start + BATCH)):
            body = body_of(number, chance)
            if number in actors:
                goods = [{**body["goods"][0], "description": "sneakers replica KX 7781"}]
                body |= {**ACTOR, "message_id": "M-actor", "office": "FR007", "goods": goods}
            card = CARD if number in actors else 1_000_000 + number % 50_000
            batch.append((body["consignment_id"], body, {"card_entity": card}))
        yield batch


def put(store: Store, batch: list[Declared]) -> None:
    """Put a batch straight into the tables."""
    declarations, decisions = [], []
    for number, body, stated in batch:
        key = {name: body[name] for name in ("message_id", "consignment_id", "version")}
        lodged_at = FIRST + timedelta(seconds=int(number[2:11]) * 10)
        at = (lodged_at - EPOCH) // timedelta(microseconds=1)
        row = {"lodged_at": at, "content_sha256": "0" * 64, "stated": pack(stated), "body": pack(body)}
        declarations.append({**key, **row, "archived": True, "posted": True, "office": body["office"], "sender": None})
        code = code_of("P", stated["card_entity"])
        decided = {**key, "decision_id": f"{hash(number) & (2**128 - 1):032x}", "assessment": 1, "clearance": "green",
                   "risk": 0.01, "party_id": code, "network_id": f"N{code[1:]}", "office": body["office"]}  # fmt: skip
        decisions.append(
            {**key, "decision_id": decided["decision_id"], "call_id": "c", "place": 0, "salt": "s", "decided_at": at,
             "office": body["office"], "day": at // 86_400_000_000, "pre_arrival": "no_risk", "clearance": "green",
             "post_clearance": "none", "hour": 0, "band": 0, "checked": "none", "network": f"N{code[1:]}",
             "held": False, "risk": 0.01, "body": pack(decided), "row_as_scored": None, "assessment": 1,
             "stands": True, "waits": False}
        )  # fmt: skip
    with store.engine.begin() as connection:
        for table, rows in ((DECLARATIONS, declarations), (DECISIONS, decisions)):
            columns: list[Any] = [sa.column(name) for name in rows[0]]
            connection.execute(sa.insert(sa.table(table.name, *columns)), rows)


def fill(store: Store, count: int) -> None:
    """Make the store and its index."""
    words = dict(zip(GOODS, values_of([key_of("product", word) for word in GOODS], store.pseudonyms), strict=True))
    chance = np.random.default_rng(3)
    for place, batch in enumerate(consignments(count)):
        put(store, batch)
        store.write(lambda connection, batch=batch: index(connection, batch, words, chance))  # type: ignore[misc]
        if place % 200 == 0:
            print(f"  {place * BATCH:>9,} consignments", file=sys.stderr, flush=True)


def index(connection: sa.Connection, batch: list[Declared], words: dict[str, Any], chance: np.random.Generator) -> None:
    """Let a batch be found: the actor's as in the service, the others by their words and by hashes of chance."""
    actors = [one for one in batch if one[1]["message_id"] == "M-actor"]
    others = [one for one in batch if one[1]["message_id"] != "M-actor"]
    take_in(connection, stating(as_rows(actors), pseudonyms_in(connection)))
    last = connection.execute(sa.select(sa.func.max(SEARCHED.c.number))).scalar() or 0
    numbers = np.arange(last + 1, last + 1 + len(others))
    rows = zip(numbers.tolist(), others, strict=True)
    insert_many(
        connection,
        SEARCHED,
        [{"number": number, "consignment_id": one[0], "offices": [one[1]["office"]]} for number, one in rows],
    )
    stated = [[words[word] for word in one[1]["goods"][0]["description"].split()] for one in others]
    values = np.concatenate([np.array(stated), chance.integers(0, 1 << 48, (len(others), BY_CHANCE))], axis=1)
    add(connection, packed(values.astype(np.uint64).ravel(), np.repeat(numbers, values.shape[1])))


def as_rows(batch: list[Declared]) -> list[dict[str, Any]]:
    return [{**{name: body[name] for name in VERSION_KEY}, "body": body, "stated": of} for _, body, of in batch]


def cost_of_taking_in(store: Store, count: int) -> None:
    """Print the CPU of taking in declarations of new addressees, alone and many together."""
    chance, numbers = random.Random(4), itertools.count(count)
    for together, batches in ((BATCH, 6), (20, 50), (1, 400)):  # the first loads the tables of telephones
        spent = 0.0
        for _ in range(batches):
            bodies = [body_of(next(numbers), chance) for _ in range(together)]
            rows = [(body["consignment_id"], body, {"card_entity": 1}) for body in bodies]
            put(store, rows)
            begun = time.process_time()
            stated = stating(as_rows(rows), store.pseudonyms)
            store.write(lambda connection, stated=stated: take_in(connection, stated))  # type: ignore[misc]
            spent += time.process_time() - begun
        print(f"CPU of taking in, {together} together: {spent / batches / together * 1e6:.0f} µs each")


def timed(store: Store, asked: Asked, reader: Sender) -> tuple[float, float, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = search(store, asked, reader)
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3, found


def strangers(count: int) -> Iterator[str]:
    """Keys of others, so that no search finds its pages in a cache by the one before."""
    chance = random.Random(2)
    while True:
        body = body_of(chance.randrange(count), chance)
        yield str(body[chance.choice(["consignment_id", "consignee_phone", "consignee_email", "seller_account"])])


def report(name: str, walls: list[float], cpus: list[float]) -> None:
    wall, p95, cpu = np.median(walls), np.percentile(walls, 95), np.median(cpus)
    print(f"{name:<34}{wall:>10.1f}{p95:>10.1f}{cpu:>10.1f}")


def main(count: int, address: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        store = Store(address or f"sqlite:///{path}", folder=Path(folder) / "history")
        fill(store, count)
        with store.reading() as connection:
            rows, weight = connection.execute(
                sa.select(sa.func.count(), sa.func.sum(sa.func.length(POSTINGS.c.content)))
            ).one()
            indexed = connection.execute(sa.select(sa.func.count()).select_from(SEARCHED)).scalar_one()
        size = os.path.getsize(path) if path.exists() else 0
        print(f"{indexed:,} consignments; postings: {weight / count:.0f} bytes a consignment in {rows:,} rows")
        print(f"the store: {size / 1e6:,.0f} MB")
        print(f"{'search, ms':<34}{'median':>10}{'p95':>10}{'CPU':>10}")
        other, every = strangers(count), ([], [])  # type: ignore[var-annotated]
        for reader, who in ((INSTALLATION, "all offices"), (Sender("ana", ("FR007",)), "one office")):
            for kind, key in KINDS.items():
                walls, cpus = [], []
                for _ in range(TRIES):
                    search(store, Asked(next(other)), reader)
                    wall, cpu, found = timed(store, Asked(key), reader)
                    assert found.total == PARCELS, (kind, found.total)
                    walls.append(wall)
                    cpus.append(cpu)
                report(f"{kind}, {who}", walls, cpus)
                every[0].extend(walls)
                every[1].extend(cpus)
        report("all of these", *every)
        for reader, who in ((INSTALLATION, "all offices"), (Sender("eve", ("elsewhere",)), "an office without any")):
            for key in ("shoes", "shoes women summer", "LB0001*"):
                times = [timed(store, Asked(key), reader) for _ in range(10)]
                report(f"{key} ({times[0][2].total:,}{'+' if times[0][2].more else ''}), {who}",
                       [one[0] for one in times], [one[1] for one in times])  # fmt: skip
        cost_of_taking_in(store, count)
        store.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000, *sys.argv[2:3])
