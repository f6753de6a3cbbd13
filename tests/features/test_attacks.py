"""Bytes from strangers: every reader gives rows or refuses, in time, in memory, without repeating what was sent."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import time
import tracemalloc
import zipfile
from collections.abc import Callable

import pyarrow as pa
import pytest

from features.contract import gate_manifest, spared
from features.messages.formats import FORMATS, read_content
from features.messages.raw import Raw, UnreadableFile
from tests.features.test_messages import FHL, HOUSE, ITEM, PREDES_XML
from tests.writers import as_cargo_xml, as_fhl, as_flat, as_ics2, as_postal_json, as_postal_xml

CANARY = "kanarienvogel7"
AT = "2026-03-01T08:15:00Z"
FLAT = {k: v for k, v in HOUSE.items() if k != "origin_airport"}
SEEDS: dict[str, bytes] = {
    "flat": as_flat([FLAT], "M1"),
    "ics2": as_ics2([HOUSE, {**HOUSE, "consignment_id": "H2"}], "M1", mrn="26FR00000000000AB1"),
    "cargo-xml": as_cargo_xml(HOUSE, "M1"),
    "cargo-imp": FHL.encode() + as_fhl([HOUSE]),
    "postal": as_postal_xml([ITEM], "M1", AT),
    "postal json": as_postal_json([ITEM], "M1", AT),
    "predes": PREDES_XML.encode(),
}
SECONDS, MEGABYTES = 1.0, 200  # the most that one hostile message may take


def judged(content: bytes, format: str | None = None) -> Raw | None:
    """What a message comes to at the gate; None where it was refused, for a reason that repeats nothing of it."""
    try:
        raw = read_content(content, "m", format=format, at_most=8 * 1024**2)  # type: ignore[arg-type]
    except UnreadableFile as refused:
        told = str(refused)
    else:
        told = ""
    if told:
        assert told.startswith("m: ")
        assert CANARY not in told
        return None
    rows = raw.rows if raw.format == "flat" else spared(raw.rows)[0]
    gated = gate_manifest(rows, "m")
    assert gated.received == raw.rows.height == gated.accepted.height + gated.refused.height
    return raw


def measured(work: Callable[[], Raw | None]) -> Raw | None:
    tracemalloc.start()
    started = time.process_time()
    try:
        raw = work()
        spent, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert spent < SECONDS * 4, f"{spent:.1f} s"  # tracing makes everything about three times slower
    assert peak < MEGABYTES * 1024**2, f"{peak / 1024**2:.0f} MB"
    return raw


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">{entities}]><HouseWaybill>&l11;</HouseWaybill>'.encode()


def deep_xml(depth: int) -> bytes:
    return b"<HouseWaybill>" + b"<a>" * depth + b"</a>" * depth + b"</HouseWaybill>"


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", SEEDS["flat"])
    return made.getvalue()


REFUSED: dict[str, Callable[[], bytes]] = {
    "a billion laughs": laughs,
    "a file from outside": lambda: (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><HouseWaybill>&x;</HouseWaybill>'
    ),
    "a type from elsewhere": lambda: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><HouseWaybill/>',
    "an entity in lower case": lambda: b"<!doctype a><HouseWaybill/>",
    "a parameter entity": lambda: b'<!DOCTYPE a [<!ENTITY % p "x">%p;]><IE4R05/>',
    "an undeclared entity": lambda: b"<HouseWaybill>&nothing;</HouseWaybill>",
    "elements too deep": lambda: deep_xml(100_000),
    "elements that never close": lambda: b"<HouseWaybill>" + b"<a>" * 200,
    "a type in UTF-16": lambda: '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><HouseWaybill/>'.encode("utf-16"),
    "an encoding nobody uses": lambda: b'<?xml version="1.0" encoding="UTF-7"?><HouseWaybill/>',
    "brackets too deep": lambda: b'{"items":' * 1 + b"[" * 100_000,
    "objects too deep": lambda: b'{"items":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    "a key twice": lambda: b'{"items": [], "items": []}',
    "not a number": lambda: b'{"items": [{"grossWeight": NaN}]}',
    "JSON cut off": lambda: SEEDS["postal json"][:-9],
    "JSON that is not UTF-8": lambda: SEEDS["postal json"].replace(b"Yiwu", b"\xff\xfe\xfd\xfc"),
    "JSON of another kind": lambda: b'{"hello": "kanarienvogel7"}',
    "XML of another kind": lambda: b"<kanarienvogel7/>",
    "a zip": zipped,
    "gzip cut off": lambda: gzip.compress(SEEDS["flat"])[:-9],
    "gzip that is none": lambda: b"\x1f\x8b" + b"kanarienvogel7" * 9,
    "a gzip bomb": lambda: gzip.compress(b"a,b\n" + b"\0" * (64 * 1024**2)),
    "a zstd bomb": lambda: pa.compress(b" " * (64 * 1024**2), "zstd", asbytes=True),
    "packed twice": lambda: gzip.compress(gzip.compress(SEEDS["flat"])),
    "a text line too long": lambda: b"FHL/4\nTXT/" + b"A" * 3_000,
    "nothing": lambda: b"",
    "only spaces": lambda: b"  \n ",
    "an unclosed comment": lambda: b"<!-- " + b"-" * 100_000,
    "an XML without root": lambda: b"<?xml version='1.0'?>",
}


@pytest.mark.parametrize("attack", REFUSED)
def test_an_attack_is_refused(attack: str) -> None:
    content = REFUSED[attack]()
    assert measured(lambda: judged(content)) is None


ACCEPTED: dict[str, Callable[[], bytes]] = {
    "a text of a megabyte": lambda: as_cargo_xml({**HOUSE, "consignor_name": "x" * 900_000}, "M1"),
    "a number of ten thousand digits": lambda: b'{"items": [{"itemId": "A", "grossWeight": ' + b"9" * 10_000 + b"}]}",
    "a number like an exponent": lambda: b'{"items": [{"itemId": "A", "grossWeight": 1e999999}]}',
    "control characters": lambda: SEEDS["postal json"].replace(b"Yiwu", b"\\u0000\\u001b[31m\\ufffe"),
    "half a character": lambda: SEEDS["postal json"].replace(b"Yiwu", b"\\ud800"),
    "attributes by the thousand": lambda: b"<HouseWaybill " + b" ".join(b'a%d="x"' % n for n in range(10_000)) + b"/>",
    "houses by the thousand": lambda: as_ics2([{**HOUSE, "consignment_id": f"H{n}"} for n in range(1_000)], "M1"),
    "a line of nothing but strokes": lambda: b"FHL/4\nMBI/\nHBS/" + b"/" * 1_500 + b"\nOCI/\nCVD/\nSHP/\n/\n",
    "quotes that open and close": lambda: b'consignment_id\n"a""b"\n' * 5_000,
}


@pytest.mark.parametrize("attack", ACCEPTED)
def test_an_odd_message_is_read_as_far_as_it_can_be(attack: str) -> None:
    content = ACCEPTED[attack]()
    assert measured(lambda: judged(content)) is not None


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_message_under_a_wrong_name_is_read_or_refused(seed: str, format: str) -> None:
    judged(SEEDS[seed], format)


def mutated(content: bytes, draw: random.Random) -> bytes:
    """The message with a few of the faults that lines, programs and people make."""
    told = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 5, 20))):
        place = draw.randrange(len(told) + 1) if told else 0
        kind = draw.randrange(8)
        if kind == 0 and told:
            told[place % len(told)] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del told[place : place + draw.choice((1, 3, 50, 1_000))]
        elif kind == 2:
            told[place:place] = told[place : place + draw.choice((1, 10, 300))] * draw.choice((1, 2, 30))
        elif kind == 3:
            told[place:place] = draw.choice(PIECES)
        elif kind == 4:
            told = told[:place]
        elif kind == 5:
            other = draw.choice(list(SEEDS.values()))
            told[place:place] = other[: draw.randrange(len(other))]
        elif kind == 6:
            told[place : place + 3] = bytes(draw.randrange(256) for _ in range(3))
        else:
            start = draw.randrange(len(told) + 1)
            told[place:place] = told[start : start + draw.choice((5, 80, 400))]
    return bytes(told)


PIECES = (
    b"\x00", b"\xff", b"<", b">", b"&#0;", b"&#x1F600;", b"<![CDATA[", b"]]>", b"<!--", b'"', b"'", b"{", b"[", b"]",
    b"}", b",", b"\n", b"\r", b"/", b"//", b"1e400", b"-0", b"NaN", b"null", b"\\u0000", b"\xef\xbb\xbf",
    b"<!DOCTYPE x>", b"9" * 400, b"FHL/4\n", b"HBS/", b"MBI/", b"kanarienvogel7", "\ufffe".encode(),
    "\u202e".encode(), b"xmlns:a='b'", b"2026-03-01",
)  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_no_mutation_of_a_message_breaks_its_reader(seed: str) -> None:
    """TAMIS_FUZZ_SECONDS: for how long each reader is tried; a moment in the daily run, ten minutes in the long one."""
    seconds = float(os.environ.get("TAMIS_FUZZ_SECONDS", "1.5"))
    started, draw, tried = time.monotonic(), random.Random(7), 0
    while time.monotonic() - started < seconds:
        content = mutated(SEEDS[seed], draw)
        before = time.process_time()
        judged(content, None if draw.random() < 0.7 else seed.split()[0].replace("predes", "postal"))
        assert time.process_time() - before < SECONDS, f"try {tried} of {seed}"
        tried += 1
    assert tried > 20


def test_a_fault_of_json_types_is_read_as_far_as_it_can_be() -> None:
    for odd in (None, 1, True, "x", [], {}, [[]], [{"itemId": ["A", "B"]}], [{"itemId": {"itemId": "A"}}], [None, 1]):
        judged(json.dumps({"itemMatter": {"items": odd, "header": odd}}).encode())
