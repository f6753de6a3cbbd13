"""The possible orientations at each moment, in order: where several apply, the strictest wins."""

from __future__ import annotations

from enum import IntEnum


class PreArrival(IntEnum):
    """What to do before arrival. A goods score never says do-not-load: that decision belongs to aviation security."""

    no_risk = 0
    data_incomplete = 1
    request_information = 2
    request_amendment = 3
    request_screening = 4
    control_recommended = 5


class Lane(IntEnum):
    """The lane at clearance: release, release and audit later, documents, physical check."""

    green = 0
    blue = 1
    yellow = 2
    red = 3


class Check(IntEnum):
    """The check of a consignment that is not simply released: the stricter, the more capacity it takes."""

    none = 0
    audit = 1
    documents = 2
    scan = 3
    physical = 4

    @property
    def lane(self) -> Lane:
        """Return the lane that leads to it: scanned and opened parcels are both in the red lane."""
        return Lane(min(int(self), int(Lane.red)))


# As plain numbers: columns are compared with them at every call, and a member of an enumeration takes far longer.
GREEN, BLUE, YELLOW, RED = map(int, Lane)
NO_CHECK, AUDIT, DOCUMENTS, SCAN, PHYSICAL = map(int, Check)
STRICTEST_FIRST = tuple((check.name, int(check)) for check in reversed(Check) if check)


class PostClearance(IntEnum):
    """What to do after clearance."""

    none = 0
    reassess = 1
    audit = 2


class Track(IntEnum):
    """What follows a finding."""

    none = 0
    simplified_destruction = 1
    investigation = 2


CHECK_OF = {
    Lane.green: Check.none,
    Lane.blue: Check.audit,
    Lane.yellow: Check.documents,
    Lane.red: Check.physical,
}


def check_of(lane: Lane) -> Check:
    """Return the check that a lane asks for."""
    return CHECK_OF[lane]
