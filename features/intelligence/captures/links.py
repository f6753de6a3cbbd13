"""Links of a page that lead to its shop: mailboxes, telephones, messengers, wallets, and profiles on platforms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

from features.identifiers.shared_hosts import shared_host
from features.identifiers.shops import shop, web_address
from features.intelligence.mailboxes import mailboxes_in, unguarded
from features.intelligence.telephones import canonical_telephone
from features.intelligence.wallets import wallets_in

PROFILE_KINDS = ("marketplace", "social network", "messenger", "page of links")
DIALLED = ("tel", "sms", "callto", "smsto", "facetime", "imessage")
CHATS = ("whatsapp", "viber", "tg")  # their numbers begin with the country's code, with or without its sign
WRITTEN_TO = ("mailto",)
PAYING = ("bitcoin", "ethereum", "litecoin", "dogecoin", "dash", "monero", "tron", "ripple")
GUARD = "/cdn-cgi/l/email-protection#"
SHARING = frozenset(  # where the path of a link begins that shares a page: nobody's profile
    (
        "share", "share.php", "sharer", "sharer.php", "sharearticle", "submit", "intent", "dialog", "plugins",
        "widgets", "forward", "msg", "compose", "cws",
    )
)  # fmt: skip
MESSENGERS = (
    "wa.me",
    "api.whatsapp.com",
    "web.whatsapp.com",
    "whatsapp.com",
    "viber.click",
    "t.me",
    "telegram.me",
    "signal.me",
)
NUMBER_KEYS = ("phone", "number")
DIGITS = re.compile(r"\+?[\d ().-]{7,25}")
HANDLE = re.compile(r"[A-Za-z][\w.-]{4,40}")
FEWEST_DIGITS, LONGEST, MOST_FIELDS = 7, 2_000, 100
Statement = tuple[str, str]


def statements_of_link(link: str, region: str | None) -> Iterator[Statement]:
    """Yield what a link states of the shop that shows it; region: of the page, ISO 3166-1 alpha-2, if known.

    Buttons that share a page, and links to anything but a mailbox, a number or a profile, state nothing.
    """
    link = link[:LONGEST].strip()
    scheme, _, rest = link.partition(":")
    scheme = scheme.lower()
    if scheme in WRITTEN_TO:
        yield from (("email", mailbox) for mailbox in mailboxes_in(unquote(rest.partition("?")[0].replace(",", " "))))
    elif scheme in DIALLED:
        yield from _dialled(rest, region)
    elif scheme in CHATS:
        number = _number_of("", rest.partition("?")[2], "")
        name = _fields(rest.partition("?")[2]).get("domain", [""])[0]
        yield from [("phone", number)] if number else []
        yield from [("url", f"https://t.me/{name}")] if scheme == "tg" and HANDLE.fullmatch(name) else []
    elif scheme in PAYING:
        yield from (("wallet", wallet) for wallet in wallets_in(rest))
    elif scheme in ("skype", "weixin"):
        yield from _handles(scheme, rest)
    elif GUARD in link:
        mailbox = unguarded(link.partition(GUARD)[2])
        yield from [("email", mailbox)] if mailbox else []
    elif scheme in ("http", "https", "") or link.startswith("//"):
        yield from _followed(link)


def profile_of(link: str) -> str | None:
    """Return the key of the profile or store on a platform that a link leads to; None for any other link."""
    address = web_address(link)
    shared = shared_host(address.host) if address else None
    if address is None or shared is None or shared[0].kind not in PROFILE_KINDS:
        return None
    return None if address.path.partition("/")[0].casefold() in SHARING else shop(link)


def _dialled(rest: str, region: str | None) -> Iterator[Statement]:
    """Yield the number of a link to call, as written; one without its country's code in its region's plan."""
    written = unquote(_query(rest) or rest.partition("?")[0]).strip("/ ")
    digits = sum(map(str.isdigit, written))
    if digits < FEWEST_DIGITS or not set(written) <= set("0123456789+ ().-/\u00a0"):
        return
    number = f"+{written[2:]}" if written.startswith("00") else written
    if canonical := canonical_telephone(number, region):
        yield "phone", written if number.startswith("+") else canonical
    elif region is None and not number.startswith("+"):
        yield "phone", written


def _query(rest: str) -> str:
    fields = _fields(rest.partition("?")[2])
    return next((fields[key][0] for key in NUMBER_KEYS if key in fields), "").replace(" ", "+", 1)


def _fields(query: str) -> dict[str, list[str]]:
    return parse_qs(query) if query.count("&") < MOST_FIELDS else {}


def _handles(scheme: str, rest: str) -> Iterator[Statement]:
    name = unquote(rest.rpartition("chat?")[2] if scheme == "weixin" else rest.partition("?")[0]).strip("/ ")
    if HANDLE.fullmatch(name):
        yield "account", f"{'wechat' if scheme == 'weixin' else scheme} {name}"


def _followed(link: str) -> Iterator[Statement]:
    try:
        parts = urlsplit(link)
    except ValueError:
        return
    host = (parts.hostname or "").removeprefix("www.")
    if host in MESSENGERS and (number := _number_of(parts.path, parts.query, parts.fragment)):
        yield "phone", number
    elif profile_of(link):
        yield "url", f"https:{link}" if link.startswith("//") else link


def _number_of(path: str, query: str, fragment: str) -> str | None:
    """Return the number of a messenger's link in E.164: `wa.me/86138…`, `send?phone=86138…`, `t.me/+86138…`."""
    for text in (_query(f"?{query}"), unquote(path).strip("/"), unquote(fragment).removeprefix("p/")):
        if DIGITS.fullmatch(text.strip()):
            return canonical_telephone(f"+{text.strip().lstrip('+')}", None)
    return None
