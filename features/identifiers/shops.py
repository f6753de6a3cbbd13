"""Web shops: by the name they registered, below any country's ending; on a host of many shops by the seller's page."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from ipaddress import ip_address

from features.identifiers.domains import registered_domain
from features.identifiers.placeholders import plain_words, says_nothing
from features.identifiers.shared_hosts import Address, seller, shared_host
from features.identifiers.tables import of_kind, table
from features.identifiers.visible import visible

LONGEST_ADDRESS, LONGEST_HOST = 2_000, 253
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,20}:/*", re.IGNORECASE)
HOST = re.compile(r"(?:[\w-]+\.)+[^\W\d_][\w-]*\.?")
NEW_ENDING = "~"  # follows the name of a shop below `.shop`, `.top` and the like, where imitators register
SHORTEST_NEAR = 5  # letters and digits of a name that is compared without words of shops


@lru_cache(maxsize=200_000)
def shop(text: str) -> str | None:
    """Return the key of the shop that a web address is of; None where the address names no seller.

    `www.solekicks.co.uk/x` and `solekicks.com` are `solekicks`, `solekicks.shop` is `solekicks~`,
    `amazon.de/sp?seller=A1XYZ` is `amazon/a1xyz`, `best.myshopify.com` is `myshopify.com/best`.
    """
    address = web_address(text)
    if address is None:
        return None
    shared = shared_host(address.host)
    return _own(address.host) if shared is None else seller(address, *shared)


@lru_cache(maxsize=200_000)
def shops_near(text: str) -> tuple[str, ...]:
    """Return the name of a shop without words of shops and ending, and without the last of several digits.

    Mirrors are numbered and named so - and so are imitations: this is weak evidence. None for sellers on shared hosts.
    """
    address = web_address(text)
    key = shop(text)
    if address is None or key is None or "/" in key:
        return ()
    words = plain_words(registered_domain(address.host).label).split()
    name = "".join(word for word in words if word not in _words_of_shops()) or "".join(words)
    if len(name) < SHORTEST_NEAR:
        return ()
    digits = len(name) - len(name.rstrip("0123456789"))
    return (name, name[:-1]) if digits >= 2 else (name,)


def web_address(text: str) -> Address | None:
    """Return the first web address in a text, its host decoded and in lower case; None where there is none."""
    plain = unicodedata.normalize("NFKC", visible(text[:LONGEST_ADDRESS])).strip()
    if says_nothing(plain[:LONGEST_HOST]):
        return None
    plain = plain.replace("[.]", ".").replace("(.)", ".").replace("。", ".")
    return next(filter(None, map(_address, re.split(r"[\s,;|<>\"']+", plain))), None)


def _address(text: str) -> Address | None:
    rest = text[match.end() :] if (match := SCHEME.match(text)) else text.lstrip("/(")
    before, query_found, query = rest.partition("?")
    if "#" in before:
        before, query_found, query = before.partition("#")[0], "", ""
    authority, _, path = before.partition("/")
    host = authority.rpartition("@")[2].partition(":")[0].rstrip(").").casefold()
    if _is_public(host):
        return Address(host, path, query)
    if len(host) > LONGEST_HOST or not HOST.fullmatch(host):
        return None
    decoded = ".".join(map(_decoded, host.split(".")))
    return Address(decoded.removeprefix("www."), path, query.partition("#")[0] if query_found else "")


def _decoded(label: str) -> str:
    """Return a label in its own script where it is written for machines, as `xn--bcher-kva`."""
    if not label.startswith("xn--"):
        return label
    try:
        return unicodedata.normalize("NFKC", label[4:].encode("ascii").decode("punycode")).casefold()
    except UnicodeError:
        return label


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return False


def _own(host: str) -> str | None:
    """Return the key of a host that is one shop's own."""
    if _is_public(host):
        return host
    domain = registered_domain(host)
    name = "".join(sign for sign in domain.label if sign.isalnum())
    if not name or (says_nothing(name) and not name.isdecimal()):
        return None
    if domain.hosted:
        return f"{domain.ending}/{name}"
    return name if domain.is_common else name + NEW_ENDING


@cache
def _words_of_shops() -> frozenset[str]:
    return of_kind(table("shop_words"), "of shops", "word")
