"""A file holds the very contents that rows would hold, whatever was declared."""

from __future__ import annotations

import polars as pl

from features.history.fact_columns import Versions
from features.messages import read
from service.record.record_rows import declarations_of, leaf_of, rows_scored
from service.record.settled_columns import settled_table
from service.scoring import Model
from service.store.database import Store
from service.store.settled_layout import as_metadata, layout_of
from service.store.settled_rows import LEAF
from tests.service.building import declared, message
from tests.service.quick import desk_of

LINES = [
    {"line_no": 1, "description": 'a "quoted" scarf, 围巾', "value": 12.5, "currency": "EUR"},
    {"line_no": 2, "description": "shoe", "hs_code": "640411", "value": 1e7, "currency": "CNY", "net_mass_kg": 0.1},
]


def test_contents_come_out_of_columns_as_rows_have_them(model: Model) -> None:
    store = Store("sqlite://")
    desk = desk_of(store, model)
    of_three = message(declared(1, goods=LINES), declared(2), declared(3, goods=LINES[:1], office=None))
    sent, problems = read(of_three)
    sent, lists = desk.screened(sent.with_columns(pl.Series("extra_remark", ["x", None, ""], pl.String)))
    rows, lost = desk.rows(sent)
    stated = Versions.of(sent)
    context = desk.context(of_three, sent, lost, lists_as_of=lists)
    decisions = desk.policy.orient(sent, desk.model.score(rows), problems, context)
    assert decisions.taken is not None
    table = settled_table(
        decisions.texts(0, 3), decisions.taken, rows, sent, stated, store.pseudonyms, "call", [4, 7, 9]
    )
    layout = layout_of(table.schema.metadata)
    assert as_metadata(layout) == dict(table.schema.metadata)
    in_rows = declarations_of(sent, stated, store.pseudonyms)
    assert layout["declaration.body"].read(table) == [row["body"] for row in in_rows]
    assert [list(of) for of in layout["declaration.body"].read(table)] == [list(row["body"]) for row in in_rows]
    assert layout["declaration.stated"].read(table) == [row["stated"] for row in in_rows]
    assert "declaration.content_sha256" not in table.column_names, "it follows from the declaration"
    assert layout["row_as_scored"].read(table) == rows_scored(rows, range(3))
    assert layout["body"].read(table) == decisions.as_json()
    leaves = [
        leaf_of(
            {"body": body, "row_as_scored": row, "call_id": "call", "place": place, "salt": salt}, of["content_sha256"]
        )
        for body, row, place, salt, of in zip(
            decisions.as_json(), rows_scored(rows, range(3)), [4, 7, 9], table.column("salt").to_pylist(), in_rows,
            strict=True,
        )
    ]  # fmt: skip
    assert table.column(LEAF).to_pylist() == leaves
