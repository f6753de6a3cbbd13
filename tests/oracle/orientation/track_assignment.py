"""The track after a finding, for every consignment to be checked: from rules, the severity model and the law."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from features.consignment import Consignments
from features.hs_codes import hs_plain
from service.scoring import Scores
from tests.oracle.entities.comparable import comparable
from tests.oracle.orientation.lanes import Lane, Track
from tests.oracle.orientation.track_conditions import Tracks, eligibility, may_be_simplified, suspicions

TRACKED = {
    "investigation": {
        "en": "If something is found, it is likely to be dangerous or to have a criminal link",
        "fr": "En cas de constat, un danger ou un lien criminel est probable",
        "zh": "如有查获，很可能涉及危险品或犯罪关联",
    },
    "simplified_destruction": {
        "en": "If it is counterfeit, the procedure for small consignments is open",
        "fr": "En cas de contrefaçon, la procédure des petits envois est possible",
        "zh": "如为假冒商品，可适用小件货物简易程序",
    },
}


def follow(
    lanes: pl.DataFrame, consignments: Consignments, scores: Scores, tracks: Tracks, *, codes_as_written: bool = False
) -> pl.DataFrame:
    """Add to lanes `track`, `grave` (the probability of danger or a criminal link, given a finding) and `unsure`.

    unsure: conditions of the simplified procedure that are unknown until the parcel is open. Only consignments in the
    red or yellow lane have a track; a rule may ask for a stricter one than the model. codes_as_written: as the first
    edition of judging did (DecisionContext).
    """
    looked_at = np.flatnonzero((lanes["lane"] >= int(Lane.yellow)).to_numpy())
    grave = np.full(lanes.height, np.nan)
    track = np.zeros(lanes.height, dtype=np.int64)
    unsure: list[list[str]] = [[] for _ in range(lanes.height)]
    grave[looked_at] = scores.severity(looked_at)
    ruled = lanes["rule_track"].to_numpy()
    declared = _declared(consignments, looked_at.tolist(), codes_as_written=codes_as_written)
    for place, case in zip(looked_at.tolist(), suspicions(declared), strict=True):
        answers = eligibility(tracks, case)
        if grave[place] >= tracks.investigation:
            chosen = Track.investigation
        elif may_be_simplified(answers) and not np.isnan(grave[place]):
            chosen = Track.simplified_destruction
            unsure[place] = [name for name, answer in answers.items() if answer is None]
        else:
            chosen = Track.none
        track[place] = max(int(chosen), int(ruled[place]))
    names = {int(item): item.name for item in Track}
    return lanes.with_columns(
        pl.Series("track", track).replace_strict(names, return_dtype=pl.String),
        pl.Series("grave", grave).fill_nan(None),
        pl.Series("unsure", unsure, pl.List(pl.String)),
    )


def track_evidence(oriented: dict[str, Any]) -> dict[str, Any] | None:
    """Return the evidence of a track: the probability it rests on, to two places, or the open conditions."""
    if oriented["track"] == Track.investigation.name:
        return {"chance": round(oriented["grave"], 2)}
    return {"to_be_seen": oriented["unsure"]} if oriented["unsure"] else None


def _declared(consignments: Consignments, rows: list[int], *, codes_as_written: bool) -> list[dict[str, Any]]:
    """Return what the conditions need of these consignments, in the order of their rows."""
    if not rows:
        return []
    frame = consignments.frame.filter(pl.col("row").is_in(rows))
    lines = consignments.goods.filter(pl.col("row").is_in(rows))
    code = pl.col("hs_code") if codes_as_written else hs_plain(pl.col("hs_code"))
    goods = lines.group_by("row").agg(
        code.drop_nulls().alias("codes"),
        comparable("description").str.join(" ").alias("wording"),
    )
    joined = frame.select("row", "stream", "pieces", "gross_mass_kg", "lodged_at").join(goods, on="row", how="left")
    filled = joined.with_columns(
        pl.col("codes").fill_null(pl.lit([], pl.List(pl.String))), pl.col("wording").fill_null("")
    )
    return filled.sort("row").to_dicts()
