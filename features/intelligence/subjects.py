"""Subjects of a list as records (cards): statements on them become the same evidence as declarations of senders."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from features.hashes import hashes_of
from features.intelligence.ftm_writer import Tie
from features.intelligence.statements import PROPERTIES
from features.parties.evidence import reported_values, sentence
from features.parties.graph import Graph

SUBJECTS = pl.Schema(
    {"subject_id": pl.String(), "entity": pl.Int64(), "label": pl.String(), "values": pl.List(pl.Int64())}
)


def subjects_of(list_id: str, statements: pl.DataFrame) -> pl.DataFrame:
    """Return one row per subject (SUBJECTS): its card, and its evidence as sorted hashes; empty where not comparable.

    statements: STATEMENTS. What is compared within a country, such as a name, is compared within each that is stated of
    the same subject; it needs one.
    """
    by_subject = statements.select("subject_id", "label", "property", "text")
    countries = by_subject.filter(pl.col("property") == "country").select(
        "subject_id", pl.col("text").str.to_uppercase().alias("consignor_country")
    )
    others = pl.col("property") != "country"
    countries = countries.unique(maintain_order=True)
    placed = by_subject.filter(others).join(countries, on="subject_id", how="left", maintain_order="left")
    alone = by_subject.filter(~others).with_columns(pl.lit(None, pl.String).alias("consignor_country"))
    frame = pl.concat([placed, alone]).select(
        "subject_id",
        "label",
        "consignor_country",
        *(
            pl.when(pl.col("property") == name).then("text").alias(column)
            for name, column in PROPERTIES.items()
            if column is not None and name != "country"
        ),
    )
    columns = [name for name in frame.columns if name not in ("subject_id", "label")]
    values = [reported_values(stated) for stated in frame.select(columns).iter_rows(named=True)]
    stated = frame.select("subject_id", "label", pl.Series("values", values, pl.List(pl.Int64)))
    each = stated.group_by("subject_id", maintain_order=True).agg(
        pl.col("label").first(), pl.col("values").explode().drop_nulls().unique().sort()
    )
    entity = hashes_of(f"listed\x1f{list_id}\x1f{subject}" for subject in each["subject_id"])
    return each.with_columns(entity=entity).select(SUBJECTS.names()).match_to_schema(SUBJECTS)


def ties_of(subjects: pl.DataFrame) -> list[Tie]:
    """Find what subjects of a list (SUBJECTS) share: enough for the same party, conclusive; else only similar."""
    graph, codes = Graph(), dict(subjects.select("entity", "subject_id").rows())
    for entity, values in subjects.select("entity", "values").rows():
        graph.add(entity, values, 0, listed=True)
    links = {link.pair: link for of in graph.links.values() for link in of.values()}
    shared: dict[tuple[int, int], list[int]] = {pair: list(link.shared) for pair, link in links.items()}
    for value, by in graph.stated_by.items():
        if not graph.is_hub(value):
            for first, second in combinations(sorted(by), 2):
                if (first, second) not in links:
                    shared.setdefault((first, second), []).append(value)
    return [
        Tie(codes[first], codes[second], sentence(values, values), (first, second) in links)
        for (first, second), values in sorted(shared.items())
    ]
