"""Campaigns: one or two checks tell of a whole network, so its other consignments wait for what they find.

A network lodges many consignments that look alike to the model, and a plain ranking spends the day on them. In a
campaign only the first few of a network compete with their full rank; each further one counts for less, as long as the
results of the first are awaited. What was held back so is decided again when one of them is found out: then the finding
is carried to the rest. Once a result is known it is part of the history, and the ranking knows by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from service.orientation.lanes import Check, Lane

OPEN = pl.Schema({"network": pl.String(), "open": pl.Int64()})
FINDING = "network-finding"
FOUND = {
    "en": "Another consignment of its network was found out since it was lodged",
    "fr": "Un autre envoi de son réseau s'est révélé en infraction depuis son dépôt",
    "zh": "申报后，其所属团伙的另一件货物已被查获",
}
HELD = {
    "en": "Others of its network are being checked; it waits for what they reveal",
    "fr": "D'autres envois de son réseau sont en cours de contrôle ; il attend leur résultat",
    "zh": "同一团伙的其他货物正在查验，等待其结果",
}
LEADS = {
    "en": "Checked for its network; what is found is carried to the others",
    "fr": "Contrôlé pour son réseau ; ce qui est trouvé vaut pour les autres",
    "zh": "代表所属团伙接受查验，结果将用于其余货物",
}


@dataclass(frozen=True, slots=True)
class Campaigns:
    """How far the checks of a network stand for the rest of it.

    checks: of one network that compete with their full rank while their results are awaited; 0 leaves all to the rank.
    worth: what each further check of a network is worth beside the one before, 0 to 1.
    carried: the lane that a finding asks for, of what was held back.
    """

    checks: int = 0
    worth: float = 0.25
    carried: Lane = Lane.red

    def places(self, frame: pl.DataFrame, opened: pl.DataFrame) -> pl.DataFrame:
        """`behind`: how many checks of its network beyond the first ones a consignment stands behind; null of nobody.

        frame: `network`, `margin`, `tie`. opened: OPEN, checks of the networks whose results are awaited.
        """
        if not self.checks:
            return frame.with_columns(pl.lit(None, pl.Int64).alias("behind"))
        nth = pl.struct(-pl.col("margin"), "tie").rank("ordinal").over("network").cast(pl.Int64)
        beside = frame.join(opened, on="network", how="left", maintain_order="left")
        behind = (nth + pl.col("open").fill_null(0) - self.checks).clip(0)
        known = pl.col("network").is_not_null() & pl.col("margin").is_not_null()
        return beside.with_columns(pl.when(known).then(behind).alias("behind")).drop("open")

    def lowered(self) -> pl.Expr:
        """The margin that a consignment competes with: its odds count for less with each check it stands behind."""
        return pl.col("margin") + pl.col("behind").fill_null(0) * pl.lit(max(self.worth, 1e-9)).log()

    def further(self) -> pl.Expr:
        """How many times as far behind it stands among a day's arrivals, where the best are few in the same measure."""
        return pl.lit(1.0 / max(self.worth, 1e-9)).pow(pl.col("behind").fill_null(0))


def held() -> pl.Expr:
    """Whether a consignment waits for the checks of its network: it stands behind them and is not opened itself."""
    return (pl.col("behind").fill_null(0) > 0) & (pl.col("check") < int(Check.scan))


def leads() -> pl.Expr:
    """Whether a check was given by rank to the first of a network that others wait behind."""
    waited_for = (held().any()).over("network")
    return (pl.col("behind") == 0) & (pl.col("check") >= int(Check.scan)) & waited_for.fill_null(False)
