"""What platforms deliver on request: account holders, log-ins and transactions, as tables read by a mapping."""

from __future__ import annotations

import csv
import fnmatch
import io
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from features.intelligence.cells import values_of
from features.intelligence.statements import Reading, Row, Unreadable
from features.intelligence.web_identities import identities_on, platform_named

ZIP = b"PK\x03\x04"
LARGEST_TABLE, MOST_TABLES = 256 * 1024**2, 1_000
ACCOUNT = "account"
HOLDER, LOGINS, TRANSACTIONS = "holder", "logins", "transactions"
COLUMNS = {  # of each kind of table, beside the account that a line is about
    HOLDER: ("name", "email", "phone", "address", "country", "id", "iban", "wallet", "url"),
    LOGINS: ("ip",),
    TRANSACTIONS: ("counterparty", "iban", "wallet"),
}
FROM_BUYERS = "who pays the holder may be a buyer; whom the holder pays is stated"
Table = Iterator[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of table: the names of its files, what its columns are, and how a payment by the holder is told.

    outgoing: column and the words in it; without them every transaction is one that the holder paid.
    """

    kind: str
    files: str
    columns: Mapping[str, str]
    separator: str = ","
    outgoing: tuple[str, frozenset[str]] | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a platform's delivery is read."""

    platform: str
    parts: tuple[Part, ...]


def delivery_of(text: str) -> Delivery:
    """Read a mapping of a delivery (TOML); raises Unreadable naming section and key."""
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise Unreadable("the mapping is no TOML; see docs/how-to/watch-lists.md") from None
    platform = written.get("platform")
    if not isinstance(platform, str) or platform_named(platform) is None:
        raise Unreadable("platform: names none that is known; the list is features/intelligence/platforms.toml")
    parts = tuple(_part(kind, written[kind]) for kind in COLUMNS if kind in written)
    if unknown := sorted(written.keys() - {"platform", *COLUMNS}):
        raise Unreadable(f"{len(unknown)} sections of the mapping are unknown; use {', '.join(COLUMNS)}")
    if not parts:
        raise Unreadable(f"the mapping names no table; give one of {', '.join(COLUMNS)}")
    return Delivery(platform, parts)


def _part(kind: str, section: Any) -> Part:
    columns = section.get("columns") if isinstance(section, dict) else None
    if not isinstance(columns, dict) or not all(isinstance(name, str) for name in columns.values()):
        raise Unreadable(f"{kind}.columns: needs the names of the file's columns, such as account = 'Username'")
    if ACCOUNT not in columns or columns.keys() - {ACCOUNT, *COLUMNS[kind]}:
        raise Unreadable(f"{kind}.columns: needs account, and may have {', '.join(COLUMNS[kind])}")
    outgoing = section.get("outgoing")
    if outgoing is not None and not (isinstance(outgoing, dict) and isinstance(outgoing.get("words"), list)):
        raise Unreadable(f"{kind}.outgoing: needs a column and the words that stand in it for a payment by the holder")
    sent = None if outgoing is None else (str(outgoing.get("column")), frozenset(map(_word, outgoing["words"])))
    separator = str(section.get("separator", ","))
    if len(separator) != 1:
        raise Unreadable(f"{kind}.separator: needs one character")
    return Part(kind, str(section.get("file", "*")), dict(columns), separator, sent)


def read_delivery(content: bytes, delivery: Delivery, reading: Reading) -> Iterator[Row]:
    """Yield the statements of a delivery on the holder of each account.

    content: one table, or several in a ZIP file.
    """
    platform = platform_named(delivery.platform)
    if platform is None:
        raise Unreadable("platform: names none that is known")
    seen: set[str] = set()
    for part in delivery.parts:
        for table in _tables(content, part, reading):
            for number, line in enumerate(table, start=2):
                name = (line.get(part.columns[ACCOUNT]) or "").strip()
                if not name:
                    reading.problem(
                        number, "a line without an account", "name the column of the account in the mapping"
                    )
                    continue
                subject = f"{platform.name} {name}"
                if subject not in seen:
                    seen.add(subject)
                    yield from ((subject, name, *stated) for stated in identities_on(platform, name, reading))
                yield from ((subject, name, *stated) for stated in _stated(line, part, reading))


def _stated(line: Mapping[str, str], part: Part, reading: Reading) -> Iterator[tuple[str, str]]:
    if part.outgoing is not None and _word(line.get(part.outgoing[0]) or "") not in part.outgoing[1]:
        reading.leave_out("transaction", FROM_BUYERS)
        return
    for prop in COLUMNS[part.kind]:
        cell = line.get(part.columns.get(prop, "")) or ""
        for value in values_of(prop, cell) if cell.strip() else ():
            yield ("counterparty" if part.kind == TRANSACTIONS else prop), value


def _tables(content: bytes, part: Part, reading: Reading) -> Iterator[Table]:
    if not content.startswith(ZIP):
        if len(part.files.strip("*")) == 0 or part.kind == HOLDER:
            yield _table(content, part)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            chosen = [
                info for info in packed.infolist() if fnmatch.fnmatch(info.filename.rpartition("/")[2], part.files)
            ]
            if not chosen:
                reading.leave_out("table", f"no file of the delivery has the name of {part.kind}.file")
            for info in chosen[:MOST_TABLES]:
                if info.file_size > LARGEST_TABLE:
                    reading.leave_out("table", "it unpacks to too many bytes")
                else:
                    yield _table(packed.read(info), part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        raise Unreadable(
            "the delivery is packed and damaged, or with a password; unpack it and pack it again"
        ) from None


def _table(content: bytes, part: Part) -> Table:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable(f"a table of {part.kind} is not UTF-8; save it as UTF-8") from None
    lines = csv.DictReader(io.StringIO(text), delimiter=part.separator)
    if part.columns[ACCOUNT] not in (lines.fieldnames or ()):
        raise Unreadable(f"{part.kind}.columns.account: no column of the table has that name")
    return iter(lines)


def _word(text: Any) -> str:
    return str(text).strip().casefold()
