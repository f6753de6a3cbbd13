"""Names, telephones, mailboxes, shops and addresses as keys: written alike when they are the same but for disguise.

What a sender changes to pass for another - letters that look alike, word order, accents, formats - is taken away; what
tells two senders apart is kept. Nothing here guesses: two texts are one key or they are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import polars as pl
from pypinyin import lazy_pinyin

LOOKALIKES = str.maketrans("асеіорхуԁѕјһӏтвнмкαενορτυχικ", "aceiopxydsjhltbhmkaevoptuxik")
LEGAL = (
    r"\b(?:co|company|corp|corporation|inc|ltd|limited|llc|gmbh|ag|sa|sarl|sas|srl|bv|plc|pte|pvt|lp|kk|as|sti|ve"
    r"|trading|trade|trad|international|intl|import|imp|export|exp|and|e|commerce|group|holding|store|shop|official)\b"
)
UNIT = r"\b(?:unit|flat|room|rm|apt|apartment|suite|floor|fl)\s*\d+\w*\b"
# polars keeps some thirty compiled patterns: a call that asks for more compiles all of them again, at 8 ms
SIGNS = r"[^\p{L}\p{N}]+"  # all but letters and digits
LETTERS = r"\p{L}+"
STEM, DOMAIN = r"^([^@+]+)", r"@(.+)$"  # of a mailbox, without its tag
DIGITS = "0123456789"
AFFIX = r"\b(?:shop|store|official|outlet|fr|eu|en|www|online|boutique)\b"
ARTICLE = r"\b([A-Z]{1,4}[- ]?\d{3,6}[A-Z]?)\b"
HOST, COUNTRY, NO_WORD = re.compile(r"(?:[a-z]+://)?([^/?#:]+)"), re.compile(r"\.[a-z]+\Z"), re.compile(r"[\W_]+")
OF_SHOPS = re.compile(AFFIX)
HAN = re.compile(r"[\u4e00-\u9fff]+")
HAN_LEGAL = re.compile(r"(?:股份)?有限(?:责任)?公司|公司|商行|经营部|旗舰店|专营店|国际|贸易|进出口|市|省|\s")
TRADES = {  # what firms deal in, as they write it in English; the longer before what is in it
    "电子商务": "e commerce",
    "跨境电商": "cross border commerce",
    "电子科技": "electronic technology",
    "网络科技": "network technology",
    "供应链": "supply chain",
    "工艺品": "crafts",
    "日用品": "daily necessities",
    "化妆品": "cosmetics",
    "服饰": "garment",
    "服装": "garment",
    "科技": "technology",
    "电子": "electronic",
    "鞋业": "shoes",
    "皮具": "leather",
    "玩具": "toys",
    "饰品": "jewelry",
    "纺织": "textile",
    "物流": "logistics",
}
HAN_HOUSE = re.compile(r"(?:.*[市省区县镇])?(?P<street>[\u4e00-\u9fff]{1,6}?)(?:大道|路|街|巷)(?P<number>\d+)号")
LATIN_HOUSE = re.compile(
    r"\bno\W*(?P<number>\d+)\W+(?P<street>[a-z][a-z ]{1,30}?) (?:road|rd|street|st|avenue|ave|lu|jie|dadao)\b"
)
LONGEST_PERSON = 4  # characters; firms have more
NATIONAL_DIGITS = 9  # of a telephone: what is left when country codes and leading zeros are written in different ways


def folded(text: pl.Expr) -> pl.Expr:
    """Lower case without accents, with the Latin twin of every look-alike letter."""
    plain = text.str.normalize("NFKD").str.replace_all(r"\p{M}+", "").str.to_lowercase()
    return plain.str.replace_many(list(map(chr, LOOKALIKES)), list(map(chr, LOOKALIKES.values())))


def comparable(column: str) -> pl.Expr:
    """A text as a key: folded, letters and digits only, single spaces; unknown where nothing is left."""
    return _or_unknown(folded(pl.col(column)).str.replace_all(SIGNS, " ").str.strip_chars())


def words_of_name(column: str) -> pl.Expr:
    """The words that make up a name, in order of the alphabet, without legal forms and words of trade.

    Names in Chinese characters are told in pinyin, a person's with the family name apart.
    """
    words = _core_of_name(column).str.split(" ").list.eval(pl.element().filter(pl.element() != ""))
    return _or_unknown(words.list.sort().list.join(" "))


def sound_of_name(column: str) -> pl.Expr:
    """The same in the order written and without spaces: Chinese names in characters and in pinyin are alike in it."""
    return _or_unknown(_core_of_name(column).str.replace_all(" ", "", literal=True))


def _core_of_name(column: str) -> pl.Expr:
    return _told(comparable(column), _name_in_pinyin).str.replace_all(LEGAL, " ").str.strip_chars()


def telephone(column: str) -> pl.Expr:
    """The last digits of a telephone number."""
    return _or_unknown(pl.col(column).str.replace_all(r"\D+", "").str.tail(NATIONAL_DIGITS))


def mailbox(column: str) -> pl.Expr:
    """A mailbox without its tag, its dots and the number at its end."""
    address = folded(pl.col(column)).str.strip_chars()
    stem = address.str.extract(STEM, 1).str.replace_all(SIGNS, "").str.strip_chars_end(DIGITS)
    return pl.concat_str(_or_unknown(stem), address.str.extract(DOMAIN, 1), separator="@")


def storefront(column: str) -> pl.Expr:
    """The name of a web shop: its host without country, words of shops, and signs between."""
    return _or_unknown(_told(folded(pl.col(column)), _shop))


def _shop(url: str) -> str:
    host = HOST.match(url)
    name = COUNTRY.sub("", host[1]) if host else ""
    return OF_SHOPS.sub(" ", NO_WORD.sub(" ", name)).replace(" ", "")


def building(column: str) -> pl.Expr:
    """A house: its street and number where they can be read, in pinyin where they are Chinese.

    Where they cannot, the address without what follows a number sign and without unit, flat or room.
    """
    outside = pl.col(column).str.replace(r"#.*$", "").str.replace_all(r"\(.*?\)", " ")
    text = folded(outside).str.replace_all(SIGNS, " ").str.replace_all(UNIT, " ")
    whole = _or_unknown(text.str.replace_all(SIGNS, " ").str.strip_chars())
    return pl.coalesce(_told(folded(outside), _house), whole)


def article(column: str) -> pl.Expr:
    """The first article code of a description: letters and a number, as factories write them."""
    return run_together(folded(pl.col(column)).str.to_uppercase().str.extract(ARTICLE, 1))


def run_together(code: pl.Expr) -> pl.Expr:
    """An article code without the dash or space in it."""
    return code.str.replace_many(["-", " "], ["", ""])


def _told(text: pl.Expr, tell: Callable[[str], str | None]) -> pl.Expr:
    """Each text as `tell` puts it, told once where it stands in several rows."""

    def of_all(texts: pl.Series) -> pl.Series:
        return pl.Series(texts.name, [None if text is None else tell(text) for text in texts], pl.String)

    return text.map_batches(of_all, pl.String)


@lru_cache(maxsize=100_000)
def _name_in_pinyin(name: str) -> str:
    if not HAN.search(name):
        return name
    core = HAN_LEGAL.sub("", name)
    if len(core) <= LONGEST_PERSON:
        said = lazy_pinyin(core)
        return f"{said[0]} {''.join(said[1:])}"
    for characters, words in TRADES.items():
        core = core.replace(characters, f" {words} ")
    return " ".join("".join(lazy_pinyin(part)) for part in core.split())


@lru_cache(maxsize=100_000)
def _house(address: str) -> str | None:
    """Street and number, `dongfeng 34`, of an address in the Chinese or the English manner."""
    if found := HAN_HOUSE.search(address):
        return f"{''.join(lazy_pinyin(found['street']))} {found['number']}"
    if found := LATIN_HOUSE.search(address):
        return f"{found['street'].replace(' ', '')} {found['number']}"
    return None


def _or_unknown(text: pl.Expr) -> pl.Expr:
    return text.replace("", None)
