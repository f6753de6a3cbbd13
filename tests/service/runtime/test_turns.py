"""Turns: one thread at a time, in the order in which they asked, and nobody waits for one who waits."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import pytest

from service.runtime.turns import Turns, let_first_pass

LONG = 20  # seconds; more than anything here takes


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def asking(pool: ThreadPoolExecutor, turns: Turns, work: Callable[[], None], *, first: bool = False) -> Future[None]:
    """A thread that does something in a turn, once it stands among those that wait."""
    before = len(turns._waiting)

    def in_turn() -> None:
        with turns.taken(first=first):
            work()

    future = pool.submit(in_turn)
    until(lambda: len(turns._waiting) > before)
    return future


def test_turns_come_in_order_and_the_first_passes_by() -> None:
    turns, order = Turns(), list[str]()
    with ThreadPoolExecutor(4) as pool:
        with turns.taken():
            for name in "abc":
                asking(pool, turns, partial(order.append, name))
            asking(pool, turns, lambda: order.append("first"), first=True)
            assert order == []
        until(lambda: len(order) == 4)
    assert order == ["first", "a", "b", "c"]


def test_who_waits_lets_others_compute_and_goes_on_before_those_that_came_later() -> None:
    turns, order, disk = Turns(), list[str](), threading.Event()

    def writes() -> None:
        order.append("computed")
        with turns.given_up():
            assert disk.wait(LONG)
        order.append("answered")

    with ThreadPoolExecutor(3) as pool:
        with turns.taken():
            asking(pool, turns, writes)
            asking(pool, turns, lambda: order.append("other"))
        until(lambda: order == ["computed", "other"])
        with turns.taken():
            asking(pool, turns, lambda: order.append("late"))
            disk.set()
            until(lambda: len(turns._waiting) == 2)
        until(lambda: len(order) == 4)
    assert order == ["computed", "other", "answered", "late"]


def test_a_fault_gives_the_turn_back() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.taken():
        1 / 0  # noqa: B018
    with turns.taken(), pytest.raises(ZeroDivisionError), turns.given_up():
        1 / 0  # noqa: B018
    with turns.taken():
        pass


def test_a_thread_without_a_turn_waits_without_giving_one_up() -> None:
    turns, held = Turns(), threading.Event()
    with ThreadPoolExecutor(1) as pool, turns.given_up():
        with turns.taken():
            waits = asking(pool, turns, held.set)
            with ThreadPoolExecutor(1) as others:
                others.submit(_nothing, turns).result(LONG)
            assert not held.is_set()
        waits.result(LONG)


def _nothing(turns: Turns) -> None:
    with turns.given_up():
        pass


def test_never_two_at_once() -> None:
    turns, inside, rng = Turns(), list[int](), random.Random(4)
    pauses = [[rng.random() / 2_000 for _ in range(30)] for _ in range(12)]

    def works(own: list[float]) -> None:
        for pause in own:
            with turns.taken(first=pause > 0.0004):
                inside.append(1)
                assert len(inside) == 1
                time.sleep(pause)
                inside.pop()
                with turns.given_up():
                    time.sleep(pause)
                inside.append(1)
                assert len(inside) == 1
                inside.pop()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(works, pauses))
    assert not turns._waiting


def test_between_two_steps_only_those_pass_that_may() -> None:
    turns, order = Turns(), list[str]()
    with ThreadPoolExecutor(3) as pool:
        with turns.taken():
            waits = asking(pool, turns, lambda: order.append("waits"))
            let_first_pass()
            assert order == []
            asking(pool, turns, lambda: order.append("passes"), first=True).add_done_callback(lambda _: None)
            let_first_pass()
            assert order == ["passes"]
            let_first_pass()
            order.append("goes on")
        waits.result(LONG)
    assert order == ["passes", "goes on", "waits"]


def test_who_holds_no_turn_lets_nobody_pass() -> None:
    turns = Turns()
    with ThreadPoolExecutor(1) as pool, turns.taken():
        waits = asking(pool, turns, lambda: None, first=True)
        with ThreadPoolExecutor(1) as others:
            others.submit(let_first_pass).result(LONG)
        assert not waits.done()
