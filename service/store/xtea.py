"""The cipher XTEA over arrays: blocks of 64 bits, a key of 128 bits, 64 rounds (Needham and Wheeler, 1997)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

KEY_BYTES = 16
ROUNDS, DELTA, WORD = 64, 0x9E3779B9, 0xFFFFFFFF
LANES = 64  # blocks in hand at once, so that the compiler takes several in one instruction
Blocks = npt.NDArray[np.uint64]
RoundKeys = npt.NDArray[np.uint32]


def round_keys(key: bytes) -> RoundKeys:
    """Return what each round adds; raises ValueError for a key of another length."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key of XTEA has {KEY_BYTES} bytes")
    words = [int.from_bytes(key[place : place + 4], "big") for place in range(0, KEY_BYTES, 4)]
    total, keys = 0, []
    for _ in range(ROUNDS // 2):
        keys.append((total + words[total & 3]) & WORD)
        total = (total + DELTA) & WORD
        keys.append((total + words[(total >> 11) & 3]) & WORD)
    return np.array(keys, np.uint32)


@njit(cache=True, nogil=True)
def encrypted(blocks: Blocks, keys: RoundKeys) -> Blocks:
    """Return the blocks encrypted, each by itself."""
    done = np.empty_like(blocks)
    left, right = np.empty(LANES, np.uint32), np.empty(LANES, np.uint32)
    for start in range(0, len(blocks), LANES):
        held = min(LANES, len(blocks) - start)
        _taken_apart(blocks, start, held, left, right)
        for at in range(0, ROUNDS, 2):
            _added(left, right, keys[at], held)
            _added(right, left, keys[at + 1], held)
        _put_together(done, start, held, left, right)
    return done


@njit(cache=True, nogil=True)
def decrypted(blocks: Blocks, keys: RoundKeys) -> Blocks:
    """Undo `encrypted`."""
    done = np.empty_like(blocks)
    left, right = np.empty(LANES, np.uint32), np.empty(LANES, np.uint32)
    for start in range(0, len(blocks), LANES):
        held = min(LANES, len(blocks) - start)
        _taken_apart(blocks, start, held, left, right)
        for at in range(ROUNDS - 2, -1, -2):
            _taken_away(right, left, keys[at + 1], held)
            _taken_away(left, right, keys[at], held)
        _put_together(done, start, held, left, right)
    return done


@njit(cache=True, nogil=True, inline="always")
def _added(half: RoundKeys, other: RoundKeys, key: np.uint32, held: int) -> None:
    for lane in range(held):
        word = other[lane]
        mixed = np.uint32(np.uint32(word << np.uint32(4)) ^ (word >> np.uint32(5)))
        half[lane] = np.uint32(half[lane] + (np.uint32(mixed + word) ^ key))


@njit(cache=True, nogil=True, inline="always")
def _taken_away(half: RoundKeys, other: RoundKeys, key: np.uint32, held: int) -> None:
    for lane in range(held):
        word = other[lane]
        mixed = np.uint32(np.uint32(word << np.uint32(4)) ^ (word >> np.uint32(5)))
        half[lane] = np.uint32(half[lane] - (np.uint32(mixed + word) ^ key))


@njit(cache=True, nogil=True, inline="always")
def _taken_apart(blocks: Blocks, start: int, held: int, left: RoundKeys, right: RoundKeys) -> None:
    for lane in range(held):
        left[lane] = np.uint32(blocks[start + lane] >> np.uint64(32))
        right[lane] = np.uint32(blocks[start + lane] & np.uint64(WORD))


@njit(cache=True, nogil=True, inline="always")
def _put_together(done: Blocks, start: int, held: int, left: RoundKeys, right: RoundKeys) -> None:
    for lane in range(held):
        done[start + lane] = (np.uint64(left[lane]) << np.uint64(32)) | np.uint64(right[lane])
