"""Make the kept frame of features: what the code of a version computes of every consignment in its kept archive.

    PYTHONPATH=CHECKOUT:tests/kept/COMMIT python tests/kept/story/make_kept_features.py

Runs only on a checkout of that commit, whose modules `its_code` names; `test_kept_features.py` does the same with
today's.
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

import its_code
import polars as pl
from its_code import (
    INPUTS,
    Archive,
    FactTable,
    assemble,
    code_kept,
    facts_of,
    facts_of_outcomes,
    facts_registered,
    fit_goods,
    labelled_of,
    linked,
    refit_dates,
    with_entities_of,
)

HERE = Path(its_code.__file__).parent


def main() -> None:
    """Link, fit and assemble the whole archive, and write the frame beside the archive, with its fingerprint."""
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(HERE / "sqlite.tar.xz") as packed:
            packed.extractall(name, filter="data")
        archive = Archive(Path(name) / "archive", linking=True)
        consignments = linked(archive.consignments(None, None), archive.meanwhile())
        outcomes = with_entities_of(archive.outcomes(None), consignments)
        facts = [facts_of(consignments), facts_of_outcomes(outcomes), facts_registered(archive.registered())]
        first, last = consignments.frame["lodged_at"].min(), consignments.frame["lodged_at"].max()
        labelled = labelled_of(consignments, outcomes, first)
        fits = fit_goods(consignments, labelled, refit_dates(first, last))
        rows = assemble(consignments, FactTable(pl.concat(facts), holds_all=True), fits, INPUTS)
    named = consignments.frame.select("message_id", "consignment_id", "version", "row")
    frame = named.join(rows.frame, on="row", maintain_order="left").drop("row")
    frame.write_parquet(HERE / "features.parquet", compression="zstd", compression_level=19)
    (HERE / "features.fingerprint").write_text(code_kept() + "\n", encoding="utf-8")
    print(frame.shape)


if __name__ == "__main__":
    main()
