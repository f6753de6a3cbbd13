"""Wallets in a text: Bitcoin addresses with valid check digits, and Ether addresses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BITCOIN = re.compile(r"\b([13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,71})\b")
ETHER = re.compile(r"\b(0x[0-9A-Fa-f]{40})\b")


def wallets_in(text: str) -> Iterator[str]:
    """Yield the wallets of a text; those of Ether in small letters, as capitals are check digits alone."""
    yield from (match for match in BITCOIN.findall(text) if is_wallet(match))
    yield from (match.lower() for match in ETHER.findall(text) if len(set(match[2:].lower())) > 4)


def is_wallet(text: str) -> bool:
    """Return true if a text is a Bitcoin address with valid check digits."""
    return _bech32(text) if text.startswith("bc1") else _base58(text)


def _base58(text: str) -> bool:
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return False
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def _bech32(text: str) -> bool:
    """Verify the checksum of BIP 173 and BIP 350."""
    prefix, _, rest = text.partition("1")
    values = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    check = 1
    for value in values + [BECH32.index(letter) for letter in rest]:
        top = check >> 25
        check = ((check & 0x1FFFFFF) << 5) ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> bit) & 1 else 0
    return check in (1, 0x2BC830A3)
