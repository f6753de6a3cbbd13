"""Comparison of arms over seeds of a synthetic world, or over the days of an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from features.fault import Fault
from pipelines import show
from pipelines.backtest import backtest_report
from pipelines.backtest.arms import Arm, date_style, raw_lightgbm, sender_rule, sender_rule_under, tamis
from pipelines.backtest.backtest_figures import spans_of, summary
from pipelines.backtest.days import Day, archive_days, midnight, world_days
from pipelines.backtest.replay_days import Plan, Seat, replay
from pipelines.backtest.replay_desk import Past
from pipelines.batch.archive import Archive
from pipelines.synthetic.world_settings import World, load_world
from pipelines.training.standard_policy import standard_policy
from service.orientation import Policy, load_policy
from service.orientation.capacity import Capacity, CapacityPlan

EXPLOITATION = "exploitation"
ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm("random", sender_rule, "[random]\nrate = 1.0\n"),
        Arm("sender-rule", sender_rule),
        Arm("raw-lightgbm", raw_lightgbm),
        Arm("date-style", date_style),
        Arm(EXPLOITATION, tamis),
        Arm("exploration", tamis, "[exploration]\nshare = 0.2\nhalf_life_days = 21\n"),
        Arm("campaigns", tamis, "[campaigns]\nchecks = 1\n"),
    )
}
INSPECTED_SHARE = 0.01
FIRST_DAY = date(2026, 1, 5)
TRAFFIC_DAYS = 7
RESULTS, LEDGER = "backtest.json", "backtest.parquet"
Entry = tuple[Arm, Policy]
Opened = Callable[[], tuple[Iterator[Day], Past]]


@dataclass(frozen=True, slots=True)
class Contest:
    """Arms that replay the same days from the same start."""

    entries: Sequence[Entry]
    first: Seat
    plan: Plan


def entries_of(names: str, files: Sequence[Path]) -> list[Entry]:
    """Return the arms of a comma-separated list under policies without checks, then Tamis under each policy file."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in ARMS]
    if unknown:
        raise Fault(f"no arm is called {unknown[0]!r}; known are {', '.join(ARMS)}")
    named = [(ARMS[name], bare_policy(name, ARMS[name].policy)) for name in wanted]
    return named + [_of_file(file.read_text(encoding="utf-8")) for file in files]


def _of_file(text: str) -> Entry:
    policy = load_policy(text)
    return Arm(policy.policy_id, tamis), policy


def bare_policy(name: str, more: str) -> Policy:
    """Return a policy without checks and without a least risk."""
    capacity = "[capacity.default]\nphysical = 0\ndocuments = 0\naudit = 0\nexpected = 0\n"
    return load_policy(f'id = "{name}"\n{capacity}{more}')


def starting(policy: Policy, day: date) -> Policy:
    """Return the policy with the half-lives of its exploration counted from a day, unless it names one."""
    exploration = policy.exploration
    return replace(policy, exploration=replace(exploration, start=exploration.start or day))


def with_checks(policy: Policy, offices: dict[str, int]) -> Policy:
    """Return the policy with these physical checks a day and no others."""
    each = {office: Capacity(checks, 0, 0, 0, 0) for office, checks in offices.items()}
    return replace(policy, capacity=CapacityPlan(Capacity(0, 0, 0, 0, 0), each, {}))


def over_worlds(
    entries: Sequence[Entry],
    *,
    days: int,
    per_day: int,
    seeds: Sequence[int],
    plan: Plan,
    capacity: int | None = None,
    world: World | None = None,
) -> pl.DataFrame:
    """Return the ledger of arms in closed loop over worlds of several seeds; without names, of all arms."""
    true, ledgers = world or load_world(), []
    entries = entries or entries_of(",".join(ARMS), [])
    checks = capacity or max(1, round(INSPECTED_SHARE * per_day))
    for seed in seeds:
        regime = 0 if plan.cold else plan.start_up
        days_of = partial(world_days, true, days, per_day, seed, FIRST_DAY, regime)
        offices = spread(checks, _traffic(days_of()))
        decides = FIRST_DAY + timedelta(days=plan.start_up)
        seated = [(arm, starting(with_checks(policy, offices), decides)) for arm, policy in entries]
        start = Seat(sender_rule(Archive(Path()), midnight(FIRST_DAY)), start_up_policy(offices, checks / per_day))
        ledgers += _contested(Contest(seated, start, plan), partial(_fresh, days_of), seed, days)
    return pl.concat(ledgers)


def start_up_policy(offices: dict[str, int], share: float) -> Policy:
    """Return a policy that draws half of the checks at random and the rest by sender record: no results are needed."""
    return with_checks(bare_policy("start-up", f"[random]\nrate = {share / 2}\nseed = 1\n"), offices)


def _fresh(days_of: Callable[[], Iterator[Day]]) -> tuple[Iterator[Day], Past]:
    return days_of(), Past()


def over_archive(
    archive: Archive,
    entries: Sequence[Entry],
    *,
    start: datetime | None,
    end: datetime | None,
    plan: Plan,
    capacity: int | None = None,
) -> pl.DataFrame:
    """Return the ledger of arms over archived days; without names, of Tamis under the standard policy.

    Each learns from what the archive held before the first day, and then from the results of its own selections.
    """
    days = list(archive_days(archive, start, end))
    if not days:
        raise Fault("the archive holds no consignments of these days")
    entries = entries or [_of_file(standard_policy())]
    if capacity:
        offices = spread(capacity, _traffic(iter(days)))
        entries = [(arm, with_checks(policy, offices)) for arm, policy in entries]
    elif any(arm.name in ARMS for arm, _ in entries):
        raise Fault("--capacity: required, as the policy of an arm has no checks")
    entries = [(arm, starting(policy, days[0].day)) for arm, policy in entries]
    past, known = archive.consignments(None, midnight(days[0].day)), archive.outcomes()
    lists = archive.lists()

    def opened() -> tuple[Iterator[Day], Past]:
        past_of_arm = Past(linking=archive.linking, lists=lists)
        if len(past):
            before = past_of_arm.parties.link(past)
            past_of_arm.reveal(known.join(past.frame, on="consignment_id", how="semi", maintain_order="left"), before)
            past_of_arm.show(before)
        return iter(days), past_of_arm

    first = Seat(sender_rule_under([policy for _, policy in entries]), entries[0][1])
    learned = replace(plan, start_up=0) if len(past) else plan
    return pl.concat(_contested(Contest(entries, first, learned), opened, 0, len(days)))


def _contested(contest: Contest, opened: Opened, seed: int, days: int) -> list[pl.DataFrame]:
    ledgers = []
    for arm, policy in contest.entries:
        shown, past = opened()
        with show.progress("days", days) as advance:
            ledger = replay(_watched(shown, advance), arm, policy, contest.first, contest.plan, past, seed)
        show.line(
            f"seed {seed}, {arm.name}: {ledger['found'].sum():,} found in {ledger['inspected'].sum():,} inspected"
        )
        ledgers.append(ledger)
    return ledgers


def _watched(days: Iterator[Day], advance: Callable[[str], None]) -> Iterator[Day]:
    for day in days:
        yield day
        advance(f"{day.day}")


def _traffic(days: Iterator[Day]) -> dict[str, int]:
    """Count consignments by office on the first days."""
    shown = [day.manifest.select("consignment_id", "office") for day, _ in zip(days, range(TRAFFIC_DAYS), strict=False)]
    offices = pl.concat(shown).unique("consignment_id")["office"].fill_null("unknown")
    return dict(offices.value_counts().sort("office").iter_rows())


def spread(checks: int, traffic: dict[str, int]) -> dict[str, int]:
    """Divide checks a day among offices in proportion to their traffic, in whole numbers that add up."""
    total = sum(traffic.values())
    exact = {office: checks * count / total for office, count in traffic.items()}
    given = {office: int(share) for office, share in exact.items()}
    rest = sorted(exact, key=lambda office: (given[office] - exact[office], office))
    return given | {office: given[office] + 1 for office in rest[: checks - sum(given.values())]}


def report(ledger: pl.DataFrame, plan: Plan, out: Path) -> Path:
    """Print the comparison and write it; returns the file."""
    days = int(ledger["nth"].max()) + 1  # type: ignore[arg-type]
    spans, names = spans_of(days, plan.start_up), ledger["arm"].unique(maintain_order=True).to_list()
    against = EXPLOITATION if EXPLOITATION in names else names[0]
    backtest_report.tell(ledger, spans, against, plan.start_up)
    content = {"arms": names, "seeds": ledger["seed"].n_unique(), "days": days, "start_up": plan.start_up,
            "retrain": plan.retrain, "against": against, **summary(ledger, spans, against)}  # fmt: skip
    backtest_report.write(out / RESULTS, content)
    ledger.write_parquet(out / LEDGER)
    return out / RESULTS
