"""Domain names: the label that somebody registered and the ending it stands below, by the public suffix list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from tldextract import TLDExtract

from features.identifiers.tables import of_kind, table

DOMAIN_SELLERS = re.compile(r"[a-z]{2}\.(?:com|net|org)|(?:com|co)\.[a-z]{2,3}")  # `uk.com`: an ending like a country's


@dataclass(frozen=True, slots=True)
class Domain:
    """A registered domain: its label, its ending, and whether that is a host where each customer has a label."""

    label: str
    ending: str
    hosted: bool

    @property
    def is_common(self) -> bool:
        """Say whether the ending is a country's or one of the old ones, below which firms register their names."""
        last = self.ending.rpartition(".")[2]
        return len(last) == 2 or last in _old_endings() or not last.isascii()


@lru_cache(maxsize=100_000)
def registered_domain(host: str, *, hosted: bool = True) -> Domain:
    """Return the domain of a host; an ending that the list does not know is the last label.

    hosted: count hosts that give each customer a label of its own, such as `myshopify.com`, as endings.
    """
    found = _list(hosted=hosted)(host)
    if found.suffix:
        hosts_others = found.is_private and not DOMAIN_SELLERS.fullmatch(found.suffix)
        return Domain(found.domain, found.suffix, hosts_others)
    labels = host.split(".")
    return Domain(labels[-2] if len(labels) > 1 else "", labels[-1], hosted=False)


@cache
def _list(*, hosted: bool) -> TLDExtract:
    """Return the public suffix list that comes with the library: nothing is fetched and nothing is written."""
    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=hosted)


@cache
def _old_endings() -> frozenset[str]:
    return of_kind(table("shop_words"), "old ending", "word")
