"""Descriptions of goods: phrases in four languages, article codes, empty words, typing slips."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.synthetic import people
from pipelines.synthetic.disguise import slip
from pipelines.synthetic.draws import Flags, Floats, Ints, mix, pick
from pipelines.synthetic.people import Pool, pool
from pipelines.synthetic.world_goods import LANGUAGES, Goods

CHINESE = LANGUAGES.index("zh")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def describe(
    goods: Goods,
    kind: Ints,
    language: Ints,
    style: Ints,
    family: Ints,
    vague: Flags,
    branded: Floats,
    rng: np.random.Generator,
) -> pl.Series:
    """Write a description per goods line; `branded` is the probability that a make is named."""
    size = len(kind)
    turn = rng.integers(0, 1 << 30, size)
    frame = pl.DataFrame(
        {
            "noun": goods.phrase(kind, language, turn),
            "adjective": _word("adjectives", turn, language),
            "qualifier": _word("qualifiers", turn, language),
            "vague": _word("vague", turn, language),
            "brand": pl.Series(people.vocabulary()["names"]["brandlike"]).gather(pick(family, 301, 12)),
            "code": article_code(family, kind),
            "chinese": language == CHINESE,
            "is_vague": vague,
            "named": rng.random(size) < branded,
            "style": style,
        }
    )
    with_adjective, with_qualifier, with_code = (pl.Series(rng.random(size) < share) for share in (0.4, 0.35, 0.35))
    gap = pl.when("chinese").then(pl.lit("")).otherwise(pl.lit(" "))
    nothing = pl.lit("")
    text = (
        pl.when("named").then(pl.col("brand") + " ").otherwise(nothing)
        + pl.when(with_adjective).then(pl.col("adjective") + gap).otherwise(nothing)
        + pl.col("noun")
        + pl.when(with_qualifier).then(gap + pl.col("qualifier")).otherwise(nothing)
        + pl.when(with_code).then(pl.lit(" ") + pl.col("code")).otherwise(nothing)
    )
    chosen = pl.when("is_vague").then("vague").otherwise(text)
    styled = pl.when(pl.col("style") == 2).then(chosen.str.to_uppercase()).when(pl.col("style") == 1)
    return frame.select(styled.then(chosen.str.to_lowercase()).otherwise(chosen).alias("description")).to_series()


def article_code(family: Ints, kind: Ints) -> pl.Series:
    """Return the factory's or actor's code for an article: the same under any seller name."""
    letters = pl.Series(list(_LETTERS))
    first, second = letters.gather(pick(family, 302, 24)), letters.gather(pick(family, 303, 24))
    number = (mix(family * 1000 + kind, 304) >> np.uint64(30)) % np.uint64(9000) + np.uint64(1000)
    return (first + second + pl.Series(number.astype(np.int64)).cast(pl.String)).rename("code")


def with_slips(texts: pl.Series, share: float, rng: np.random.Generator) -> pl.Series:
    """Add typing slips to some texts."""
    rows = np.flatnonzero(rng.random(len(texts)) < share)
    slipped = [slip(text, rng) if text else text for text in texts.gather(rows).to_list()]
    return texts.clone().scatter(rows, pl.Series(slipped, dtype=pl.String)) if len(rows) else texts


def _word(sort: str, turn: Ints, language: Ints) -> pl.Series:
    words: Pool = pool(people.vocabulary()["wording"][sort])
    return words.words.gather(words.first[language] + turn % words.count[language])
