"""Wallets of the common chains: verified by their check digits, each in one spelling."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache

from Crypto.Hash import keccak

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE58 = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32_CHECKS = (1, 0x2BC830A3)  # BIP 173 and BIP 350
VERSIONS = {  # first byte of an address of base58 with check digits → chain
    0x00: "bitcoin", 0x05: "bitcoin", 0x30: "litecoin", 0x32: "litecoin", 0x1E: "dogecoin", 0x16: "dogecoin",
    0x41: "tron", 0x4C: "dash",
}  # fmt: skip
MONERO_VERSIONS = (18, 19, 42)  # an address, one with a payment's number, one of a sub-account
MONERO_BLOCK, MONERO_BYTES = 11, {2: 1, 3: 2, 5: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8}  # signs of a block → its bytes
FEWEST_SIGNS = 4  # different ones of an Ether address; fewer are a placeholder
SLIPS = 2  # letters of an Ether address in the wrong case; with a digit that is wrong, half of them are
SIGN = "1-9A-HJ-NP-Za-km-z"
FORMS: tuple[tuple[re.Pattern[str], Callable[[str], str | None]], ...]
SCHEME = re.compile(r"(?:bitcoin|litecoin|dogecoin|dash|ethereum|tron|monero|ripple|xrpl?):(?://)?", re.IGNORECASE)


def wallets_in(text: str) -> Iterator[str]:
    """Yield the wallets of a text in one spelling, those whose check digits fit alone. Linear in its length."""
    for pattern, read in FORMS:
        for match in pattern.finditer(text):
            if found := read(match[0]):
                yield found


def wallet(text: str) -> str | None:
    """Return the one spelling of a wallet of a known chain; None for anything else, and where check digits do not fit.

    A link to pay (`bitcoin:…?amount=1`) is the wallet that it names.
    """
    written = SCHEME.sub("", "".join(text.split()), count=1).partition("?")[0]
    for pattern, read in FORMS:
        if pattern.fullmatch(written) and (found := read(written)):
            return found
    return None


def is_miswritten(text: str) -> bool:
    """Return true for what has the form of an address of a known chain and not its check digits."""
    written = SCHEME.sub("", "".join(text.split()), count=1).partition("?")[0]
    return wallet(text) is None and any(pattern.fullmatch(written) for pattern, _ in FORMS)


def is_wallet(text: str) -> bool:
    """Return true if a text is an address of a known chain with valid check digits."""
    return wallet(text) is not None


def _of_base58(text: str) -> str | None:
    raw = _checked(text, BASE58)
    return text if raw is not None and raw[0] in VERSIONS else None


def _of_ripple(text: str) -> str | None:
    raw = _checked(text, RIPPLE58)
    return text if raw is not None and raw[0] == 0 else None


def _checked(text: str, signs: str) -> bytes | None:
    """Return the version and the hash of an address whose last four bytes are the check of the rest."""
    number = 0
    for sign in text:
        number = number * 58 + signs.index(sign)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return None
    return raw[:21] if hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:] else None


def _of_bech32(text: str) -> str | None:
    """Return an address in small letters; one of mixed letters is none."""
    if text not in (text.lower(), text.upper()):
        return None
    small = text.lower()
    prefix, _, rest = small.partition("1")
    values = [ord(sign) >> 5 for sign in prefix] + [0] + [ord(sign) & 31 for sign in prefix]
    check = 1
    for value in values + [BECH32.index(sign) for sign in rest]:
        top = check >> 25
        check = ((check & 0x1FFFFFF) << 5) ^ value
        for bit, generator in enumerate(GENERATOR):
            check ^= generator if (top >> bit) & 1 else 0
    return small if check in BECH32_CHECKS else None


def _of_ether(text: str) -> str | None:
    """Return an address in small letters: where it has both, the capitals are its check digits (EIP 55)."""
    digits = text[2:]
    small = digits.lower()
    if len(set(small)) <= FEWEST_SIGNS:
        return None
    if digits in (small, digits.upper()):
        return f"0x{small}"
    checks = _keccak(small.encode()).hex()
    letters = [(sign, check) for sign, check in zip(digits, checks, strict=False) if sign.isalpha()]
    slips = sum(sign.isupper() != (int(check, 16) >= 8) for sign, check in letters)
    return f"0x{small}" if slips <= SLIPS else None


def _of_monero(text: str) -> str | None:
    raw = b""
    for start in range(0, len(text), MONERO_BLOCK):
        number = 0
        block = text[start : start + MONERO_BLOCK]
        for sign in block:
            number = number * 58 + BASE58.index(sign)
        try:
            raw += number.to_bytes(MONERO_BYTES.get(len(block), 0), "big")
        except OverflowError:
            return None
    fits = raw[0] in MONERO_VERSIONS and _keccak(raw[:-4])[:4] == raw[-4:]
    return text if fits else None


def _keccak(content: bytes) -> bytes:
    """Return the Keccak hash, which is not the SHA-3 that came of it."""
    return keccak.new(digest_bits=256, data=content).digest()


@cache
def _border(form: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9])(?:{form})(?![A-Za-z0-9])")


FORMS = (
    (_border(rf"[13LM3DA9TX][{SIGN}]{{25,34}}"), _of_base58),
    (_border(r"(?:bc|ltc)1[02-9ac-hj-np-z]{11,71}|(?:BC|LTC)1[02-9AC-HJ-NP-Z]{11,71}"), _of_bech32),
    (_border(r"0[xX][0-9A-Fa-f]{40}"), _of_ether),
    (_border(rf"r[{SIGN}]{{24,34}}"), _of_ripple),
    (_border(rf"[48][{SIGN}]{{94}}(?:[{SIGN}]{{11}})?"), _of_monero),
)
