"""Pseudonyms in a text with their platform: `WeChat: kicks88`, `微信号：kicks88`, `compte Snapchat z_75`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from features.intelligence.telephones import canonical_telephone
from features.intelligence.web_identities import Platform, identities_on, is_rare_pseudonym, platform_named

MESSENGERS = (
    "wechat",
    "weixin",
    "微信号",
    "微信",
    "vx",
    "wx",
    "qq",
    "line id",
    "skype",
    "telegram",
    "snapchat",
    "whatsapp",
    "kakaotalk",
)
OTHERS = (
    "facebook", "fb", "instagram", "insta", "ig", "tiktok", "snap", "signal", "viber", "threema", "wickr", "discord",
    "vinted", "leboncoin", "le bon coin", "ebay", "depop", "wallapop", "twitter",
)  # fmt: skip
ALIASES = {"vx": "wechat", "wx": "wechat"}
SPACE = r"[ \t]{0,3}+"
LETTER, SIGN = "A-Za-z0-9_", r"[A-Za-z0-9+][\w.+-]{4,30}+"
PLATFORM = "|".join(sorted((*MESSENGERS, *OTHERS), key=len, reverse=True))
ACCOUNT = "pseudo(?:nyme)?|compte|profil|account|username|user name|profile"
STATED = re.compile(
    rf"(?<![{LETTER}])({PLATFORM})(?:{SPACE}(?:id|no|号|number|account|pseudo|compte))?+{SPACE}[:：]{SPACE}"
    rf"(@?+)({SIGN})(?![\w@])",
    re.IGNORECASE,
)
NAMED = re.compile(
    rf"(?<![{LETTER}])(?:{ACCOUNT}) (?:(?:sur|on|de) )?({PLATFORM}) ?:? ?[«\"“]? ?(@?+)({SIGN})(?![\w@])", re.IGNORECASE
)
NAMED_BEFORE = re.compile(
    rf"(?<![{LETTER}])(?:{ACCOUNT}) ?:? ?[«\"“]? ?(@?+)({SIGN}) ?[»\"”]? ?(?:sur|on) ({PLATFORM})(?![{LETTER}])",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z][\w.-]{4,30}")
NUMBER = re.compile(r"[1-9]\d{4,11}")
SHAPED = re.compile(r"[0-9_]")  # what no word of a sentence has


def handles_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield what a reader could search for on the platform that stands beside a pseudonym, as `identities_on` does."""
    lines = "\n".join(line for line in text.split("\n") if ":" in line or "：" in line)
    for match in STATED.finditer(lines):
        is_messenger = match[1].lower() in MESSENGERS
        yield from _of(match[1], match[3], is_sure=is_messenger or bool(match[2]))
    for match in NAMED.finditer(text):
        yield from _of(match[1], match[3], is_sure=bool(match[2]))
    for match in NAMED_BEFORE.finditer(text):
        yield from _of(match[3], match[2], is_sure=bool(match[1]))


def _of(word: str, written: str, *, is_sure: bool) -> Iterator[tuple[str, str]]:
    """Yield what a pseudonym states; is_sure: nothing but a pseudonym can stand there."""
    handle = written.rstrip(".-+")
    platform = platform_named(ALIASES.get(word.lower(), word))
    if platform is None:
        return
    number = canonical_telephone(handle, "CN" if platform.name == "wechat" else None)
    if number is not None and platform.name != "qq":
        yield "phone", number
    elif platform.name == "qq":
        yield from [("account", f"qq {handle}")] if NUMBER.fullmatch(handle) else []
    elif (
        WORD.fullmatch(handle) and _names(platform) and (is_sure or SHAPED.search(handle) or is_rare_pseudonym(handle))
    ):
        yield from identities_on(platform, handle)


def _names(platform: Platform) -> bool:
    return platform.by != "number"
