"""Quiet decisions as a file holds them: columns of decisions, declarations and rows as scored, and the leaf of each.

Nothing here is done row by row but hashing: the texts that are hashed are those of `record_rows`, written for a whole
part at once, and so are the columns.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import polars as pl
import pyarrow as pa

from features.algebra.frames import series_of
from features.consignment import EXTRA, VERSION_KEY, Consignments
from features.history.fact_columns import Versions
from features.history.facts import DECLARATION_FACTS, ENTITIES
from features.model_rows import Rows
from service.canonical import canonical_rows
from service.orientation.decisions import LISTS, TIMES, WRITTEN
from service.orientation.taken import HOUR, Taken
from service.record.record_rows import CARD, GOODS, LEVEL, REPEATED
from service.record.settled_texts import ISO, hashed, leaf_texts, sorted_json
from service.store.pseudonyms import Pseudonyms
from service.store.settled_layout import Content, Field, Kind, as_metadata
from service.store.settled_rows import DECLARED, LEAF

BODY, ROW, DECLARATION, STATED = "body", "row_as_scored", f"{DECLARED}body", f"{DECLARED}stated"
DAY = 24 * HOUR
SALT = 16  # bytes, as `new_salt` draws them
LODGED, OFFICE, CARD_OF_SENDER = (f"{DECLARED}{name}" for name in ("lodged_at", "office", "card"))
ELSEWHERE = {  # fields of decisions that other columns of the record repeat, by the column
    **{name: name for name in REPEATED}, "check": "checked", "decided_at": "decided_at", "lodged_at": LODGED,
}  # fmt: skip
BESIDE_DECLARATION = {**{name: name for name in VERSION_KEY}, "lodged_at": LODGED, "office": OFFICE}


def settled_table(
    decided: pl.DataFrame,
    taken: Taken,
    scored: Rows,
    consignments: Consignments,
    stated: Versions,
    pseudonyms: Pseudonyms,
    call_id: str,
    places: Sequence[int],
) -> pa.Table:
    """Return decisions with their declarations as files have them.

    decided: what each states (WRITTEN). taken, scored, consignments, stated: of the same, in the same order. places: of
    these in their call.
    """
    row, facts = _scored(scored), _stated(stated, pseudonyms)
    declared, lines, shas = _declared(consignments, stated)
    whole = _rows_decided(decided, taken, places).with_columns(
        pl.Series(LODGED, stated.lodged_at, pl.Int64),
        declared["office"].alias(OFFICE),
        facts[CARD].alias(CARD_OF_SENDER),
        pl.lit(None, pl.String).alias(f"{DECLARED}sender"),
    )
    leaves = _leaves(decided, row, whole, pl.Series(shas), call_id)
    contents = {
        BODY: (
            decided.select(pl.col(name).dt.timestamp("us") if name in TIMES else name for name in WRITTEN),
            ELSEWHERE,
        ),
        ROW: (row, {}),
        DECLARATION: (declared.with_columns(lines), BESIDE_DECLARATION),
        STATED: (facts, {CARD: CARD_OF_SENDER}),
    }
    columns, layout = [whole, pl.Series(LEAF, leaves).to_frame()], {}
    for name, (frame, elsewhere) in contents.items():
        fields = [Field(of, elsewhere.get(of, f"{name}.{of}"), _kind(name, of)) for of in frame.columns]
        layout[name] = Content(tuple(fields), sparse=name == DECLARATION)
        columns.append(frame.select(pl.col(of).alias(f"{name}.{of}") for of in frame.columns if of not in elsewhere))
    table = pl.concat(columns, how="horizontal").to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.replace_schema_metadata(as_metadata(layout))


def _kind(content: str, field: str) -> Kind:
    if content == BODY:
        return "moment" if field in TIMES else "json" if field in LISTS else "plain"
    if content == DECLARATION:
        return "moment" if field == "lodged_at" else "lines" if field == "goods" else "plain"
    return "plain"


def _rows_decided(decided: pl.DataFrame, taken: Taken, places: Sequence[int]) -> pl.DataFrame:
    """Return the columns of the table of decisions."""
    noise = secrets.token_bytes(SALT * len(places)).hex()
    lodged_at = decided["lodged_at"].dt.timestamp("us")
    return decided.select(REPEATED).with_columns(
        pl.Series("place", places, pl.Int32),
        pl.Series("salt", [noise[at : at + 2 * SALT] for at in range(0, len(noise), 2 * SALT)]),
        decided["decided_at"].dt.timestamp("us"),
        decided["office"].fill_null("unknown"),
        (lodged_at // DAY).cast(pl.Int32).alias("day"),
        pl.Series("hour", taken.at // HOUR, pl.Int32),
        pl.Series("band", taken.band, pl.Int32),
        decided["check"].alias("checked"),
        pl.Series("network", taken.network, pl.String),
    )


def _scored(scored: Rows) -> pl.DataFrame:
    return pl.DataFrame([series_of(column, name) for name, column in scored.columns.items()])


def _stated(stated: Versions, pseudonyms: Pseudonyms) -> pl.DataFrame:
    """Return what facts are made of, entities keyed, as `stated_rows` does."""
    keyed = pseudonyms.keyed(stated.entities.ravel()).reshape(stated.entities.shape)
    entities = pl.DataFrame(dict(zip(ENTITIES, keyed, strict=True))).select(
        pl.when(pl.Series(known)).then(pl.col(name)).alias(name)
        for name, known in zip(ENTITIES, stated.known, strict=True)
    )
    return entities.with_columns(
        pl.Series(name, amounts) for name, amounts in zip(DECLARATION_FACTS, stated.amounts, strict=True)
    )


def _declared(consignments: Consignments, stated: Versions) -> tuple[pl.DataFrame, pl.Series, list[str | None]]:
    """Return declarations in columns, their goods lines as lists of structures, and the hash of each content."""
    table = consignments.declared
    extra = (name for name in table.kinds if name.startswith(EXTRA))
    declared = table.select((*LEVEL, *extra)).frame.with_columns(lodged_at=pl.Series(stated.lodged_at, dtype=pl.Int64))
    lines = consignments.lines.select(("row", *GOODS)).frame.with_columns(pl.col("row").cast(pl.Int64))
    text = canonical_rows(lines.select(GOODS), sparse=True).alias("text")
    of_row = (
        lines.select("row", goods=pl.struct(GOODS))
        .with_columns(text)
        .group_by("row", maintain_order=True)
        .agg("goods", pl.col("text").str.join(","))
    )
    every = pl.DataFrame({"row": pl.int_range(declared.height, dtype=pl.Int64, eager=True)})
    beside = every.join(of_row, on="row", how="left", maintain_order="left")
    in_words = declared.with_columns(
        pl.from_epoch("lodged_at", "us").dt.strftime(ISO),
        goods=pl.concat_str(pl.lit("["), beside["text"].fill_null(""), pl.lit("]")),
    )
    return declared, beside["goods"], hashed(canonical_rows(in_words, ready={"goods"}, sparse=True))


def _leaves(
    decided: pl.DataFrame, row: pl.DataFrame, whole: pl.DataFrame, declarations: pl.Series, call_id: str
) -> list[str | None]:
    """Return what `leaf_of` makes of each. declarations: the hashes of their contents."""
    listed = [pl.Series(name, sorted_json(decided[name].to_list())) for name in LISTS]
    in_words = decided.with_columns(*listed, *(pl.col(name).dt.strftime(ISO) for name in TIMES))
    body, scored = canonical_rows(in_words, ready=LISTS), canonical_rows(row)
    return hashed(leaf_texts(call_id, whole["salt"], body, declarations, whole["place"], scored))
