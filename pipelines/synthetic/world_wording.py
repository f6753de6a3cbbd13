"""Descriptions of goods: phrases in four languages, article codes, empty words, typing slips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.synthetic import people
from pipelines.synthetic.disguise import slip
from pipelines.synthetic.draws import Flags, Floats, Ints, mix, pick
from pipelines.synthetic.people import Pool, pool
from pipelines.synthetic.world_goods import LANGUAGES, Goods

CHINESE = LANGUAGES.index("zh")
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
FORMS = ("{}, {} - {}", "{} / {} / {}", "[{}] {} ({})", "{} {}; {} x1", "{} *{}* {}")  # of templates


@dataclass(frozen=True)
class Writer:
    """Whoever writes each goods line: id, style, article family, own numbering, template, how often it names codes."""

    ids: Ints
    style: Ints
    family: Ints
    series: Flags
    template: Ints
    codes: Floats


def describe(
    goods: Goods, kind: Ints, language: Ints, writer: Writer, vague: Flags, branded: Floats, rng: np.random.Generator
) -> pl.Series:
    """Write a description per goods line; `branded` is the probability that a make is named."""
    size = len(kind)
    turn = rng.integers(0, 1 << 30, size)
    fixed = writer.template >= 0
    noun_turn = np.where(fixed, _turn(writer.template * 1000 + kind, 306), turn)
    word_turn = np.where(fixed, _turn(writer.template, 308), turn)
    frame = pl.DataFrame(
        {
            "noun": goods.phrase(kind, language, noun_turn),
            "adjective": _word("adjectives", word_turn, language),
            "qualifier": _word("qualifiers", word_turn, language),
            "vague": _word("vague", turn, language),
            "brand": pl.Series(people.vocabulary()["names"]["brandlike"]).gather(pick(writer.family, 301, 12)),
            "code": article_code(writer.family, kind, writer.ids, writer.series),
            "chinese": language == CHINESE,
            "is_vague": vague,
            "named": rng.random(size) < branded,
            "style": writer.style,
            "form": np.where(fixed, pick(writer.template, 307, len(FORMS)), -1),
        }
    )
    with_adjective, with_qualifier, with_code = (
        pl.Series(rng.random(size) < share) for share in (0.4, 0.35, writer.codes)
    )
    gap = pl.when("chinese").then(pl.lit("")).otherwise(pl.lit(" "))
    nothing = pl.lit("")
    plain = (
        pl.when("named").then(pl.col("brand") + " ").otherwise(nothing)
        + pl.when(with_adjective).then(pl.col("adjective") + gap).otherwise(nothing)
        + pl.col("noun")
        + pl.when(with_qualifier).then(gap + pl.col("qualifier")).otherwise(nothing)
    )
    text = _by_template(plain) + pl.when(with_code).then(pl.lit(" ") + pl.col("code")).otherwise(nothing)
    chosen = pl.when("is_vague").then("vague").otherwise(text)
    styled = pl.when(pl.col("style") == 2).then(chosen.str.to_uppercase()).when(pl.col("style") == 1)
    return frame.select(styled.then(chosen.str.to_lowercase()).otherwise(chosen).alias("description")).to_series()


def _turn(ids: Ints, salt: int) -> Ints:
    return (mix(ids, salt) >> np.uint64(34)).astype(np.int64)


def _by_template(plain: pl.Expr) -> pl.Expr:
    """Put a description into the form of the writer's template: the same words in the same order under any name."""
    text = plain
    for form, order in enumerate(FORMS):
        written = pl.format(order, "adjective", "noun", "qualifier")
        text = pl.when(pl.col("form") == form).then(written).otherwise(text)
    return text


def article_code(family: Ints, kind: Ints, ids: Ints, series: Flags) -> pl.Series:
    """Return the factory's or actor's code for an article, the same under any seller name.

    Who numbers articles of its own (`series`) has numbers of its own below the family's letters and first two digits.
    """
    letters = pl.Series(list(_LETTERS))
    first, second = letters.gather(pick(family, 302, 24)), letters.gather(pick(family, 303, 24))
    article = ((mix(family * 1000 + kind, 304) >> np.uint64(30)) % np.uint64(9000) + np.uint64(1000)).astype(np.int64)
    of_series = 100 * (10 + pick(family, 305, 90)) + pick(ids * 1000 + kind, 309, 100)
    return (first + second + pl.Series(np.where(series, of_series, article)).cast(pl.String)).rename("code")


def with_slips(texts: pl.Series, share: float, rng: np.random.Generator) -> pl.Series:
    """Add typing slips to some texts."""
    rows = np.flatnonzero(rng.random(len(texts)) < share)
    slipped = [slip(text, rng) if text else text for text in texts.gather(rows).to_list()]
    return texts.clone().scatter(rows, pl.Series(slipped, dtype=pl.String)) if len(rows) else texts


def _word(sort: str, turn: Ints, language: Ints) -> pl.Series:
    words: Pool = pool(people.vocabulary()["wording"][sort])
    return words.words.gather(words.first[language] + turn % words.count[language])
