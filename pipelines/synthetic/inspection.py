"""The historical regime: inspected consignments, selection probabilities, and results with their dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.synthetic.declaration import DeclaredLines
from pipelines.synthetic.draws import Flags, Floats, Ints, sums, weighted
from pipelines.synthetic.flow import Orders
from pipelines.synthetic.people import vocabulary
from pipelines.synthetic.world_goods import Goods
from pipelines.synthetic.world_settings import Inspection, World

REASONS = ("random", "campaign", "rule", "risk", "exploration")  # the regime itself never explores
RESULTS = ("compliant", "non_compliant", "not_presented", "inconclusive")
DAY_US = 86_400_000_000


@dataclass(frozen=True)
class Selection:
    """Inspected rows, the reason of each, and its probability of being inspected for any reason."""

    rows: Ints
    reason: Ints
    chance: Floats


@dataclass
class Record:
    """The regime's record of each account: consignments, inspections and findings; never the truth."""

    seen: Ints
    inspected: Ints
    hits: Ints

    @classmethod
    def blank(cls, senders: int) -> Record:
        """Create a record without any account."""
        return cls(*(np.zeros(senders, dtype=np.int64) for _ in range(3)))

    def of(self, figure: Ints, sender: Ints) -> Ints:
        """Return a figure of an account; zero for private senders."""
        return np.where(sender >= 0, figure[np.maximum(sender, 0)], 0)

    def hit_rate(self, sender: Ints) -> Floats:
        """Return known findings per inspection, shrunk towards zero where inspections are few."""
        return np.asarray(self.of(self.hits, sender) / (self.of(self.inspected, sender) + 2.0))

    def note(self, sender: Ints) -> None:
        """Count consignments of these accounts."""
        self.seen += np.bincount(sender[sender >= 0], minlength=len(self.seen))


@dataclass(frozen=True)
class Presented:
    """One day's consignments, as they are and as they are declared."""

    world: World
    goods: Goods
    orders: Orders
    lines: DeclaredLines
    declared: pl.DataFrame


def select(case: Presented, record: Record, day: int, rng: np.random.Generator) -> Selection:
    """Select consignments: at random, by campaign, by rule, by a rule-of-thumb score."""
    regime, size = case.world.inspection, len(case.orders)
    family = case.goods.family[case.lines.kind[case.orders.line_no == 1]]
    chances = [
        np.full(size, regime.random_share),
        _campaign(regime, family, len(case.goods.families), day),
        _by_rule(regime, record.hit_rate(case.orders.sender)),
    ]
    score = _score(case, record) + regime.noise * rng.standard_normal(size)
    chances.append(_by_score(regime, score, chances))
    drawn = np.stack([rng.random(size) < chance for chance in chances])
    inspected = np.flatnonzero(drawn.any(axis=0))
    overall = 1.0 - np.prod([1.0 - chance for chance in chances], axis=0)
    return Selection(inspected, np.argmax(drawn[:, inspected], axis=0).astype(np.int64), overall[inspected])


def _campaign(regime: Inspection, family: Ints, families: int, day: int) -> Floats:
    """Target another family of goods each fortnight."""
    wanted = family == (day // 14 * 5 + 2) % families
    return np.where(wanted, min(regime.campaign_share / max(wanted.mean(), 1e-3), 0.2), 0.0)


def _by_rule(regime: Inspection, hit_rate: Floats) -> Floats:
    """Select accounts with enough findings, within the share of capacity for rules."""
    chance = np.where(hit_rate >= regime.rule_hit_rate, regime.rule_chance, 0.0)
    limit = regime.rule_share * regime.inspected_share * len(chance)
    return np.asarray(chance * min(1.0, limit / max(float(chance.sum()), 1e-9)))


def _score(case: Presented, record: Record) -> Floats:
    """Score by rules of thumb on the declaration, and the account's own past."""
    orders, lines = case.orders, case.lines
    first, sender = orders.line_no == 1, orders.sender
    kind, euro = lines.kind[first], sums(orders.of, lines.euro, len(orders))
    quantity = sums(orders.of, orders.quantity, len(orders))
    cheapness = np.log(case.goods.unit_eur[kind] * quantity / np.maximum(euro, 0.1))
    declared = case.declared
    tells = {
        "copied": case.goods.ipr[kind],
        "harmful": case.goods.danger[kind],
        "cheap": np.clip(cheapness, -1.5, 1.5),
        "vague": lines.vague[first],
        "uncoded": ~lines.coded[first],
        "gift_of_many": (declared["nature"] == "gift").to_numpy() & (quantity >= 2),
        "hub": declared["dispatch_country"].is_in(["HK", "TR", "AE"]).to_numpy(),
        "past_hits": record.hit_rate(sender),
        "unseen": record.of(record.seen, sender) == 0,
        "many": quantity >= 5,
        "no_platform": declared["platform"].is_null().to_numpy(),
        "heavy": (declared["gross_mass_kg"] >= 2.0).to_numpy(),
        "express": (declared["stream"] == "express").to_numpy(),
        "transit": declared["transit_countries"].is_not_null().to_numpy(),
        "no_phone": declared["consignor_phone"].is_null().to_numpy(),
        "night": (~declared["lodged_at"].dt.hour().is_between(4, 19)).to_numpy(),
    }
    weighed = [weight * tells[name] for name, weight in case.world.inspection.rules.items() if weight]
    return np.asarray(sum(weighed, np.zeros(len(orders))))


def _by_score(regime: Inspection, score: Floats, earlier: list[Floats]) -> Floats:
    """Return probabilities that rise with the score and bring the total inspected share to its planted value."""
    left = np.prod([1.0 - chance for chance in earlier], axis=0)
    wanted = max(regime.inspected_share * len(score) - float((1.0 - left).sum()), 0.0)
    pull = np.exp(regime.sharpness * (score - score.mean()))
    for _ in range(12):
        pull = pull * wanted / max(float((np.minimum(pull, 0.9) * left).sum()), 1e-9)
    return np.asarray(np.minimum(pull, 0.9))


def outcomes(case: Presented, truth: pl.DataFrame, chosen: Selection, rng: np.random.Generator) -> pl.DataFrame:
    """Return the result of each inspection and when it became known, in the columns of the contract."""
    regime, orders, rows = case.world.inspection, case.orders, chosen.rows
    size, stated, true = len(rows), case.declared[rows], truth[rows]
    illicit = orders.illicit[rows]
    result = _results(regime, stated["stream"], illicit, chosen.reason, rng)
    hit = result == 1
    findings = _findings(true["findings"], hit & ~illicit, rng)
    linked = true["criminal_link"].to_numpy() & hit & (rng.random(size) < regime.link_found_share)
    family = case.goods.family[orders.goods[orders.line_no == 1]][rows]
    holders = pl.Series(vocabulary()["names"]["right_holders"])
    worth = sums(orders.of, orders.quantity * orders.unit_eur, len(orders))[rows]
    items = sums(orders.of, orders.quantity, len(orders))[rows].astype(np.int64)
    frame = pl.DataFrame(
        {
            "consignment_id": stated["consignment_id"],
            "known_at": stated["lodged_at"] + pl.Series(_delays(regime, hit, rng)).cast(pl.Duration("us")),
            "stage": pl.Series(["clearance", "post_clearance"]).gather((rng.random(size) < 0.06).astype(np.int64)),
            "result": pl.Series(RESULTS).gather(result),
            "findings": findings,
            "criminal_link": linked,
            "items_found": items,
            "value_found": np.round(worth, 2),
            "currency": pl.repeat("EUR", size, eager=True),
            "right_holder": holders.gather(family % len(holders)),
            "selection": pl.Series(REASONS).gather(chosen.reason),
            "selection_probability": chosen.chance,
            "officer": "officer-" + pl.Series(rng.integers(1, regime.officers + 1, size)).cast(pl.String).str.zfill(2),
        }
    )
    return _only_where_found(frame)


def _only_where_found(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave details empty for goods that were not held; a right holder confirms counterfeits only."""
    held = pl.col("result") == "non_compliant"
    stated = frame.with_columns(
        pl.when(held).then(name).alias(name) for name in ("findings", "items_found", "value_found", "currency")
    )
    copied = pl.col("findings").fill_null("").str.contains("counterfeit", literal=True)
    return stated.with_columns(right_holder=pl.when(copied).then("right_holder"))


def _results(regime: Inspection, stream: pl.Series, illicit: Flags, reason: Ints, rng: np.random.Generator) -> Ints:
    """Draw results, mostly right; false alarms have their planted share, separately for each kind of selection."""
    drawn = rng.random(len(illicit))
    result = np.where(illicit & (drawn >= regime.missed_share), 1, 0)
    for arm in range(len(REASONS)):
        lawful = ~illicit & (reason == arm)
        alarms = int(result[reason == arm].sum())
        share = regime.false_alarm_share / (1 - regime.false_alarm_share)
        chance = alarms * share / max(int(lawful.sum()), 1)
        result = np.where(lawful & (drawn < chance), 1, result)
    absent = rng.random(len(illicit)) < stream.replace_strict(regime.not_presented, return_dtype=pl.Float64).to_numpy()
    unclear = rng.random(len(illicit)) < regime.inconclusive
    return np.where(absent, 2, np.where(unclear, 3, result))


def _findings(true: pl.Series, mistaken: Flags, rng: np.random.Generator) -> pl.Series:
    wrong = pl.Series(["counterfeit", "undervalued", "misdeclared"]).gather(
        weighted(rng, np.array([0.6, 0.2, 0.2]), len(true))
    )
    return pl.select(pl.when(pl.Series(mistaken)).then(wrong).otherwise(true)).to_series().rename("findings")


def _delays(regime: Inspection, non_compliant: Flags, rng: np.random.Generator) -> Ints:
    """Draw days until the result is known; expertise takes longer than a glance."""
    low, high = regime.delay_days
    quick, slow = rng.beta(1.2, 3.0, len(non_compliant)), rng.beta(2.0, 2.2, len(non_compliant))
    return ((low + (high - low) * np.where(non_compliant, slow, quick)) * DAY_US).astype(np.int64)
