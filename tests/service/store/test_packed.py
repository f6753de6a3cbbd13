"""Content that rows keep packed: it comes back as it was, what was changed says so, and what has shipped stays."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
import zstandard

from features.fault import Fault
from service.store.bulk_rows import insert_many
from service.store.database import Store
from service.store.packed import DICTIONARY, FOLDER, Unreadable, pack, unpack
from service.store.tables import DECLARATIONS
from tests.service.store.test_bulk_rows import declared

CONTENTS: list[Any] = [
    {}, [], 0, "", {"consignor_name": "Société « L'Été »; 深圳", "goods": [{"value": 0.1, "pieces": None}]},
    {"entity": -(2**63), "other": 2**63 - 1, "share": 1e-308}, {"text": "x" * 100_000},
]  # fmt: skip
# of each dictionary the SHA-256: rows out there are packed with it
SHIPPED = {1: "386e5cf6bd6e2d20fd960ca2dc5f0911a8e6c4cfdc73e01a8b67a3599775f1c5"}


@pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
def test_what_was_packed_comes_back(content: Any) -> None:
    assert orjson.dumps(unpack(pack(content))) == orjson.dumps(content)


def test_a_dictionary_that_shipped_is_never_changed() -> None:
    found = {int(path.stem): hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.zdict")}
    assert found == SHIPPED
    assert DICTIONARY in found


def test_a_content_names_its_dictionary() -> None:
    assert zstandard.get_frame_parameters(pack({"stream": "postal"})).dict_id == DICTIONARY


def test_threads_pack_beside_one_another() -> None:
    content, wrong = {"consignor_name": "n" * 500, "lines": list(range(200))}, list[int]()

    def work() -> None:
        wrong.extend(turn for turn in range(200) if unpack(pack(content)) != content)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


WHOLE = pack({"consignor_name": "A", "goods": []})
OF_NO_DICTIONARY = zstandard.ZstdCompressor().compress(b"{")


@pytest.mark.parametrize("packed", [b"", b"{}", WHOLE[:-3], WHOLE[:8] + b"\xff" * 9, OF_NO_DICTIONARY])
def test_what_was_changed_is_unreadable(packed: bytes) -> None:
    content = unpack(packed)
    assert isinstance(content, Unreadable)
    assert content.content == packed
    for use in (lambda: content["body"], lambda: content.get("body"), lambda: list(content)):
        with pytest.raises(Fault, match="tamis verify"):
            use()


def test_a_content_of_a_dictionary_that_never_shipped_is_unreadable() -> None:
    texts: list[bytes | bytearray | memoryview] = [b'{"number": %d, "name": "n%d"}' % (n, n) for n in range(2_000)]
    other = zstandard.train_dictionary(1_024, texts, dict_id=9)
    assert isinstance(unpack(zstandard.ZstdCompressor(dict_data=other).compress(b"{}")), Unreadable)


def test_rows_hold_packed_content_in_either_database(either_store: Store) -> None:
    with either_store.writing() as connection:
        insert_many(connection, DECLARATIONS, [declared(1), declared(2, body=None, stated=None, card=None)])
    with either_store.reading() as connection:
        in_order, body = DECLARATIONS.c.consignment_id, DECLARATIONS.c.body
        stored = sa.select(sa.type_coerce(body, sa.LargeBinary)).order_by(in_order)
        first, second = connection.execute(stored).scalars()
        read = connection.execute(sa.select(body).order_by(in_order)).scalars().all()
    assert bytes(first).startswith(zstandard.FRAME_HEADER)
    assert second is None
    assert read == [declared(1)["body"], None]
