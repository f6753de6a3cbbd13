"""Subjects of a list as cards: what is stated of them becomes the same evidence as what senders state of themselves."""

from __future__ import annotations

from itertools import combinations

import polars as pl
import polars_hash as plh

from features.intelligence.reading import PROPERTIES
from features.intelligence.writing import Tie
from features.parties.evidence import OF_SHOPS, SENDER, sentence, told_values
from features.parties.graph import Graph

SUBJECTS = pl.Schema(
    {"subject_id": pl.String(), "entity": pl.Int64(), "label": pl.String(), "values": pl.List(pl.Int64())}
)


def subjects_of(list_id: str, statements: pl.DataFrame) -> pl.DataFrame:
    """One row a subject (SUBJECTS): its card, and its evidence as sorted hashes; none where nothing can be compared.

    statements: STATEMENTS. A name is compared within its country: it needs one, stated of the same subject.
    """
    by_subject = statements.select("subject_id", "label", "property", "text").with_row_index("row")
    of_country = (
        by_subject.filter(pl.col("property") == "country")
        .group_by("subject_id")
        .agg(pl.col("text").first().str.to_uppercase().alias("country"))
    )
    frame = by_subject.join(of_country, on="subject_id", how="left", maintain_order="left").select(
        "row",
        "subject_id",
        "label",
        *(
            pl.when(pl.col("property") == name).then("text").alias(column)
            for name, column in PROPERTIES.items()
            if column is not None and name != "country"
        ),
        pl.col("country").alias("consignor_country"),
    )
    values = told_values(frame.select("row", *SENDER, *OF_SHOPS))
    told = frame.select("row", "subject_id", "label").join(values, on="row", how="left")
    each = told.group_by("subject_id", maintain_order=True).agg(
        pl.col("label").first(), pl.col("value").drop_nulls().unique().sort().alias("values")
    )
    key = pl.concat_str(pl.lit(f"listed\x1f{list_id}\x1f"), "subject_id").alias("key")
    entity = each.select(key).select(plh.col("key").nchash.xxhash64().reinterpret(signed=True).alias("entity"))
    return each.hstack(entity).select(SUBJECTS.names()).match_to_schema(SUBJECTS)


def ties_of(subjects: pl.DataFrame) -> list[Tie]:
    """What subjects of one list (SUBJECTS) have in common: enough to be one party's, conclusive; else only alike."""
    graph, codes = Graph(), dict(subjects.select("entity", "subject_id").rows())
    for entity, values in subjects.select("entity", "values").rows():
        graph.add(entity, values, 0, listed=True)
    links = {link.pair: link for of in graph.links.values() for link in of.values()}
    shared: dict[tuple[int, int], list[int]] = {pair: list(link.shared) for pair, link in links.items()}
    for value, by in graph.stated_by.items():
        if not graph.is_hub(value):
            for one, other in combinations(sorted(by), 2):
                if (one, other) not in links:
                    shared.setdefault((one, other), []).append(value)
    own = {value for value, own in graph.own.items() if own}
    return [
        Tie(codes[one], codes[other], sentence(values, own | set(values)), (one, other) in links)
        for (one, other), values in sorted(shared.items())
    ]
