"""Names, telephones, mailboxes, shops and addresses as keys: written alike when they are the same but for disguise.

What a sender changes to pass for another - letters that look alike, word order, accents, formats - is taken away; what
tells two senders apart is kept. Nothing here guesses: two texts are one key or they are not.
"""

from __future__ import annotations

import polars as pl

LOOKALIKES = str.maketrans("асеіорхуԁѕјһӏтвнмкαενορτυχικ", "aceiopxydsjhltbhmkaevoptuxik")
LEGAL = (
    r"\b(?:co|company|corp|corporation|inc|ltd|limited|llc|gmbh|ag|sa|sarl|sas|srl|bv|plc|pte|pvt|lp|kk|as|sti|ve"
    r"|trading|trade|trad|international|intl|import|imp|export|exp|and|e|commerce|group|holding|store|shop|official)\b"
)
UNIT = r"\b(?:unit|flat|room|rm|apt|apartment|suite|floor|fl)\s*\d+\w*\b"
AFFIX = r"\b(?:shop|store|official|outlet|fr|eu|en|www|online|boutique)\b"
ARTICLE = r"\b([A-Z]{1,4}[- ]?\d{3,6}[A-Z]?)\b"
NATIONAL_DIGITS = 9  # of a telephone: what is left when country codes and leading zeros are written in different ways


def folded(text: pl.Expr) -> pl.Expr:
    """Lower case without accents, with the Latin twin of every look-alike letter."""
    plain = text.str.normalize("NFKD").str.replace_all(r"\p{M}+", "").str.to_lowercase()
    return plain.str.replace_many(list(map(chr, LOOKALIKES)), list(map(chr, LOOKALIKES.values())))


def comparable(column: str) -> pl.Expr:
    """A text as a key: folded, letters and digits only, single spaces; unknown where nothing is left."""
    return _or_unknown(folded(pl.col(column)).str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars())


def words_of_name(column: str) -> pl.Expr:
    """The words that make up a name, in order of the alphabet, without legal forms and words of trade."""
    core = comparable(column).str.replace_all(LEGAL, " ").str.strip_chars()
    return _or_unknown(
        core.str.split(" ").list.eval(pl.element().filter(pl.element() != "")).list.sort().list.join(" ")
    )


def telephone(column: str) -> pl.Expr:
    """The last digits of a telephone number."""
    return _or_unknown(pl.col(column).str.replace_all(r"\D+", "").str.tail(NATIONAL_DIGITS))


def mailbox(column: str) -> pl.Expr:
    """A mailbox without its tag, its dots and the number at its end."""
    address = folded(pl.col(column)).str.strip_chars()
    stem = address.str.extract(r"^([^@+]+)", 1).str.replace_all(r"[^\p{L}\p{N}]+", "").str.replace(r"\d+$", "")
    return pl.concat_str(_or_unknown(stem), address.str.extract(r"@(.+)$", 1), separator="@")


def storefront(column: str) -> pl.Expr:
    """The name of a web shop: its host without country, words of shops, and signs between."""
    host = folded(pl.col(column)).str.replace(r"^[a-z]+://", "").str.extract(r"^([^/?#:]+)", 1)
    name = host.str.replace(r"\.[a-z]+$", "").str.replace_all(r"[^\p{L}\p{N}]+", " ").str.replace_all(AFFIX, " ")
    return _or_unknown(name.str.replace_all(r"\s+", ""))


def building(column: str) -> pl.Expr:
    """An address without what follows a number sign and without unit, flat or room."""
    outside = pl.col(column).str.replace(r"#.*$", "").str.replace_all(r"\(.*?\)", " ")
    text = folded(outside).str.replace_all(r"[^\p{L}\p{N}]+", " ").str.replace_all(UNIT, " ")
    return _or_unknown(text.str.replace_all(r"\s+", " ").str.strip_chars())


def article(column: str) -> pl.Expr:
    """The first article code of a description: letters and a number, as factories write them."""
    return folded(pl.col(column)).str.to_uppercase().str.extract(ARTICLE, 1).str.replace_all(r"[- ]", "")


def _or_unknown(text: pl.Expr) -> pl.Expr:
    return text.replace("", None)
