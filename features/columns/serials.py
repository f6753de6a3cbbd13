"""Features of the serial numbers of pieces: known to their right holder, and declared once."""

from __future__ import annotations

from features.algebra import Numbers, at_least, known, where, yes_no
from features.definition import of_consignment


@of_consignment
def serial_unregistered(gtin_registered_ever: Numbers, serial_registered_ever: Numbers) -> Numbers:
    """Whether the right holder registers each piece of the declared article and does not know this serial number."""
    return where(gtin_registered_ever > 0, yes_no(serial_registered_ever == 0, known(serial_registered_ever)))


@of_consignment
def serial_elsewhere(serial_consignments_ever: Numbers, version: Numbers) -> Numbers:
    """Earlier consignments that declared the same serial number, not counting an earlier version of this one."""
    return at_least(serial_consignments_ever - yes_no(version > 1, known(version)), 0.0)
