"""Faults to be planted, one at a time, to see a gate catch it: `pytest -p tests.planted` with TAMIS_PLANT=name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any


def past_not_strict() -> None:
    """What is known at the very moment of lodging is read as past."""
    from features import history

    strict = history.last_before
    history.last_before = lambda column, start, end, values: strict(column, start, end, values + 1)  # type: ignore[assignment]


def panics_not_caught() -> None:
    """`except Exception` where a panic of polars is a BaseException: the writer dies and its callers wait for ever."""
    from service import writing

    def only_exceptions(connection: Any, work: Any, told: Any, done: list[Any]) -> None:
        try:
            with connection.begin_nested():
                done.append((told, work(connection)))
        except Exception as fault:  # noqa: BLE001 - this is the fault
            told.set_exception(fault)

    def write_group(self: Any, group: list[Any]) -> None:
        done: list[Any] = []
        try:
            with self._transaction() as connection:
                for work, told in group:
                    only_exceptions(connection, work, told, done)
        except Exception as fault:  # noqa: BLE001 - and this
            for told in (told for _, told in group if not told.done()):
                told.set_exception(fault)
        else:
            for told, result in done:
                told.set_result(result)

    writing.Writer._write_group = write_group  # type: ignore[method-assign]


def decided_twice() -> None:
    """What was decided before is not looked for."""
    from service import journal

    journal._stored = lambda *_: {}  # type: ignore[assignment]


def any_signature() -> None:
    """A manifest is believed whoever signed it."""
    from service.scoring import bundle

    bundle.verify = lambda signed, _: dict(signed)


def links_loose() -> None:
    """An entry of the chain is not bound to the one before it."""
    from service import auditing, chain

    def loose(before: str, told: Any) -> str:
        return hashlib.sha256(chain.canonical({name: told[name] for name in chain.FIELDS})).hexdigest()

    chain.hash_of = auditing.hash_of = loose


def facts_forgotten() -> None:
    """What waited while history was out is marked as posted, and is not."""
    from service import posting

    posting.post = lambda *_: None


def amendments_add() -> None:
    """The facts of an amendment are added, and those that it replaces are not taken back."""
    from service import posting

    posting.less = lambda more, _: more


def overspent_unseen() -> None:
    """Two calls that meet both take the last check."""
    from service import tallies

    tallies._refuse_overspent = lambda *_: None


PLANTS: dict[str, tuple[Callable[[], None], str]] = {
    "past not strict": (past_not_strict, "tests/parity/test_windows.py"),
    "panics not caught": (panics_not_caught, "tests/service/test_writing.py"),
    "decided twice": (decided_twice, "tests/service/test_stateful.py"),
    "any signature": (any_signature, "tests/service/test_bundle.py"),
    "links loose": (links_loose, "tests/service/test_chain.py"),
    "facts forgotten": (facts_forgotten, "tests/service/test_degraded.py"),
    "overspent unseen": (overspent_unseen, "tests/service/test_tallies.py"),
    "amendments add": (amendments_add, "tests/parity/test_history_is_a_function_of_the_record.py"),
}


def pytest_configure() -> None:
    PLANTS[os.environ["TAMIS_PLANT"]][0]()
