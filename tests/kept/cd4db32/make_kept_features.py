"""Make the kept frame of features: what the code of commit cd4db32 computes of every consignment in the kept archive.

    PYTHONPATH=CHECKOUT python tests/kept/cd4db32/make_kept_features.py

Runs only on a checkout of that commit, whose modules it uses; `test_kept_features.py` does the same with today's.
"""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path

import polars as pl
from features.facts import facts_of, facts_of_outcomes, facts_registered
from pipelines.archive import Archive
from pipelines.training_frame import fit_goods, labelled_of, linked, refit_dates, with_entities_of

from features.assemble import assemble
from features.catalogue import INPUTS, fingerprint
from features.history import FactTable

HERE = Path(__file__).parent


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
    (HERE / "features.fingerprint").write_text(fingerprint(INPUTS) + "\n", encoding="utf-8")
    print(frame.shape)


if __name__ == "__main__":
    main()
