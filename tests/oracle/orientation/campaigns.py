"""Campaigns: one or two checks are evidence on a whole network, so its other consignments wait for their results.

A network lodges many consignments that look alike to the model, and a plain ranking would spend the day on them. In a
campaign only the first few of a network compete with their full rank; each further one counts for less while the
results of the first are pending. What was held back is decided again after a finding, which is then carried over to the
rest. Once a result is known it is part of the history, and the ranking takes it into account by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tests.oracle.orientation.lanes import Check, Lane

OPEN = pl.Schema({"network": pl.String(), "open": pl.Int64()})
FINDING = "network-finding"
FINDING_TEXT = {
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
    """Settings that say how far the checks of a network stand in for the rest of it.

    checks: of one network that compete with their full rank while results are pending; 0 disables campaigns.
    worth: the value of each further check of a network relative to the one before, 0 to 1.
    carried: the lane that a finding asks for, for consignments that were held back.
    """

    checks: int = 0
    worth: float = 0.25
    carried: Lane = Lane.red

    def places(self, frame: pl.DataFrame, opened: pl.DataFrame) -> pl.DataFrame:
        """Add `behind`: the number of checks of its network, beyond the first, that rank before a consignment.

        Null where it belongs to no network. frame: `network`, `margin`, `tie`. opened: OPEN, checks of the networks
        whose results are pending.
        """
        if not self.checks:
            return frame.with_columns(pl.lit(None, pl.Int64).alias("behind"))
        nth = pl.struct(-pl.col("margin"), "tie").rank("ordinal").over("network").cast(pl.Int64)
        with_open = frame.join(opened, on="network", how="left", maintain_order="left")
        behind = (nth + pl.col("open").fill_null(0) - self.checks).clip(0)
        known = pl.col("network").is_not_null() & pl.col("margin").is_not_null()
        return with_open.with_columns(pl.when(known).then(behind).alias("behind")).drop("open")

    def lowered(self) -> pl.Expr:
        """Return the margin that a consignment competes with: its odds shrink with each check that it is behind."""
        return pl.col("margin") + pl.col("behind").fill_null(0) * pl.lit(max(self.worth, 1e-9)).log()

    def further(self) -> pl.Expr:
        """Return the factor by which its place among a day's arrivals moves back, as top scores are as much rarer."""
        return pl.lit(1.0 / max(self.worth, 1e-9)).pow(pl.col("behind").fill_null(0))


def held() -> pl.Expr:
    """Select consignments that wait for the checks of their network: behind them, and not opened themselves."""
    return (pl.col("behind").fill_null(0) > 0) & (pl.col("check") < int(Check.scan))


def leads() -> pl.Expr:
    """Select consignments checked by rank as the first of a network that others wait for."""
    waited_for = (held().any()).over("network")
    return (pl.col("behind") == 0) & (pl.col("check") >= int(Check.scan)) & waited_for.fill_null(False)
