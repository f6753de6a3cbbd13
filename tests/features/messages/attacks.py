"""Messages that are made to harm, and odd ones that are none."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

import pyarrow as pa

from tests.features.messages.parcels import FHL, HOUSE, ITEM, PREDES_XML
from tests.writers import as_cargo_xml, as_fhl, as_flat, as_ics2, as_postal_json, as_postal_xml

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
ACCEPTED: dict[str, Callable[[], bytes]] = {
    "a text of a megabyte": lambda: as_cargo_xml({**HOUSE, "consignor_name": "x" * 900_000}, "M1"),
    "a number of ten thousand digits": lambda: b'{"items": [{"itemId": "A", "grossWeight": ' + b"9" * 10_000 + b"}]}",
    "a number like an exponent": lambda: b'{"items": [{"itemId": "A", "grossWeight": 1e999999}]}',
    "control characters": lambda: SEEDS["postal json"].replace(b"Yiwu", b"\\u0000\\u001b[31m\\ufffe"),
    "half a character": lambda: SEEDS["postal json"].replace(b"Yiwu", b"\\ud800"),
    "attributes by the thousand": lambda: b"<HouseWaybill " + b" ".join(b'a%d="x"' % n for n in range(10_000)) + b"/>",
    "houses by the thousand": lambda: as_ics2([{**HOUSE, "consignment_id": f"H{n}"} for n in range(1_000)], "M1"),
    "a line of nothing but strokes": lambda: b"FHL/4\nMBI/\nHBS/" + b"/" * 1_500 + b"\nOCI/\nCVD/\nSHP/\n/\n",
    "quotes that open and close": lambda: (
        b"consignment_id,stream,lodged_at,description\n" + b'"a""b",postal,2026-03-01T08:00:00Z,"te""a"\n' * 5_000
    ),
}
