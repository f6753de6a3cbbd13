"""The caller: a person with a session, a machine with a key, or anyone in an open installation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from features.choices import Role
from service.record.ownership import EVERY_OFFICE, INSTALLATION, Sender

PURPOSES = ("targeting", "outcome_entry", "quality_control", "audit", "complaint")


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller.

    offices: those whose consignments are visible; EVERY_OFFICE stands for all. purpose: for reading personal data, as
    stated at log-in or for the key. session: the hash of the session; empty for a machine. idle: whether its last use
    was noted so long ago that this one is to be. language: as the person chose.
    """

    name: str
    role: Role
    offices: tuple[str, ...]
    purpose: str
    session: str = ""
    csrf: str = ""
    language: str = ""
    idle: bool = False

    @property
    def sees_all(self) -> bool:
        """Return true if every office is visible."""
        return self.sender.sees_all

    def sees(self, office: str | None) -> bool:
        """Return true if what is of an office is visible; what names no office is visible to all."""
        return self.sender.sees(office)

    @property
    def sender(self) -> Sender:
        """Return whose it is what a call lodges and reports; in an open installation that is the installation."""
        return INSTALLATION if self is OPEN else Sender(self.name, self.offices)

    def beyond(self, offices: Iterable[str | None]) -> list[int]:
        """Return the places of the offices that are not visible."""
        return [place for place, office in enumerate(offices) if not self.sees(office)]


OPEN = Principal("open", "admin", (EVERY_OFFICE,), "open installation")
