"""Hosts that hold many shops - marketplaces, social networks, messengers, link shorteners, shop builders.

Their host is nobody's own: the seller is a segment of the path, a key of the query, or the label before the host.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, unquote

from features.identifiers.domains import registered_domain
from features.identifiers.placeholders import says_nothing
from features.identifiers.tables import Row, of_kind, table
from features.identifiers.visible import visible

MOST_SEGMENTS, MOST_KEYS = 40, 100
EXACT = "link shortener"  # its codes differ by capitals


@dataclass(frozen=True, slots=True)
class Address:
    """A web address in parts; host in lower case without `www.`, path still encoded."""

    host: str
    path: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where the addresses of a host name the seller: see the head of hosts.csv."""

    where: str
    patterns: tuple[tuple[str, ...], ...] = ()
    words: frozenset[str] = frozenset()  # keys of the query, or segments that are no seller


@dataclass(frozen=True, slots=True)
class SharedHost:
    """A host that holds many shops; name: of all its country hosts and other names together."""

    name: str
    kind: str
    rules: tuple[Rule, ...]


def shared_host(host: str) -> tuple[SharedHost, str] | None:
    """Find the row of a host, and return it with what stands before it; None for a host that is somebody's own."""
    labels, label = host.split("."), registered_domain(host, hosted=False).label
    for at in range(len(labels) - 1):
        ending = ".".join(labels[at:])
        found = _hosts().get(ending) or (_hosts().get(f"{label}.*") if labels[at] == label else None)
        if found is not None:
            return found, ".".join(labels[:at])
    return None


def seller(address: Address, host: SharedHost, before: str) -> str | None:
    """Return the seller whom an address of a shared host names, such as `amazon/a1xyz`; None where it names none."""
    for rule in host.rules:
        for name in _named(address, rule, before):
            text = visible(unquote(name, errors="replace")).strip(" @~+")
            text = text if host.kind == EXACT else text.casefold()
            if text and (any(map(str.isdecimal, text)) or not says_nothing(text)):
                return f"{host.name}/{text}"
    return None


def _named(address: Address, rule: Rule, before: str) -> Iterator[str]:
    if rule.where == "query":
        keys = dict(parse_qsl(address.query, max_num_fields=MOST_KEYS)) if address.query.count("&") < MOST_KEYS else {}
        yield from (text for key, text in keys.items() if key.casefold() in rule.words)
    elif rule.where == "path":
        segments = [segment for segment in address.path.split("/", MOST_SEGMENTS)[:MOST_SEGMENTS] if segment]
        found = (_in_path(segments, pattern) for pattern in rule.patterns)
        yield from (name for name in found if name and name.casefold() not in rule.words)
    elif rule.where == "subdomain":
        label = before.rpartition(".")[2]
        yield from () if label in _departments() else (label,)


def _in_path(segments: Sequence[str], pattern: Sequence[str]) -> str | None:
    """Return the segment that stands for `{}` where a pattern fits the path; one of `**` first fits anywhere."""
    anywhere = pattern[0] == "**"
    tokens = pattern[anywhere:]
    starts = range(len(segments) - len(tokens) + 1) if anywhere else range(len(segments) >= len(tokens))
    for start in starts:
        part = segments[start : start + len(tokens)]
        if all(_fits(token, segment) for token, segment in zip(tokens, part, strict=True)):
            return next(segment.lstrip("@") for token, segment in zip(tokens, part, strict=True) if "{}" in token)
    return None


def _fits(part: str, segment: str) -> bool:
    return part in ("*", "{}") or (part == "@{}" and segment.startswith("@")) or part == segment.casefold()


@cache
def _departments() -> frozenset[str]:
    """Return labels before a host that are a language, a device or a department of the host itself."""
    return of_kind(table("shop_words"), "department", "word")


@cache
def _hosts() -> dict[str, SharedHost]:
    rows = table("hosts")
    names = {row["host"]: row["rule"] for row in rows if row["where"] == "alias"}
    by_host: dict[str, list[Row]] = {}
    for row in rows:
        if row["where"] != "alias":
            by_host.setdefault(row["host"], []).append(row)
    return {
        host: SharedHost(names.get(host, host).removesuffix(".*"), of[0]["kind"], tuple(map(_rule, of)))
        for host, of in by_host.items()
    }


def _rule(row: Row) -> Rule:
    if row["where"] == "query":
        return Rule("query", words=frozenset(row["rule"].split("|")))
    text, _, not_sellers = row["rule"].partition(" !")
    patterns = tuple(tuple(pattern.strip().strip("/").split("/")) for pattern in text.split(";") if pattern.strip())
    return Rule(row["where"], patterns, frozenset(not_sellers.split("|")))
