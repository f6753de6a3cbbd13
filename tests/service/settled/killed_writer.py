"""A process that settles, erases and retains one message after another until it is killed; it says what it has done.

    python -m tests.service.settled.killed_writer FOLDER FIRST [ADDRESS]

`begins N ACT` stands before an act on message N, `done N ACT` after it. Run with `-m` by a test, which kills it.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from service.audit.erasure import erase
from service.desk import Desk
from service.record.blanking import blank_erased
from tests.service.building import NOON
from tests.service.quick import desk_of, quick_model
from tests.service.settled.messages import LARGE, large, number, store_with_files

ACTS = ("settle", "erase", "retain")
LATER = NOON + timedelta(days=2)
APART = 100  # between the first numbers of two messages
ONE = 7  # of a message, the one that is erased alone


def names_of(nth: int) -> list[str]:
    """The consignments of a message."""
    return [number(of) for of in range(1 + APART * nth, 1 + APART * nth + LARGE)]


def act(desk: Desk, nth: int, what: str) -> None:
    """Do something with a message: settle it, erase one of it, or all of the one before, as retention does."""
    if what == "settle":
        from service.targeting import target

        target(large(1 + APART * nth, f"M{nth}"), desk)
    elif what == "erase":
        erase(desk.journal.store, [names_of(nth)[ONE]], "A. Martin", "asked for", LATER)
    elif nth:
        erase(desk.journal.store, names_of(nth - 1), "A. Martin", "its time is over", LATER)


def main(folder: Path, first: int, address: str) -> None:
    """Go on until killed."""
    desk = desk_of(store_with_files(folder, address), quick_model())
    blank_erased(desk.journal.store)  # what the one before was killed over
    print("ready", flush=True)
    for nth in range(first, 10_000):
        for what in ACTS:
            print("begins", nth, what, flush=True)
            act(desk, nth, what)
            print("done", nth, what, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), "".join(sys.argv[3:]))
