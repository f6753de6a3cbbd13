"""Who fails to log in waits longer each time: counted by address and name together, so that only the guesser waits.

An owner at another address comes in whatever others try. A name that no account has is counted and answered alike, so
that the answers tell nobody which accounts exist.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

import sqlalchemy as sa

from features.moments import micros
from service.access.credentials import sha256
from service.store.access_tables import LOG_INS_FAILED
from service.store.bulk_rows import delete_rows, upsert_many

TRIES, LONGEST_WAIT = 5, 900  # log-ins that may fail in a row; seconds to wait at the most
FORGOTTEN_AFTER = timedelta(days=1)
ONE_SUBSCRIBER = 64  # bits of an IPv6 address: whoever has one address has all that share them


def network_of(address: str) -> str:
    """Return the address that one subscriber has: an IPv4 address, or the first half of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped or ipaddress.ip_network((parsed, ONE_SUBSCRIBER), strict=False).network_address)


def caller_of(address: str, name: str) -> str:
    """Return what failures are counted by; neither address nor name can be read from it."""
    return sha256(f"{network_of(address)}\x1f{name}")


def must_wait(connection: sa.Connection, caller: str, now: datetime) -> bool:
    """Return true where the last failures of a caller are too fresh for another try."""
    until = sa.select(LOG_INS_FAILED.c.waits_until).where(LOG_INS_FAILED.c.caller == caller)
    return int(connection.execute(until).scalar() or 0) > micros(now)


def count_failure(connection: sa.Connection, caller: str, now: datetime) -> int:
    """Count one more failure, in the store, so that parallel guesses count too; return how many there were in a row."""
    delete_rows(connection, LOG_INS_FAILED, LOG_INS_FAILED.c.at < micros(now - FORGOTTEN_AFTER))
    before = sa.select(LOG_INS_FAILED.c.failures).where(LOG_INS_FAILED.c.caller == caller)
    failures = int(connection.execute(before).scalar() or 0) + 1
    wait = min(2 ** (failures - TRIES), LONGEST_WAIT) if failures >= TRIES else 0
    row = {"caller": caller, "failures": failures, "waits_until": micros(now + timedelta(seconds=wait)),
           "at": micros(now)}  # fmt: skip
    upsert_many(connection, LOG_INS_FAILED, [row])
    return failures


def forgive(connection: sa.Connection, caller: str) -> None:
    """Forget the failures of a caller who came in."""
    delete_rows(connection, LOG_INS_FAILED, LOG_INS_FAILED.c.caller == caller)
