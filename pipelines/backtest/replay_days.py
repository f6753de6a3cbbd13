"""Replay of days through the real `target()` and policy; each arm sees only the results of its own selections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from features.fault import Fault
from features.messages import Message
from pipelines.backtest.arms import Arm, Ranker
from pipelines.backtest.days import ACCOUNT, Day, midnight, next_day
from pipelines.backtest.replay_desk import Past
from pipelines.training.training_frame import NothingToLearn
from service.orientation import Decisions, Policy
from service.scoring import Model
from service.targeting import Desk, target

CHOSEN = {"consignment_id": pl.String, "selection": pl.String, "selection_probability": pl.Float64}
LEDGER = pl.Schema(
    [("arm", pl.String()), ("seed", pl.Int64()), ("day", pl.Date()), ("nth", pl.Int64()), *ACCOUNT.items()]
)


Watch = Callable[[int, Decisions, pl.DataFrame], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings of a replay.

    start_up: days before the arms begin to decide, the same for every arm, so that there are results to learn from.
    retrain: days from one training to the next.
    cold: start up with the arms' own checks, half of them blind and half by the sender's record; else a world's
        historical regime does, with its rules of thumb and its larger share of inspections.
    """

    start_up: int = 28
    retrain: int = 7
    cold: bool = False


@dataclass(frozen=True, slots=True)
class Seat:
    """The decider at a moment: a model under a policy."""

    model: Model
    policy: Policy


def replay(
    days: Iterable[Day],
    arm: Arm,
    policy: Policy,
    first: Seat,
    plan: Plan,
    past: Past,
    seed: int = 0,
    watch: Watch = lambda *_: None,
) -> pl.DataFrame:
    """Replay days for one arm; returns its ledger of what each day held and what of it was found.

    watch: called with the decisions of each day, and the results of their selections.
    """
    seat, ledger = first, []
    for number, day in enumerate(days):
        past.until(midnight(day.day))
        if number >= plan.start_up and (number - plan.start_up) % plan.retrain == 0:
            seat = taught(arm.ranker, seat, policy, past, day.day)
        decisions = target(message_of(day), desk_of(past, seat))
        chosen = selected(decisions)
        account = day.account(chosen["consignment_id"].to_list())
        if decisions.declared is not None:
            results = day.inspect(chosen)
            watch(number, decisions, results)
            past.reveal(results, decisions.declared)
            past.show(decisions.declared)
        ledger.append(
            account.with_columns(arm=pl.lit(arm.name), seed=pl.lit(seed), day=pl.lit(day.day), nth=pl.lit(number))
        )
    if not ledger:
        raise Fault("there are no days to replay")
    return pl.concat(ledger).select(pl.col(name).cast(kind) for name, kind in LEDGER.items())


def taught(ranker: Ranker, seat: Seat, policy: Policy, past: Past, today: date) -> Seat:
    """Train a model on everything known before today, under the arm's policy; keep the old one if data is too few."""
    try:
        return Seat(ranker(past.archive, midnight(today)), policy)
    except NothingToLearn:
        return seat


def message_of(day: Day) -> Message:
    """Return a day's manifest as one message, decided when the day is over."""
    rows = day.manifest.with_row_index("line", offset=2).with_columns(pl.col("line").cast(pl.Int64))
    return Message(rows, f"{day.day}", next_day(day.day), competing="message", complete=False)


def desk_of(past: Past, seat: Seat) -> Desk:
    """Return the desk of a moment of the replay."""
    return Desk(past.parties, past.history, seat.model, seat.policy, past.journal)


def selected(decisions: Decisions) -> pl.DataFrame:
    """Return selected consignments, each once: `consignment_id`, `selection`, `selection_probability`."""
    rows = [{name: row[name] for name in CHOSEN} for row in decisions.rows if row["selection"] != "none"]
    return pl.DataFrame(rows, schema=CHOSEN, orient="row").unique("consignment_id", keep="first", maintain_order=True)
