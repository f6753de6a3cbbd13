"""Reading of lists: FollowTheMoney, STIX, MISP, tables and captured pages, recognised by content; bytes to frame."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import polars as pl

from features.intelligence.bank_accounts import iban
from features.intelligence.captures import is_captured, read_captured
from features.intelligence.captures.unpacked import UnknownEncoding, unwrapped
from features.intelligence.countries import country_code
from features.intelligence.deliveries import Delivery, read_delivery
from features.intelligence.free_text import is_prose, read_prose
from features.intelligence.ftm_reader import read_ftm_array, read_ftm_lines
from features.intelligence.misp_reader import is_misp, read_misp
from features.intelligence.statements import (
    LONGEST,
    MOST_STATEMENTS,
    PROPERTIES,
    STATEMENTS,
    Listed,
    Reading,
    Row,
    Unreadable,
)
from features.intelligence.stix_reader import read_bundle
from features.intelligence.table_reader import read_table
from features.intelligence.tags import tag
from features.intelligence.wallets import is_miswritten, wallet
from features.intelligence.web_identities import pseudonym_in, pseudonyms_of
from features.messages.strict_json import NotTaken, loads_once

LARGEST = 256 * 1024**2  # bytes of a list
FEWEST_DIGITS = 5  # of a telephone
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_list(content: bytes, source: str, delivery: Delivery | None = None) -> Listed:
    """Read a list from its bytes; raises Unreadable where nothing of it can be read. Messages never echo content.

    delivery: how it is read where a platform has delivered it, as tables of accounts.
    """
    if len(content) > LARGEST:
        raise Unreadable(f"the list is larger than {LARGEST // 1024**2} MiB; split it")
    reading = Reading()
    if delivery is not None:
        return _listed("delivery", read_delivery(content, delivery, reading), source, reading)
    if is_captured(content):
        return _listed("storefronts", read_captured(content, reading), source, reading)
    kind, rows = _recognised(_decoded(_unpacked(content)), reading)
    return _listed(kind, rows, source, reading)


def _unpacked(content: bytes) -> bytes:
    """Return a list that is packed with gzip or zstd as it was; any other as it is."""
    try:
        plain = unwrapped(content, LARGEST + 1)
    except UnknownEncoding:
        raise Unreadable("the list is packed and damaged; pack it again") from None
    if len(plain) > LARGEST:
        raise Unreadable(f"the list unpacks to more than {LARGEST // 1024**2} MiB; split it")
    return plain


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-16" if content.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("the list is not UTF-8; save it as UTF-8") from None


def _recognised(text: str, reading: Reading) -> tuple[str, Iterable[Row]]:
    """Return the kind of a list, and its rows."""
    if text.lstrip()[:1] not in ("{", "["):
        return ("text", read_prose(text, reading)) if is_prose(text) else ("csv", read_table(text, reading))
    whole = _whole(text)
    if is_misp(whole):
        return "misp", read_misp(whole, reading)
    if isinstance(whole, dict) and whole.get("type") == "bundle":
        return "stix", read_bundle(whole.get("objects"), reading)
    if isinstance(whole, list):
        return "ftm", read_ftm_array(whole, reading)
    return "ftm", read_ftm_lines(json.dumps(whole) if isinstance(whole, dict) else text, reading)


def _whole(text: str) -> Any:
    """Return a text as one JSON document; None where it is several, one a line, or none at all."""
    try:
        return loads_once(text)
    except NotTaken as fault:
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            return None
        raise Unreadable(f"the list: {fault}") from None
    except (ValueError, RecursionError):
        return None


def _listed(kind: str, rows: Iterable[Row], source: str, reading: Reading) -> Listed:
    statements = [
        (subject, label[:LONGEST], prop, text[:LONGEST], source)
        for number, (subject, label, prop, text) in enumerate(_cleaned(rows, reading))
        if _fits(number)
    ]
    if not statements:
        raise Unreadable(_nothing_of(reading))
    frame = pl.DataFrame(statements, schema=STATEMENTS, orient="row").unique(maintain_order=True)
    return Listed(kind, frame, reading.problems, dict(sorted(reading.left_out.items())))


def _fits(number: int) -> bool:
    if number >= MOST_STATEMENTS:
        raise Unreadable(f"the list makes more than {MOST_STATEMENTS:,} statements; split it")
    return True


def _nothing_of(reading: Reading) -> str:
    reasons = [f"{number:,} {kind}: {reason}" for (kind, reason), number in reading.left_out.most_common(3)]
    left_out = f"; left out: {'; '.join(reasons)}" if reasons else ""
    return f"no name, e-mail, telephone, address, number, account or storefront stands in the list{left_out}"


def _cleaned(rows: Iterable[Row], reading: Reading) -> Iterator[Row]:
    """Yield statements as they are compared, countries by code; what cannot be of its property is left out."""
    for subject, label, prop, text in rows:
        text = text.strip()
        if not text or prop not in PROPERTIES:
            continue
        if prop == "country":
            code = country_code(text)
            if code is None:
                reading.leave_out(
                    "country", "no country of ISO 3166-1 has that name or code; its names are compared in no country"
                )
                continue
            text = code
        elif prop == "email" and "@" not in text:
            reading.leave_out("email", "no e-mail address: it has no @")
            continue
        elif prop == "phone" and sum(map(str.isdigit, text)) < FEWEST_DIGITS:
            reading.leave_out("phone", f"no telephone: it has fewer than {FEWEST_DIGITS} digits")
            continue
        elif prop in CHECKED:
            spelled, remark = CHECKED[prop](text)
            if spelled is None:
                reading.leave_out(prop, remark)
                continue
            text = spelled
        yield subject, label, prop, text
        if prop == "url" and (pseudonym := pseudonym_in(text)):
            yield from ((subject, label, *stated) for stated in pseudonyms_of(pseudonym))


def _wallet(text: str) -> tuple[str | None, str]:
    """Return a wallet of a known chain in one spelling, and one of another as it is written."""
    return wallet(text) or (None if is_miswritten(text) else text), "no wallet: its check digits do not fit"


CHECKED: dict[str, Callable[[str], tuple[str | None, str]]] = {  # property → its one spelling, and why it has none
    "wallet": _wallet,
    "iban": lambda text: (iban(text), "no IBAN: its check digits or its country's form do not fit"),
    "tag": lambda text: (tag(text), "a placeholder, as it stands in every copy of a theme"),
}
