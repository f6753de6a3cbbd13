"""What follows a finding, for whatever will be looked at: the track, from rules, the severity model and the law."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from features.comparable import comparable
from features.consignment import Consignments
from service.orientation.lanes import Lane, Track
from service.orientation.track import Tracks, eligibility, may_be_simplified, suspicions
from service.scoring import Scores

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


def follow(lanes: pl.DataFrame, consignments: Consignments, scores: Scores, tracks: Tracks) -> pl.DataFrame:
    """Lanes with `track`, `grave` (the chance of danger or a criminal link, given a finding) and `unsure`.

    unsure: conditions of the simplified procedure that nobody can know before the parcel is open. Only what goes to the
    red or yellow lane has a track; a rule may ask for a stricter one than the model.
    """
    looked_at = np.flatnonzero((lanes["lane"] >= int(Lane.yellow)).to_numpy())
    grave = np.full(lanes.height, np.nan)
    track = np.zeros(lanes.height, dtype=np.int64)
    unsure: list[list[str]] = [[] for _ in range(lanes.height)]
    grave[looked_at] = scores.severity(looked_at)
    ruled = lanes["rule_track"].to_numpy()
    for place, case in zip(looked_at.tolist(), suspicions(_declared(consignments, looked_at.tolist())), strict=True):
        answers = eligibility(tracks, case)
        if grave[place] >= tracks.investigation:
            own = Track.investigation
        elif may_be_simplified(answers) and not np.isnan(grave[place]):
            own = Track.simplified_destruction
            unsure[place] = [name for name, answer in answers.items() if answer is None]
        else:
            own = Track.none
        track[place] = max(int(own), int(ruled[place]))
    names = {int(one): one.name for one in Track}
    return lanes.with_columns(
        pl.Series("track", track).replace_strict(names, return_dtype=pl.String),
        pl.Series("grave", grave).fill_nan(None),
        pl.Series("unsure", unsure, pl.List(pl.String)),
    )


def told_of(oriented: dict[str, Any]) -> dict[str, Any] | None:
    """The evidence of a track: the chance it rests on, to two places, or what is still to be seen."""
    if oriented["track"] == Track.investigation.name:
        return {"chance": round(oriented["grave"], 2)}
    return {"to_be_seen": oriented["unsure"]} if oriented["unsure"] else None


def _declared(consignments: Consignments, rows: list[int]) -> list[dict[str, Any]]:
    """What the conditions ask of some consignments, in the order of their rows."""
    if not rows:
        return []
    frame = consignments.frame.filter(pl.col("row").is_in(rows))
    lines = consignments.goods.filter(pl.col("row").is_in(rows))
    told = lines.group_by("row").agg(
        pl.col("hs_code").drop_nulls().alias("codes"),
        comparable("description").str.join(" ").alias("wording"),
    )
    beside = frame.select("row", "stream", "pieces", "gross_mass_kg", "lodged_at").join(told, on="row", how="left")
    filled = beside.with_columns(
        pl.col("codes").fill_null(pl.lit([], pl.List(pl.String))), pl.col("wording").fill_null("")
    )
    return filled.sort("row").to_dicts()
