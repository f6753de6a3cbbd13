"""Bytes from strangers: every reader gives rows or refuses, in time, in memory, without repeating what was sent."""

from __future__ import annotations

import json
import os
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import cast

import pytest

from features.choices import FORMATS, FormatName
from features.contract import gate_manifest, spared
from features.messages.bounds import OF_A_CALL
from features.messages.formats import read_content
from features.messages.raw import Raw, UnreadableFile
from tests.features.messages.attacks import ACCEPTED, REFUSED, SEEDS

CANARY = "kanarienvogel7"
SECONDS, MEGABYTES = 1.0, 200  # the most that one hostile message may take


def judged(content: bytes, format: FormatName | None = None) -> Raw | None:
    """What a message comes to at the gate; None where it was refused, for a reason that repeats nothing of it."""
    try:
        raw = read_content(content, "m", format=format, bounds=OF_A_CALL)
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


@pytest.mark.parametrize("attack", REFUSED)
def test_an_attack_is_refused(attack: str) -> None:
    content = REFUSED[attack]()
    assert measured(lambda: judged(content)) is None


@pytest.mark.parametrize("attack", ACCEPTED)
def test_an_odd_message_is_read_as_far_as_it_can_be(attack: str) -> None:
    content = ACCEPTED[attack]()
    assert measured(lambda: judged(content)) is not None


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_message_under_a_wrong_name_is_read_or_refused(seed: str, format: FormatName) -> None:
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
    while time.monotonic() - started < seconds or tried <= 20:  # a busy machine has little time for each
        content = mutated(SEEDS[seed], draw)
        named = None if draw.random() < 0.7 else cast("FormatName", seed.split()[0].replace("predes", "postal"))
        before = time.process_time()
        judged(content, named)
        assert time.process_time() - before < SECONDS, f"try {tried} of {seed}"
        tried += 1
    assert tried > 20, "each reader is tried so often at least"


def test_a_fault_of_json_types_is_read_as_far_as_it_can_be() -> None:
    nested: list[object] = [[], {}, [[]], [{"itemId": ["A", "B"]}], [{"itemId": {"itemId": "A"}}], [None, 1]]
    for odd in (None, 1, True, "x", *nested):
        judged(json.dumps({"itemMatter": {"items": odd, "header": odd}}).encode())
