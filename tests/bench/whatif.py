"""Whether the intervals of a what-if hold: against the same days, replayed with the other number of checks.

    python -m tests.bench.whatif [SEEDS] [DAYS] [PER_DAY]

In each world Tamis replays the same days twice, in closed loop: with the checks there are, and with another number.
The first replay's record alone foretells what the second one finds more or less, by kind of finding.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from features.outcome import FINDINGS
from pipelines.backtest.arms import Arm, sender_rule, tamis
from pipelines.backtest.days import Day, midnight, world_days
from pipelines.backtest.policy_comparison import FIRST_DAY, bare_policy, start_up_policy, with_checks
from pipelines.backtest.replay_days import Plan, Seat, replay
from pipelines.backtest.replay_desk import Past
from pipelines.batch.archive import Archive
from pipelines.synthetic.world_settings import load_world
from service.officers.what_if import ALL, RECORD, what_if, with_results
from service.orientation import Decisions

KINDS = (ALL, *FINDINGS)
CHECKS, OTHERS = 30, (20, 40)  # a day, at one office that has all of the traffic
START_UP = 28


@dataclass
class Written:
    """What a replay decided and found, after the start-up."""

    decided: list[pl.DataFrame]
    results: list[pl.DataFrame]

    def __call__(self, number: int, decisions: Decisions, results: pl.DataFrame) -> None:
        """Keep a day."""
        if number < START_UP:
            return
        rows = [
            (row["consignment_id"], row["lodged_at"].date(), row["risk"], row["check"] == "physical", row["selection"])
            for row in decisions.rows
        ]
        names = RECORD.names()[:5]
        self.decided.append(pl.DataFrame(rows, schema={name: RECORD[name] for name in names}, orient="row"))
        self.results.append(results.select("consignment_id", "result", "findings"))

    def record(self) -> pl.DataFrame:
        """All of it."""
        return with_results(pl.concat(self.decided), pl.concat(self.results))


def replayed(seed: int, days: int, per_day: int, checks: int) -> pl.DataFrame:
    """The record of Tamis with so many checks a day."""
    world, offices = load_world(), {"all": checks}
    written, plan = Written([], []), Plan(start_up=START_UP, retrain=7)
    policy = with_checks(bare_policy("tamis", ""), dict.fromkeys(offices, checks))
    start = Seat(sender_rule(Archive(Path()), midnight(FIRST_DAY)), start_up_policy(offices, checks / per_day))
    shown = world_days(world, days, per_day, seed, FIRST_DAY, START_UP)
    replay((_at_one_office(day) for day in shown), Arm("tamis", tamis), policy, start, plan, Past(), seed, written)
    return written.record()


def _at_one_office(day: Day) -> Day:
    day.manifest = day.manifest.with_columns(pl.lit("all").alias("office"))
    return day


def found(record: pl.DataFrame) -> Mapping[str, float]:
    """Findings by kind, as the officers noted them."""
    return what_if(record, CHECKS).found


def main(seeds: int, days: int, per_day: int) -> None:
    """Print the table."""
    held = {kind: [0, 0] for kind in KINDS}
    table = Table(
        "world", "checks", "foretold", "came", title=f"{days} days, {per_day:,} a day, {CHECKS} checks", box=None
    )
    of = partial(replayed, days=days, per_day=per_day)
    for seed in range(1, seeds + 1):
        before = of(seed, checks=CHECKS)
        for other in OTHERS:
            told, now, then = what_if(before, other), found(of(seed, checks=other)), found(before)
            for kind in KINDS:
                if then[kind] < 10:
                    continue
                came, change = now[kind] - then[kind], told.change[kind]
                held[kind][0] += change.least <= came <= change.most
                held[kind][1] += 1
                if kind == "all":
                    table.add_row(
                        f"{seed}",
                        f"{other}",
                        f"{change.mean:+.0f} ({change.least:+.0f} to {change.most:+.0f})",
                        f"{came:+d}",
                    )
    console = Console(width=120)
    console.print(table)
    for kind, (inside, tried) in held.items():
        console.print(f"{kind}: {inside} of {tried} intervals hold" if tried else f"{kind}: too few findings")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [10, 70, 1000][len(given) :]))
