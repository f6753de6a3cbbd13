"""Keyed hashes: the cipher does what was published of it, one key an installation, and a store refuses another."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.fault import Fault
from features.parties.linking import code_of
from service.settings import Settings
from service.store.backup_files import read_backup
from service.store.database import open_store
from service.store.home_backup import back_up
from service.store.pseudonyms import KEY_FILE, Pseudonyms, pseudonyms_of
from service.store.store_key import OtherKey
from service.store.xtea import KEY_BYTES, decrypted, encrypted, round_keys
from tests.service.building import NOON

KEY = bytes(range(KEY_BYTES))
HASHES = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=200)
PUBLISHED = [  # key, block, block encrypted: the vectors that implementations of XTEA are compared by
    ("000102030405060708090a0b0c0d0e0f", "4142434445464748", "497df3d072612cb5"),
    ("000102030405060708090a0b0c0d0e0f", "4141414141414141", "e78f2d13744341d8"),
    ("00000000000000000000000000000000", "4142434445464748", "a0390589f8b8efa5"),
    ("00000000000000000000000000000000", "4141414141414141", "ed23375a821a8c2d"),
]


@pytest.mark.parametrize(("key", "block", "expected"), PUBLISHED)
def test_the_cipher_is_xtea(key: str, block: str, expected: str) -> None:
    keys, blocks = round_keys(bytes.fromhex(key)), np.array([int(block, 16)], np.uint64)
    assert f"{int(encrypted(blocks, keys)[0]):016x}" == expected
    assert decrypted(encrypted(blocks, keys), keys)[0] == blocks[0]


@given(HASHES)
def test_keyed_hashes_are_turned_back_and_equal_ones_stay_equal(hashes: list[int]) -> None:
    pseudonyms = Pseudonyms(KEY)
    keyed = pseudonyms.keyed_list(hashes)
    assert pseudonyms.plain_list(keyed) == hashes
    assert dict(zip(hashes, keyed, strict=True)) == {of: pseudonyms.keyed_list([of])[0] for of in hashes}
    assert len(set(keyed)) == len(set(hashes))


def test_what_is_unknown_stays_unknown() -> None:
    pseudonyms = Pseudonyms(KEY)
    frame = pl.DataFrame({"a": [1, None, 3], "b": [[1, 2], None, []]}, schema={"a": pl.Int64, "b": pl.List(pl.Int64)})
    keyed = pseudonyms.keyed_columns(frame, "a", "b")
    assert keyed["a"].is_null().to_list() == [False, True, False]
    assert keyed["b"].to_list() == [pseudonyms.keyed_list([1, 2]), None, []]
    assert pseudonyms.plain_columns(keyed, "a", "b").equals(frame)
    assert pseudonyms.keyed_list([None, 7]) == [None, *pseudonyms.keyed_list([7])]


def test_one_bit_of_the_key_or_the_hash_changes_half_of_the_bits() -> None:
    hashes = np.arange(1_000, dtype=np.int64)
    other = bytes([*KEY[:-1], KEY[-1] ^ 1])
    for one, two in (
        (Pseudonyms(KEY).keyed(hashes), Pseudonyms(other).keyed(hashes)),
        (Pseudonyms(KEY).keyed(hashes), Pseudonyms(KEY).keyed(hashes ^ 1)),
    ):
        differ = np.unpackbits((one ^ two).view(np.uint8)).mean()
        assert 0.49 < differ < 0.51


def test_codes_for_people_name_keyed_hashes() -> None:
    pseudonyms = Pseudonyms(KEY)
    assert pseudonyms.entity(pseudonyms.code("P", -5)) == -5
    assert pseudonyms.code("N", -5) != code_of("N", -5)
    assert pseudonyms.recoded([code_of("N", 7), None]) == [pseudonyms.code("N", 7), None]


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    checks: list[int] = []
    threads = [threading.Thread(target=lambda: checks.append(pseudonyms_of(tmp_path / "keys").check)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(checks) == 8
    assert len(set(checks)) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [KEY_FILE]
    assert (tmp_path / "keys" / KEY_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "neither", "00" * 15, "é" * 32])
def test_a_key_that_cannot_be_read_is_said_without_its_content(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(Fault, match="put back the file from a backup") as fault:
        pseudonyms_of(tmp_path)
    assert not content or content not in str(fault.value)


def test_a_store_without_its_key_is_refused_and_no_other_key_is_made(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    open_store(settings).close()
    kept = (settings.keys / KEY_FILE).read_bytes()
    (settings.keys / KEY_FILE).unlink()
    with pytest.raises(OtherKey, match=f"keys/{KEY_FILE} is missing: put back the file from a backup"):
        open_store(settings)
    assert not (settings.keys / KEY_FILE).exists()
    (settings.keys / KEY_FILE).write_text("11" * KEY_BYTES)
    with pytest.raises(OtherKey, match="is not the one that the store was written with"):
        open_store(settings)
    (settings.keys / KEY_FILE).write_bytes(kept)
    open_store(settings).close()


def test_the_key_is_in_a_backup_and_not_in_the_store(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    open_store(settings).close()
    key = (settings.keys / KEY_FILE).read_text().strip()
    back_up(settings, tmp_path / "backup", NOON)
    read_backup(tmp_path / "backup", tmp_path / "read")
    assert (tmp_path / "read" / "keys" / KEY_FILE).read_text().strip() == key
    stored = (tmp_path / "read" / "store.db").read_bytes()
    assert key.encode() not in stored
    assert bytes.fromhex(key) not in stored
