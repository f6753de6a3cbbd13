"""Reports in a person's own words: what can be taken of the seller from them, and what may be the author's own is not.

Mailboxes, telephones, wallets, accounts, profiles and web addresses are taken. What a sentence calls the author's own
(`my e-mail`), and the shop that it calls genuine, are left out, and told.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from features.identifiers.shared_hosts import shared_host
from features.identifiers.shops import shop, web_address
from features.intelligence.bank_accounts import accounts_in
from features.intelligence.captures.handles import handles_in
from features.intelligence.mailboxes import mailboxes_in
from features.intelligence.statements import Reading, Row
from features.intelligence.telephones import canonical_telephone, telephones_in
from features.intelligence.wallets import wallets_in

CLAUSE = re.compile(r"(?<=[.!?;])\s+(?=[^\W\d_a-z])|\n+")
MY = "mon|ma|mes|notre|nos|my|our|mein|meine|unser|unsere|mi|mis|nuestro|mio|mia"
CONTACT = (
    r"(?:adresse|courriel|e-?mail|mail|num[ée]ro|t[ée]l[ée]phone|t[ée]l|portable|compte|iban|rib|"
    r"phone|number|mobile|account|telefon\w*|konto\w*|correo|cuenta|tel[ée]fono|bank|carte)"
)
AUTHORS = re.compile(
    rf"\b(?:{MY}) (?:\w+ ){{0,2}}?{CONTACT}\b|\bme (?:contacter|joindre)\b|\bjoignable\b"
    r"|\b(?:contact|reach|call) me\b",
    re.IGNORECASE,
)
GENUINE = re.compile(
    r"\b(?:vrai|v[ée]ritable|authentique|genuine|official|legitimate|real|echte|originale?) (?:\w+ )?"
    r"(?:site|boutique|shop|store|page|compte|account|website)\b|\bsite (?:web )?(?:officiel|de la marque)\b"
    r"|\b(?:brand's|right holder's) (?:own )?(?:site|website|shop|page)\b",
    re.IGNORECASE,
)
LINK = re.compile(
    r"(?<![\w@.])(?:https?://[^\s<>\"'»)\]]{4,500}|(?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,12}(?:/[^\s<>\"'»)\]]{0,300})?)(?![\w@])"
)
ENDINGS = frozenset(
    (
        "com",
        "net",
        "org",
        "info",
        "biz",
        "shop",
        "store",
        "online",
        "site",
        "top",
        "xyz",
        "club",
        "vip",
        "fr",
        "be",
        "ch",
        "de",
        "es",
        "it",
        "nl",
        "uk",
        "eu",
        "cn",
        "hk",
        "example",
        "pl",
        "pt",
        "ru",
        "tr",
        "us",
        "ca",
        "boutique",
        "outlet",
        "sale",
        "fashion",
        "me",
    )
)
FRENCH = frozenset(("le", "la", "les", "des", "est", "une", "sur", "avec", "pour", "dans", "vend", "je", "un"))
FEWEST_FRENCH = 2
WORD = re.compile(r"[^\W\d_]+")
PROSE = 5  # words of a line that is no list of names
AUTHORS_OWN = "the author of the text may be its owner"
Statement = tuple[str, str]


def is_prose(text: str) -> bool:
    """Say whether a text is written in sentences, and is no table without known columns."""
    lines = [line for line in text.split("\n")[:20] if line.strip()]
    is_table = len(lines) > 1 and any(_in_columns(lines, sign) for sign in ",;\t|")
    return not is_table and any(len(WORD.findall(line)) >= PROSE for line in lines)


def _in_columns(lines: list[str], separator: str) -> bool:
    """Say whether lines divide into as many cells each; what is quoted is one cell, whatever stands in it."""
    try:
        widths = {len(row) for row in csv.reader(lines, delimiter=separator) if row}
    except csv.Error:
        return False
    return len(widths) == 1 and max(widths) > 1


def read_prose(text: str, reading: Reading) -> Iterator[Row]:
    """Yield the statements of reports that stand in one text, with an empty line between."""
    for number, report in enumerate(re.split(r"\n\s*\n", text), start=1):
        yield from report_of(f"report {number}", report, reading)


def report_of(subject: str, text: str, reading: Reading) -> Iterator[Row]:
    """Yield what a report in words states of the seller whom it is about.

    Where it names several shops, or several profiles on one platform, nothing ties them: each is a subject of its own.
    """
    stated = list(dict.fromkeys(statements_in(text, reading)))
    of_place: dict[str, set[str]] = {}
    for prop, value in stated:
        if prop == "url" and (key := shop(value)):
            of_place.setdefault(_place(key), set()).add(key)
    for prop, value in stated:
        key = shop(value) if prop == "url" else None
        apart = key is not None and len(of_place[_place(key)]) > 1
        yield (f"{subject}\x1f{key}" if apart else subject), subject, prop, value
    if untied := sum(len(keys) for keys in of_place.values() if len(keys) > 1):
        reading.leave_out("tie", "a text names several shops, which need not be of one seller", untied)


def _place(key: str) -> str:
    """Return the platform of a profile; nothing for a shop that is on none."""
    return key.rpartition("/")[0]


def statements_in(text: str, reading: Reading) -> Iterator[Statement]:
    """Yield properties and texts that a text states of others than its author."""
    region = "FR" if len(FRENCH & {word.casefold() for word in WORD.findall(text[:5_000])}) >= FEWEST_FRENCH else None
    for clause in CLAUSE.split(text):
        genuine = _called_genuine(clause)
        for prop, value in _of_clause(clause, region):
            if prop == "url" and value in genuine:
                reading.leave_out(prop, "the text calls it genuine")
            elif prop != "url" and AUTHORS.search(clause):
                reading.leave_out(prop, AUTHORS_OWN)
            else:
                yield prop, value


def _called_genuine(clause: str) -> list[str]:
    """Return the web addresses of a clause that it calls genuine: those behind such words, or else those before."""
    words = GENUINE.search(clause)
    if words is None:
        return []
    return _links(clause[words.end() :]) or _links(clause[: words.start()])


def _of_clause(clause: str, region: str | None) -> Iterator[Statement]:
    yield from (("email", mailbox) for mailbox in mailboxes_in(clause))
    yield from (("phone", _as_called(telephone, region)) for telephone in telephones_in(clause, region))
    yield from handles_in(clause)
    yield from (("wallet", wallet) for wallet in wallets_in(clause))
    yield from (("iban", iban) for iban in accounts_in(clause))
    yield from (("url", link) for link in _links(clause))


def _links(clause: str) -> list[str]:
    return [link for match in LINK.finditer(clause) if _is_shops(link := match[0].rstrip(".,:!?"))]


def _as_called(telephone: str, region: str | None) -> str:
    number = telephone.lstrip("( ")
    return telephone if number.startswith(("+", "00")) else canonical_telephone(telephone, region) or telephone


def _is_shops(link: str) -> bool:
    """Say whether a link names a shop, or a profile on a platform; a word with a point within it is none."""
    address = web_address(link)
    if address is None or shop(link) is None:
        return False
    written = link.startswith(("http://", "https://", "www."))
    shared = shared_host(address.host)
    if shared is not None and shared[0].kind in ("of all the world", "link shortener", "carrier"):
        return False
    return written or address.host.rpartition(".")[2] in ENDINGS
