"""Subjects of a list as records (cards): statements on them become the same evidence as declarations of senders."""

from __future__ import annotations

from itertools import combinations

import polars as pl

from features.hashes import hashes_of
from features.intelligence.bank_accounts import iban
from features.intelligence.ftm_writer import Tie
from features.intelligence.statements import PREFIXES, PROPERTIES
from features.intelligence.wallets import wallet
from features.parties.evidence import reported_values, sentence
from features.parties.graph import Graph

HELD_ACCOUNTS = ("iban", "wallet")
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
    frame = pl.concat([placed, alone]).select("subject_id", "label", "consignor_country", *_columns())
    columns = [name for name in frame.columns if name not in ("subject_id", "label")]
    values = [reported_values(stated) for stated in frame.select(columns).iter_rows(named=True)]
    stated = frame.select("subject_id", "label", pl.Series("values", values, pl.List(pl.Int64)))
    each = stated.group_by("subject_id", maintain_order=True).agg(
        pl.col("label").first(), pl.col("values").explode().drop_nulls().unique().sort()
    )
    entity = hashes_of(f"listed\x1f{list_id}\x1f{subject}" for subject in each["subject_id"])
    return each.with_columns(entity=entity).select(SUBJECTS.names()).match_to_schema(SUBJECTS)


def _columns() -> list[pl.Expr]:
    """Return the columns of evidence but for the country, each filled by the properties that are compared by it."""
    properties: dict[str, list[str]] = {}
    for name, column in PROPERTIES.items():
        if column is not None and name != "country":
            properties.setdefault(column, []).append(name)
    return [pl.coalesce(_written(name) for name in names).alias(column) for column, names in properties.items()]


def _written(name: str) -> pl.Expr:
    """Return the text of a property as it is compared, where a statement is of that property."""
    return pl.when(pl.col("property") == name).then(pl.lit(PREFIXES.get(name, "")) + pl.col("text"))


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


def payments_between(statements: pl.DataFrame) -> list[Tie]:
    """Find who paid whom, and who paid the same: subjects of one matter, neither of whom answers for the other."""
    holder: dict[str, set[str]] = {}
    payers: dict[str, set[str]] = {}
    for subject, prop, text in statements.select("subject_id", "property", "text").iter_rows():
        if prop in HELD_ACCOUNTS:
            holder.setdefault(text, set()).add(subject)
        elif prop == "counterparty" and (account := iban(text) or wallet(text)):
            payers.setdefault(account, set()).add(subject)
    paid = {
        (payer, of): "a payment into an account of the other"
        for account, of_account in payers.items()
        for payer in of_account
        for of in holder.get(account, ())
        if of != payer
    }
    alike = {pair: "payments into the same account" for of in payers.values() for pair in combinations(sorted(of), 2)}
    return [Tie(*pair, evidence, conclusive=False) for pair, evidence in sorted({**alike, **paid}.items())]
