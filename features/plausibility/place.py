"""Whether a place fits the country that is stated with it: town, postcode, script, house and mailbox."""

from __future__ import annotations

import re
from functools import lru_cache

from features.algebra import UNKNOWN
from features.identifiers.number_plans import code_of_region
from features.identifiers.placeholders import is_patterned, plain_words
from features.identifiers.telephones import telephones
from features.plausibility.tables import countries_of_place, postcode_forms, scripts
from features.plausibility.words import scripts_of

NUMBER = re.compile(r"[0-9]{1,9}")
# countries whose houses are numbered by blocks or by distance
WIDE = frozenset({"US", "CA", "AU", "NZ", "MX", "BR", "CL", "CO", "AR", "VE", "PE", "CR", "ZA"})
HIGHEST_WIDE, HIGHEST = 39_999.0, 9_999.0  # house numbers; beyond them there is none
PREFIXED = re.compile(r"^[A-Z]{1,2}-(?=[0-9])")  # H-1138, of an envelope
DOMAINS = {"uk": "GB", "eu": None, "io": None, "co": None, "me": None, "tv": None, "cc": None, "ai": None, "ws": None}
# of countries whose firms write under either's domain
NEIGHBOURS = frozenset({"CN-HK", "HK-CN", "CN-MO", "MO-CN", "CN-TW", "TW-CN", "HK-MO", "MO-HK", "GB-IE", "IE-GB"})


@lru_cache(maxsize=200_000)
def place_elsewhere(place: str, country: str) -> float:
    """Return 1 where a town of this name is known in other countries alone, 0 where in this one; else unknown."""
    known = countries_of_place().get(plain_words(place))
    return UNKNOWN if known is None else float(country.upper() not in known.split(" "))


@lru_cache(maxsize=200_000)
def postcode_unfit(postcode: str, country: str) -> float:
    """Return 1 where a postcode has not the form of the country's, or is none; unknown where no form is known."""
    form = postcode_forms().get(country.upper())
    if form is None:
        return UNKNOWN
    code = PREFIXED.sub("", postcode.strip().upper())
    return float(form.fullmatch(code) is None or is_patterned("".join(filter(str.isalnum, code.lower()))))


@lru_cache(maxsize=200_000)
def script_elsewhere(text: str, country: str) -> float:
    """Return 1 where letters of a script stand that the country does not write, 0 else."""
    return float(bool(scripts_of(text) - {"LATIN"} - scripts().get(country.upper(), frozenset())))


@lru_cache(maxsize=200_000)
def telephone_elsewhere(phone: str, country: str) -> float:
    """Return 0 for a number of the country's plan, one half of another's, 1 where no plan knows it."""
    keys = telephones(phone, country)
    home = code_of_region(country)
    if not keys or not keys[0].startswith("+"):
        return 1.0
    return 0.0 if home is not None and keys[0].startswith(f"+{home}") else 0.5


@lru_cache(maxsize=200_000)
def house_beyond(address: str, country: str) -> float:
    """Return 1 where the largest number of an address is beyond the houses that streets of the country have, 0 else."""
    numbers = [float(number) for number in NUMBER.findall(address)]
    if not numbers:
        return UNKNOWN
    return float(max(numbers) > (HIGHEST_WIDE if country.upper() in WIDE else HIGHEST))


@lru_cache(maxsize=200_000)
def mailbox_elsewhere(mailbox: str, country: str) -> float:
    """Return 1 where a mailbox is under another country's domain, 0 under its own or one of no country."""
    ending = mailbox.rstrip(". ").rsplit(".", 1)[-1].lower()
    if len(ending) != 2:
        return 0.0
    of = DOMAINS.get(ending, ending.upper())
    here = country.upper()
    return float(of is not None and of != here and f"{of}-{here}" not in NEIGHBOURS)
