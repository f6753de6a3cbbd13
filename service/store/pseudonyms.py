"""Keyed hashes: a hash that identifies somebody leaves memory only encrypted with a secret of the installation.

In memory an entity or a piece of evidence is a 64-bit hash without a key, so that features stay functions of what was
declared. Whoever held such hashes could try all telephones of a country within a minute. What the store, its files and
people see is the same number encrypted with XTEA (64-bit blocks, a key of 128 bits): equal hashes stay equal, and
without the key nothing can be tried.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from features.fault import Fault
from features.hashes import hash_of
from features.history.facts import Integers
from features.parties.linking import code_of, entity_of
from service.store.xtea import KEY_BYTES, decrypted, encrypted, round_keys

Change = Callable[[Integers], Integers]
KEY_FILE = "pseudonyms.key"
PROBE = 0x54616D6973  # its keyed form tells in a store which key it was written with


class Pseudonyms:
    """Turns hashes into keyed ones and back, with one key."""

    def __init__(self, key: bytes) -> None:
        """key: 16 bytes."""
        self._keys, self._key = round_keys(key), key
        self._seal = AESSIV(hashlib.sha512(b"texts sealed for addresses\x1f" + key).digest())

    @property
    def check(self) -> int:
        """The number by which a store knows its key again."""
        return int(self.keyed(np.array([PROBE], np.int64))[0])

    def keyed(self, hashes: Integers) -> Integers:
        """Return the keyed hashes, in the same order."""
        return encrypted(np.ascontiguousarray(hashes, np.int64).view(np.uint64), self._keys).view(np.int64)

    def plain(self, keyed: Integers) -> Integers:
        """Return the hashes that keyed ones were made of, in the same order."""
        return decrypted(np.ascontiguousarray(keyed, np.int64).view(np.uint64), self._keys).view(np.int64)

    def keyed_list(self, hashes: Iterable[int | None]) -> list[Any]:
        """Return keyed hashes as Python's integers; None stays None."""
        return _each(self.keyed, list(hashes))

    def plain_list(self, keyed: Iterable[int | None]) -> list[Any]:
        """Return the hashes of keyed ones as Python's integers; None stays None."""
        return _each(self.plain, list(keyed))

    def keyed_columns(self, frame: pl.DataFrame, *names: str) -> pl.DataFrame:
        """Return the frame with these columns (Int64 or lists of them, null where unknown) keyed."""
        return _changed(frame, names, self.keyed)

    def plain_columns(self, frame: pl.DataFrame, *names: str) -> pl.DataFrame:
        """Return the frame with these keyed columns as the hashes that they were made of."""
        return _changed(frame, names, self.plain)

    def code(self, kind: str, entity: int) -> str:
        """Return the identifier for people of a party (`P`) or network (`N`): of its keyed hash."""
        return code_of(kind, self.keyed_list([entity])[0])

    def entity(self, code: str) -> int:
        """Return the card that an identifier names; raises ValueError for what is none."""
        return int(self.plain_list([entity_of(code)])[0])

    def trace(self, text: str) -> str:
        """Return what a log holds of a text that may name somebody: the same for the same text, and no more."""
        return self.traces([text])[0]

    def traces(self, texts: Sequence[str]) -> list[str]:
        """Return the trace of each text."""
        return [f"{keyed & (2**64 - 1):016X}" for keyed in self.keyed_list(map(hash_of, texts))]

    def derived(self, what: str) -> bytes:
        """Return a secret of 32 bytes for one purpose, which nobody without the key can work out (HKDF, RFC 5869)."""
        return HKDF(SHA256(), 32, salt=None, info=what.encode()).derive(self._key)

    def sealed(self, text: str) -> str:
        """Return a text encrypted, as it may stand in the address of a page: the same for the same text."""
        return base64.urlsafe_b64encode(self._seal.encrypt(text.encode(), None)).decode().rstrip("=")

    def unsealed(self, sealed: str) -> str:
        """Return the text that was sealed; raises ValueError for anything else."""
        try:
            return self._seal.decrypt(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)), None).decode()
        except (InvalidTag, binascii.Error, ValueError) as fault:
            raise ValueError("not sealed here") from fault

    def recoded(self, codes: Sequence[str | None]) -> list[str | None]:
        """Return identifiers that were made of hashes without a key as those of the keyed ones."""
        entities = self.keyed_list(None if code is None else entity_of(code) for code in codes)
        return [None if code is None else code_of(code[0], of) for code, of in zip(codes, entities, strict=True)]


def has_key(keys: Path) -> bool:
    """Whether an installation has its key."""
    return (keys / KEY_FILE).exists()


def pseudonyms_of(keys: Path) -> Pseudonyms:
    """Return those of an installation; its key is made, readable by its owner only, where there is none yet."""
    path = keys / KEY_FILE
    if not path.exists():
        _make_key(keys)
    try:
        return Pseudonyms(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except (OSError, ValueError) as fault:
        raise Fault(f"{path}: no key of pseudonyms can be read from it; put back the file from a backup") from fault


def _make_key(keys: Path) -> None:
    """Put a new key in its place whole, unless another process was faster."""
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = keys / f".{KEY_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_bytes(KEY_BYTES).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, keys / KEY_FILE)
    except FileExistsError:
        pass  # the key of the process that was faster counts
    finally:
        temporary.unlink()


def _each(change: Change, numbers: list[int | None]) -> list[Any]:
    present = [number for number in numbers if number is not None]
    changed = iter(change(np.array(present, np.int64)).tolist())
    return [None if number is None else next(changed) for number in numbers]


def _changed(frame: pl.DataFrame, names: Sequence[str], change: Change) -> pl.DataFrame:
    """Change whole columns in one pass, one below the other: a call has many columns of one row."""
    if frame.is_empty():
        return frame
    lists = [name for name in names if isinstance(frame.schema[name], pl.List)]
    single = [name for name in names if name not in lists]
    columns = [_lists(frame[name], change) for name in lists]
    if single:
        below = pl.concat([frame[name] for name in single])
        changed = pl.Series(change(below.fill_null(0).to_numpy()), dtype=pl.Int64)
        if below.null_count():
            changed = changed.set(below.is_null(), None)
        columns += [changed.slice(i * frame.height, frame.height).alias(name) for i, name in enumerate(single)]
    return frame.with_columns(columns)


def _lists(column: pl.Series, change: Change) -> pl.Series:
    return pl.Series(column.name, [None if of is None else _each(change, list(of)) for of in column], column.dtype)
