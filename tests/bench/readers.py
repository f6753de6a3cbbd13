"""What readers cost, each beside the barest parser of the same bytes, in the same run; and one very large manifest.

python -m tests.bench.readers            # megabytes and items a second, by format
python -m tests.bench.readers large 1    # ingest a CSV manifest of so many gigabytes: time and the most memory
"""

from __future__ import annotations

import gzip
import io
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from lxml import etree
from pyarrow import csv as arrow_csv

from features.messages.formats import read_content
from tests.features.messages.parcels import HOUSE, ITEM
from tests.writers import as_cargo_xml, as_fhl, as_flat, as_ics2, as_postal_json, as_postal_xml

AT = "2026-03-01T08:15:00Z"
MANY = 20_000
REPEATS = 3


def houses(number: int, told: dict[str, Any] = HOUSE) -> list[dict[str, Any]]:
    """Consignments of one to three lines."""
    lines = told["goods"]
    return [
        {
            **{k: v for k, v in told.items() if k != "origin_airport"},
            "origin_airport": "PVG",
            "consignment_id": f"LX{n:09d}CN",
            "consignor_name": f"{told['consignor_name']} {n % 997}",
            "goods": [{**lines[0], "line_no": str(line)} for line in range(1, n % 3 + 2)],
        }
        for n in range(number)
    ]


def best(work: Callable[[], Any]) -> float:
    """The shortest of a few runs, seconds."""
    spent = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        spent.append(time.perf_counter() - started)
    return min(spent)


def bare_xml(content: bytes) -> int:
    """Every element once, as lxml walks them."""
    return sum(1 for _ in etree.fromstring(content).iter())


def speeds() -> None:
    """One line a format: our reader, then the bare parser."""
    express, post = houses(MANY), houses(MANY, ITEM)
    flat = as_flat([{k: v for k, v in one.items() if k != "origin_airport"} for one in express], "M1")
    parquet = io.BytesIO()
    read_content(flat, "m").rows.drop("line").write_parquet(parquet)
    waybills = [as_cargo_xml(one, f"M{n}") for n, one in enumerate(express[:2_000])]
    messages: dict[str, tuple[list[bytes], str, Callable[[bytes], Any]]] = {
        "flat CSV": ([flat], "pyarrow", lambda c: arrow_csv.read_csv(io.BytesIO(c))),
        "flat CSV, gzip": ([gzip.compress(flat, 6)], "gzip", gzip.decompress),
        "flat CSV, zstd": ([pa.compress(flat, "zstd", asbytes=True)], "pyarrow", _unzstd),
        "flat Parquet": ([parquet.getvalue()], "polars", lambda c: pl.read_parquet(io.BytesIO(c))),
        "ICS2 IE4R05": ([as_ics2(express, "M1")], "lxml", bare_xml),
        "Cargo-XML XFZB": (waybills, "lxml", bare_xml),
        "FHL": ([as_fhl(express)], "splitlines", lambda c: c.decode().splitlines()),
        "postal XML": ([as_postal_xml(post, "M1", AT)], "lxml", bare_xml),
        "postal JSON": ([as_postal_json(post, "M1", AT)], "json", json.loads),
    }
    read_one = partial(read_content, name="m")
    print(f"{'format':16s} {'MB':>6s} {'items':>7s} {'MB/s':>8s} {'items/s':>10s}   peer: MB/s")
    for name, (contents, peer, bare) in messages.items():
        size = sum(map(len, contents)) / 1e6
        items = MANY if len(contents) == 1 else len(contents)
        ours = best(partial(_each, read_one, contents))
        theirs = best(partial(_each, bare, contents))
        print(
            f"{name:16s} {size:6.1f} {items:7,d} {size / ours:8.1f} {items / ours:10,.0f}   {peer}: {size / theirs:.1f}"
        )


def _each(read: Callable[[bytes], Any], contents: list[bytes]) -> None:
    for content in contents:
        read(content)


def _unzstd(content: bytes) -> bytes:
    unpacked: bytes = pa.CompressedInputStream(pa.BufferReader(content), "zstd").read()
    return unpacked


def large(gigabytes: float) -> None:
    """A manifest of that size, ingested by the command's own code."""
    from pipelines.batch.archive import Archive
    from pipelines.batch.ingest import ingest_manifest
    from service.journal import Journal
    from service.store.database import Store

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "large.csv"
        consignments = _write_large(path, int(gigabytes * 1e9))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started = time.perf_counter()
        store = Store(f"sqlite:///{folder / 'store.db'}")
        done = ingest_manifest(path, Archive(folder / "archive"), Journal(store))
        spent = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{path.stat().st_size / 1e9:.2f} GB, {consignments:,} consignments: {done.account}; {spent:.0f} s, "
            f"{before:.0f} MB before, {peak:.0f} MB at the most"
        )


def _write_large(path: Path, size: int) -> int:
    """The same consignments under new numbers and senders until the size is reached."""
    header, *lines = as_flat(
        [{k: v for k, v in one.items() if k != "origin_airport"} for one in houses(20_000)], "M1"
    ).split(b"\r\n")
    text, written, number, day = b"\r\n".join(lines), 0, 0, datetime(2026, 1, 1, tzinfo=UTC)
    with path.open("wb") as file:
        file.write(header + b"\r\n")
        while written < size:
            lodged = (day + timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%S+00:00").encode()
            part = text.replace(b"M1,", f"M{number},".encode()).replace(HOUSE["lodged_at"].encode(), lodged)
            part = part.replace(b"Bright ", f"Bright {number % 50} ".encode()).replace(b",LX", f",L{number}X".encode())
            file.write(part)
            written, number = written + len(part), number + 1
    return number * 20_000


if __name__ == "__main__":
    if sys.argv[1:2] == ["large"]:
        large(float(sys.argv[2]))
    else:
        speeds()
