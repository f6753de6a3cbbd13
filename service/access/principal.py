"""Who asks: a person with a session, a machine with a key, or anybody where an installation is left open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from features.words import Role

EVERY_OFFICE = "*"
NOT_NAMED = (None, "", "unknown")  # as decisions call an office that nobody stated
PURPOSES = ("targeting", "outcome_entry", "quality_control", "audit", "complaint")


@dataclass(frozen=True, slots=True)
class Principal:
    """One who was recognised.

    offices: whose consignments he sees; EVERY_OFFICE stands for all. purpose: why he reads personal data, as he said
    when he logged in or when his key was made. session: the hash of his session; empty for a machine.
    """

    name: str
    role: Role
    offices: tuple[str, ...]
    purpose: str
    session: str = ""
    csrf: str = ""

    @property
    def sees_all(self) -> bool:
        """Whether every office is his."""
        return EVERY_OFFICE in self.offices

    def sees(self, office: str | None) -> bool:
        """Whether consignments of an office are his to see; those that name no office are everybody's."""
        return self.sees_all or office in NOT_NAMED or office in self.offices

    def beyond(self, offices: Iterable[str | None]) -> list[int]:
        """The places of the offices that are not his."""
        return [place for place, office in enumerate(offices) if not self.sees(office)]


OPEN = Principal("open", "admin", (EVERY_OFFICE,), "open installation")
