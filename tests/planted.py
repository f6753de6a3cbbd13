"""Faults to be planted, one at a time, to see a gate catch it: `pytest -p tests.planted` with TAMIS_PLANT=name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any


class NothingPlanted(Exception):
    """The name that a fault would replace does not exist: the fault would change nothing, and prove nothing."""


def plant(module: ModuleType | type, name: str, fault: object) -> None:
    """Replace a name of a module or class by a fault; raises NothingPlanted where there is no such name."""
    if not hasattr(module, name):
        raise NothingPlanted(f"{module.__name__} has no {name}; plant the fault where the name is today")
    setattr(module, name, fault)


def past_not_strict() -> None:
    """What is known at the very moment of lodging is read as past."""
    from features.history import table_scan, totals

    strict: Any = table_scan.scan
    moments = 10  # the place of this argument
    plant(totals, "scan", lambda *given: strict(*given[:moments], given[moments] + 1, *given[moments + 1 :]))


def panics_not_caught() -> None:
    """`except Exception` where a panic of polars is a BaseException: the writer dies and its callers wait for ever."""
    from service.store import group_commit as writing

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

    plant(writing.Writer, "_write_group", write_group)


def decided_twice() -> None:
    """What was decided before is not looked for."""
    from service.record import beside_record

    plant(beside_record, "decided_before", lambda *_: {})


def any_signature() -> None:
    """A manifest is believed whoever signed it."""
    from service.scoring import bundle

    plant(bundle, "verify", lambda signed, _: dict(signed))


def links_loose() -> None:
    """An entry of the chain is not bound to the one before it."""
    from service.audit import verify as auditing
    from service.canonical import canonical
    from service.record import audit_log as chain

    def loose(before: str, told: Any) -> str:
        return hashlib.sha256(canonical({name: told[name] for name in chain.FIELDS})).hexdigest()

    plant(chain, "hash_of", loose)
    plant(auditing, "hash_of", loose)


def facts_forgotten() -> None:
    """What waited while history was out is marked as posted, and is not."""
    from service.history import posting

    plant(posting, "post", lambda *_: None)


def amendments_add() -> None:
    """The facts of an amendment are added, and those that it replaces are not taken back."""
    from service.history import posting

    plant(posting, "fact_delta", lambda more, _: more)


def overspent_unseen() -> None:
    """Two calls that meet both take the last check."""
    from service.record import capacity_used as tallies

    plant(tallies, "_refuse_overspent", lambda *_: None)


def anybody_amends() -> None:
    """Whoever names a consignment that is on record adds to it, whosever it is."""
    from service.record import claims

    plant(claims, "may_amend", lambda *_: True)


def one_part_is_enough() -> None:
    """Who sees one part of a consignment sees the whole."""
    from service.record.ownership import Sender

    plant(Sender, "sees_every", lambda self, offices: any(self.sees(office) for office in offices))


PLANTS: dict[str, tuple[Callable[[], None], str]] = {
    "past not strict": (past_not_strict, "tests/parity/test_windows.py"),
    "panics not caught": (panics_not_caught, "tests/service/store/test_group_commit.py"),
    "decided twice": (decided_twice, "tests/service/test_stateful_record.py"),
    "any signature": (any_signature, "tests/service/scoring/test_bundle.py"),
    "links loose": (links_loose, "tests/service/audit/test_verify.py"),
    "facts forgotten": (facts_forgotten, "tests/service/calls/test_degraded.py"),
    "overspent unseen": (overspent_unseen, "tests/service/record/test_capacity_used.py"),
    "anybody amends": (anybody_amends, "tests/service/access/test_whose.py"),
    "one part is enough": (one_part_is_enough, "tests/service/record/test_ownership.py"),
    "amendments add": (amendments_add, "tests/parity/test_history_is_a_function_of_the_record.py"),
}


def pytest_configure() -> None:
    PLANTS[os.environ["TAMIS_PLANT"]][0]()
