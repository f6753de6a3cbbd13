"""What a unit without any past finds: the product from its first day, beside chance and rules alone.

    python -m tests.bench.day_one [SEEDS] [DAYS] [PER_DAY]
    python -m tests.bench.day_one hand-over [SEEDS] [DAYS] [PER_DAY]

SEEDS: a number, of the first so many worlds, or from-to, as 51-53.

Each world is replayed in closed loop without its historical regime: nothing was ever inspected when it begins, one
consignment in a hundred is inspected from then on, and norms are fitted anew every week, without any result.

hand-over: the product under which a model takes over after so many weeks, for each number of weeks, and the week in
which `tamis promote` would first let it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import polars as pl
from rich.console import Console
from rich.table import Table

from features.catalogue import INPUTS
from pipelines.backtest.arms import Arm, Ranker, tamis
from pipelines.backtest.days import midnight, world_days
from pipelines.backtest.policy_comparison import (
    FIRST_DAY,
    INSPECTED_SHARE,
    TRAFFIC_DAYS,
    bare_policy,
    spread,
    with_checks,
)
from pipelines.backtest.replay_days import Plan, Seat, replay
from pipelines.backtest.replay_desk import Past
from pipelines.batch.archive import Archive
from pipelines.synthetic.world_settings import load_world
from pipelines.training.beside_rules import beside_rules
from pipelines.training.shown_beside_rules import shown_better
from pipelines.training.standard_policy import standard_policy
from pipelines.training.training_frame import NothingToLearn, build_training_frame, goods_so_far
from service.orientation import Policy, load_policy
from service.scoring import Model
from service.scoring.bundle import unscored

SEEDS, DAYS, PER_DAY = 6, 28, 1_500
TAKES_OVER = (1, 2, 3, 4, 5)  # weeks after which a model is let decide
ALONE = "share = 0.0 "  # of the checks that rules leave, in place of the standard policy's


def fitted(archive: Archive, _end: datetime) -> Model:
    """Return the rules with the norms and headings of what has come so far, as `tamis promote --rules` fits them."""
    return unscored(INPUTS, *(goods_so_far(archive) or ()))


def taking_over(weeks: int) -> Ranker:
    """Return rules for so many weeks and the model from then on, as soon as it can learn."""

    def ranker(archive: Archive, end: datetime) -> Model:
        if end < midnight(FIRST_DAY + timedelta(weeks=weeks)):
            return fitted(archive, end)
        try:
            return tamis(archive, end)
        except NothingToLearn:
            return fitted(archive, end)

    return ranker


def beats_rules(archive: Archive, end: datetime) -> bool:
    """Return whether `tamis promote` would let a model of this moment take over from the rules."""
    try:
        return shown_better(beside_rules(build_training_frame(archive, INPUTS, end=end), INPUTS))
    except NothingToLearn:
        return False


def watching(found: list[datetime]) -> Ranker:
    """Return rules that note each week in which a model would be let take over."""

    def ranker(archive: Archive, end: datetime) -> Model:
        if beats_rules(archive, end):
            found.append(end)
        return fitted(archive, end)

    return ranker


def policies() -> dict[str, Policy]:
    """Return the policies that are compared: chance, rules alone, and the product's standard one."""
    standard = standard_policy()
    if "share = 1.0 " not in standard:
        raise ValueError("the standard policy draws no checks by indicators")
    return {
        "random": bare_policy("random", "[random]\nrate = 1.0\n"),
        "rules": load_policy(standard.replace("share = 1.0 ", ALONE, 1)),
        "product": load_policy(standard),
    }


def replayed(seed: int, days: int, per_day: int, policy: Policy, ranker: Ranker) -> pl.DataFrame:
    """Return the ledger of one world under one policy, from its first day."""
    days_of = partial(world_days, load_world(), days, per_day, seed, FIRST_DAY)
    shown = [
        day.manifest.select("consignment_id", "office") for day, _ in zip(days_of(), range(TRAFFIC_DAYS), strict=False)
    ]
    traffic = pl.concat(shown).unique("consignment_id")["office"].fill_null("unknown").value_counts().sort("office")
    checks = spread(max(1, round(INSPECTED_SHARE * per_day)), dict(traffic.iter_rows()))
    capable = with_checks(policy, checks)
    first = Seat(unscored(INPUTS), capable)
    return replay(days_of(), Arm("product", ranker), capable, first, Plan(start_up=0, retrain=7), Past(), seed)


def share(ledger: pl.DataFrame) -> tuple[int, int, float]:
    """Return found, inspected, and the share."""
    found, inspected = int(ledger["found"].sum()), int(ledger["inspected"].sum())
    return found, inspected, found / inspected if inspected else float("nan")


def compared(seeds: Sequence[int], days: int, per_day: int, out: Console) -> None:
    """Print what each policy found of what it inspected."""
    table = Table("world", *policies(), title=f"found of inspected, {days} days, {per_day:,} a day", box=None)
    for seed in seeds:
        cells = []
        for policy in policies().values():
            found, inspected, part = share(replayed(seed, days, per_day, policy, fitted))
            cells.append(f"{part:.3f} ({found}/{inspected})")
        out.print(seed, *cells)
        table.add_row(f"{seed}", *cells)
    out.print(table)


def handed_over(seeds: Sequence[int], days: int, per_day: int, out: Console) -> None:
    """Print what is found with a model that takes over in each week, and the week in which it would be let."""
    table = Table("world", *(f"week {week}" for week in TAKES_OVER), "never", "let from", box=None)
    policy = policies()["product"]
    for seed in seeds:
        let: list[datetime] = []
        cells = [share(replayed(seed, days, per_day, policy, taking_over(week))) for week in TAKES_OVER]
        cells.append(share(replayed(seed, days, per_day, policy, watching(let))))
        weeks = ", ".join(f"{(at - midnight(FIRST_DAY)).days // 7}" for at in let)
        shown = [f"{part:.3f} ({found})" for found, _, part in cells]
        out.print(seed, *shown, "let in", weeks)
        table.add_row(f"{seed}", *shown, weeks)
    out.print(table)


def main(words: list[str]) -> None:
    """Print a table."""
    over = words[:1] == ["hand-over"]
    usual = [f"{SEEDS}", f"{42 if over else DAYS}", f"{PER_DAY}"]
    given = words[over:]
    seeds, days, per_day = (given + usual[len(given) :])[:3]
    first, to, last = seeds.partition("-")
    every = range(int(first), int(last) + 1) if to else range(1, int(seeds) + 1)
    (handed_over if over else compared)(every, int(days), int(per_day), Console(width=160))


if __name__ == "__main__":
    main(sys.argv[1:])
