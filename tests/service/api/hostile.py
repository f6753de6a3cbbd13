"""Bodies that are small and become large: by rows, columns, cells, names, words, elements, faults or repetition."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CANARY = "kanarienvogel7"
MESSAGES, CONSIGNMENTS, OUTCOMES, GENUINE = "/v1/messages", "/v1/consignments", "/v1/outcomes", "/v1/genuine"
AT = "2026-03-01T08:15:00Z"
HEAD = "message_id,consignment_id,stream,lodged_at,description\n"
ROW = f"M1,{CANARY},express,{AT},shirts\n"
LEVEL = {"stream": "express", "lodged_at": AT, "office": "FRCDG1"}
GOODS = {"description": "x"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One body: where it goes, and the statuses that it may be answered with."""

    route: str
    content: bytes
    allowed: tuple[int, ...] = (422,)
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


def parquet(columns: dict[str, Any], **how: Any) -> bytes:
    """A Parquet file of columns."""
    made = io.BytesIO()
    pq.write_table(pa.table(columns), made, compression="zstd", **how)
    return made.getvalue()


def constant(rows: int, *words: str) -> dict[str, Any]:
    """Columns in which one word stands in every row."""
    places = pa.array(memoryview(bytes(rows)).cast("b"), pa.int8())
    return {f"c{n}": pa.DictionaryArray.from_arrays(places, pa.array([word])) for n, word in enumerate(words)}


def wordy(rows: int, description: str) -> dict[str, Any]:
    """Columns of a manifest of a thousand consignments whose goods are described at length."""
    numbers = range(rows)
    names = [f"W{n % 1_000}" for n in numbers]
    line_no = [n // 1_000 + 1 for n in numbers]
    fixed = constant(rows, "wordy", "express", AT, description)
    fixed = dict(zip(("message_id", "stream", "lodged_at", "description"), fixed.values(), strict=True))
    return {**fixed, "consignment_id": names, "line_no": line_no}


def long_lists(rows: int, values: int) -> dict[str, Any]:
    """A column of lists of so many values each."""
    offsets = pa.array(range(0, rows * values + 1, values), pa.int32())
    return {"consignment_id": pa.ListArray.from_arrays(offsets, pa.array(memoryview(bytes(rows * values)).cast("b")))}


def declared(number: int, goods: list[Any], **more: Any) -> dict[str, Any]:
    """A consignment of a call."""
    return {"consignment_id": f"C{number}", **LEVEL, "goods": goods, **more}


def call(*consignments: dict[str, Any], message_id: str = "M1") -> bytes:
    """The body of a call."""
    return json.dumps({"message_id": message_id, "consignments": consignments}).encode()


def own_extras(consignments: int, names: int) -> bytes:
    """Consignments of which each has foreign columns of its own."""
    return call(
        *(declared(n, [GOODS], extra={f"x{n}_{name}": "1" for name in range(names)}) for n in range(consignments))
    )


def with_lines(consignments: int, lines: int, message_id: str = "M1", **goods: Any) -> bytes:
    """Consignments of so many goods lines each."""
    every = (declared(n, [{**GOODS, **goods} for _ in range(lines)]) for n in range(consignments))
    return call(*every, message_id=message_id)


def ics2(inside: bytes) -> bytes:
    """An ICS2 message around something."""
    return b"<IE4R05><relatedENS><consignmentMasterLevel>" + inside + b"</consignmentMasterLevel></relatedENS></IE4R05>"


HOUSE = b"<consignmentHouseLevel>%s</consignmentHouseLevel>"
HOSTILE: dict[str, Callable[[], Sent]] = {
    "Parquet, 5 million rows": lambda: Sent(MESSAGES, parquet(constant(5_000_000, CANARY, "express", AT, "x"))),
    "Parquet, 20 million rows": lambda: Sent(MESSAGES, parquet(constant(20_000_000, CANARY))),
    "Parquet, a word of 1 MB in 100,000 rows": lambda: Sent(MESSAGES, parquet(constant(100_000, CANARY * 71_000))),
    "Parquet, the same without Arrow's schema": lambda: Sent(
        MESSAGES, parquet(constant(100_000, CANARY * 71_000), store_schema=False)
    ),
    "Parquet, 5,000 columns": lambda: Sent(MESSAGES, parquet({f"c{n}": [1] for n in range(5_000)})),
    "Parquet, 36 million cells": lambda: Sent(MESSAGES, parquet(constant(90_000, *["x"] * 400))),
    "Parquet, lists of a million": lambda: Sent(MESSAGES, parquet(long_lists(5, 1_000_000))),
    "CSV, 100,000 columns": lambda: Sent(
        MESSAGES, ",".join(f"col{n}" for n in range(100_000)).encode() + b"\n" + b"," * 99_999 + b"\n"
    ),
    "CSV, 900,000 columns": lambda: Sent(MESSAGES, ",".join(f"{n:07x}" for n in range(900_000)).encode() + b"\n1\n"),
    "CSV, a header without end": lambda: Sent(MESSAGES, b"x" * 7_000_000),
    "CSV, 4 million broken records": lambda: Sent(MESSAGES, HEAD.encode() + b"a\n" * 4_000_000),
    "CSV, 7 million blank lines": lambda: Sent(MESSAGES, (HEAD + ROW).encode() + b"\n" * 7_000_000),
    "CSV, 49 million cells, packed": lambda: Sent(
        MESSAGES, gzip.compress(",".join(f"c{n}" for n in range(490)).encode() + (b"\n" + b"," * 489) * 60_000)
    ),
    "CSV, one cell of 15 MB, packed": lambda: Sent(
        MESSAGES, gzip.compress((HEAD + ROW).encode().replace(b"shirts", b"s" * 15_000_000)), (200, 422)
    ),
    "gzip bomb, 200 MB": lambda: Sent(MESSAGES, gzip.compress(HEAD.encode() + b"a" * 200_000_000, 1)),
    "zstd bomb, 200 MB": lambda: Sent(MESSAGES, pa.compress(b"a" * 200_000_000, "zstd", asbytes=True)),
    "XML, 2 million elements": lambda: Sent(MESSAGES, b"<HouseWaybill>" + b"<a/>" * 2_000_000 + b"</HouseWaybill>"),
    "XML, 600,000 attributes": lambda: Sent(
        MESSAGES, b"<HouseWaybill " + b" ".join(b'a%d=""' % n for n in range(600_000)) + b"/>"
    ),
    "XML, 450,000 goods lines": lambda: Sent(MESSAGES, ics2(HOUSE % (b"<goodsItem/>" * 450_000))),
    "XML, 480,000 elements of a postal message": lambda: Sent(
        MESSAGES, b"<ITMATT>" + b"<a/>" * 480_000 + b"</ITMATT>", (200, 422)
    ),
    "JSON by post, 3 million values": lambda: Sent(MESSAGES, b'{"items": [' + b"0," * 3_000_000 + b"0]}"),
    "JSON by post, 220,000 items": lambda: Sent(MESSAGES, b'{"items": [' + b"{}," * 220_000 + b"{}]}"),
    "JSON by post, one object of 450,000 names": lambda: Sent(
        MESSAGES, b'{"items": [{' + b",".join(b'"%x":1' % n for n in range(450_000)) + b"}]}"
    ),
    "JSON by post, quotes that never close": lambda: Sent(MESSAGES, b'{"items": "' + b'\\"' * 3_500_000),
    "Cargo-IMP, 600,000 houses": lambda: Sent(MESSAGES, b"FHL/4\n" + b"HBS/1\n" * 600_000),
    "100 consignments of 200 names": lambda: Sent(CONSIGNMENTS, own_extras(100, 200)),
    "400 consignments of 200 names": lambda: Sent(CONSIGNMENTS, own_extras(400, 200)),
    "1,000 consignments of 200 names": lambda: Sent(CONSIGNMENTS, own_extras(1_000, 200)),
    "300 consignments of 1,000 lines": lambda: Sent(CONSIGNMENTS, with_lines(300, 1_000)),
    "500,000 unknown names": lambda: Sent(
        CONSIGNMENTS, b'{"consignments":[{' + b",".join(b'"%x":1' % n for n in range(490_000)) + b"}]}"
    ),
    "unknown names in 30,000 lines": lambda: Sent(
        CONSIGNMENTS, with_lines(30, 1_000, "M1", **{f"{CANARY}{n}": 1 for n in range(6)})
    ),
    "values of another kind in 45,000 lines": lambda: Sent(
        CONSIGNMENTS, with_lines(45, 1_000, hs_code=7, currency=[], value={}, quantity=[])
    ),
    "brackets in brackets": lambda: Sent(CONSIGNMENTS, b"[" * 7_000_000),
    "a text of 7 MB": lambda: Sent(CONSIGNMENTS, call(declared(1, [{"description": CANARY * 500_000}]))),
    "a number of 7 million digits": lambda: Sent(CONSIGNMENTS, call(declared(1, [GOODS], version=0)).replace(
        b'"version": 0', b'"version": 1.' + b"0" * 7_000_000), (200, 409)),
    "spaces": lambda: Sent(CONSIGNMENTS, b" " * 8_000_000),
    "UTF-16": lambda: Sent(CONSIGNMENTS, with_lines(30, 1_000).decode().encode("utf-16")),
    "2 million outcomes of nothing": lambda: Sent(OUTCOMES, b'{"outcomes":[' + b"{}," * 2_000_000 + b"{}]}"),
    "1,000 outcomes of 300 unknown names": lambda: Sent(
        OUTCOMES, json.dumps({"outcomes": [{f"{CANARY}{n}": 1 for n in range(300)}] * 1_000}).encode()
    ),
    "10,000 serial numbers of another kind": lambda: Sent(
        GENUINE, json.dumps({"serials": [{"gtin": 1, "serial": [], "product_code": {}}] * 10_000}).encode()
    ),
    "a form of 7 MB": lambda: Sent(
        "/console/log-in", b"name=" + b"&" * 7_000_000, (413,), {"content-type": "application/x-www-form-urlencoded"}
    ),
    "9 MB, above the limit": lambda: Sent(CONSIGNMENTS, b" " * 9_000_000, (413,)),
    "the most that is taken: 14 MB of words": lambda: Sent(MESSAGES, parquet(wordy(52_000, "a bc " * 52)), (200,)),
    "the most that is taken: 100,000 lines": lambda: Sent(CONSIGNMENTS, with_lines(100, 1_000, "most"), (200,)),
}  # fmt: skip
