"""Great Expectations judges a manifest as a whole: volume, completeness, mixes and ranges, alone and against yesterday.

The contract of single rows is elsewhere (features.contract). What fails here is a sender's system that changed, a unit
that slipped or a file that came in half: no single row of it need be wrong.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from features.consignment import BY_NAME
from features.money import in_euro
from pipelines.batch.expectation_suite import STANDARD, Limits, Suite

WORDS = {  # what the lines do that state a column, and what a median is called, with its unit
    "consignor_name": "name the sender",
    "consignee_name": "name the addressee",
    "value": "state a value",
    "gross_mass_kg": "state a gross mass",
    "dispatch_country": "state the country of dispatch",
    "hs_code": "state an HS code",
}
MEDIAN_WORDS = {"value_eur": ("median value of a line", "€"), "gross_mass_kg": ("median gross mass", "kg")}
MIXES = (
    ("is_express", "are express"),
    ("is_gift", "are declared as gifts"),
    ("has_hs_code", "state an HS code"),
)

NEEDED = (  # to judge by
    *("stream", "lodged_at", "office", "nature", "currency"),
    *("value", "gross_mass_kg", "dispatch_country", "hs_code"),
)


class JudgingFault(RuntimeError):
    """Great Expectations could not judge; nothing is said about the manifest."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing expected of a manifest, in plain English, whether it held, and what was seen instead or indeed."""

    what: str
    held: bool
    observed: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was expected of a manifest as a whole; it holds when every expectation does."""

    held: bool
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class _Check:
    """An expectation before it is judged: its sentence, its class in Great Expectations, what that is given."""

    what: str
    kind: str
    given: Mapping[str, Any] = field(default_factory=dict)
    unit: str = ""


def judge(manifest: pl.DataFrame, reference: Mapping[str, Any] | None = None, suite: Suite = STANDARD) -> Judgement:
    """Judge the accepted rows of a manifest; with the profile of another day, judge how far it moved as well.

    Raises JudgingFault when an expectation could not be computed: that is no fault of the manifest.
    """
    known = reference or {}
    checks = [*_volume(known, suite.limits)]
    if not manifest.is_empty():  # of an empty manifest there is nothing more to say
        checks += [*_completeness(suite), *_ranges(suite), *_drift(known, suite)]
    expectations = _validated(_lines(manifest, known.get("largest_dispatch_country"), suite), checks)
    return Judgement(all(e.held for e in expectations), tuple(expectations))


def asked_of_every_manifest(suite: Suite = STANDARD) -> tuple[str, ...]:
    """Say what a suite expects of every manifest by itself, in the order in which it is judged."""
    return tuple(check.what for check in (*_volume({}, suite.limits), *_completeness(suite), *_ranges(suite)))


def reference_of(manifest: pl.DataFrame) -> dict[str, Any]:
    """The profile of a manifest with which the next one is compared; small, and fit for JSON."""
    country = _largest(manifest)
    lines = _lines(manifest, country)
    shares = lines.select(pl.col(name).mean() for name in (*(m for m, _ in MIXES), "from_largest"))
    medians = lines.select(pl.col(name).median() for name in MEDIAN_WORDS)
    return {
        "lines": manifest.height,
        "offices": lines["office"].drop_nulls().n_unique(),
        "largest_dispatch_country": country,
        "shares": shares.row(0, named=True),
        "medians": medians.row(0, named=True),
    }


def _largest(manifest: pl.DataFrame) -> str | None:
    """The country that dispatches most lines; of equals the first by name, so that a profile is reproducible."""
    if "dispatch_country" not in manifest.columns:
        return None
    counts = manifest.group_by("dispatch_country").len().drop_nulls()
    return None if counts.is_empty() else str(counts.sort(-pl.col("len").cast(pl.Int64), "dispatch_country").item(0, 0))


def _lines(manifest: pl.DataFrame, country: str | None, suite: Suite = STANDARD) -> pl.DataFrame:
    """The columns that are judged and no others; `country` is the reference's largest country of dispatch."""
    stated = list(dict.fromkeys(("stream", "office", "gross_mass_kg", *suite.complete, *suite.values)))
    needed = dict.fromkeys((*NEEDED, *stated))
    absent = [pl.lit(None, BY_NAME[n].dtype).alias(n) for n in needed if manifest.schema.get(n, pl.Null()) == pl.Null()]
    lodged = pl.col("lodged_at")
    return manifest.with_columns(absent).select(
        *stated,
        in_euro(pl.col("value"), pl.col("currency")).alias("value_eur"),
        lodged.dt.year().alias("year"),
        ((lodged.max() - lodged).dt.total_seconds() / 86_400).alias("days_before_last"),
        _indicator(pl.col("stream") == "express", "is_express"),
        _indicator(pl.col("nature") == "gift", "is_gift"),
        _indicator(pl.col("hs_code").is_not_null(), "has_hs_code"),
        _indicator(pl.col("dispatch_country") == pl.lit(country, pl.String), "from_largest"),
    )


def _indicator(holds: pl.Expr, name: str) -> pl.Expr:
    """1 where it holds, 0 where it does not or nobody knows: its mean is the share of all lines."""
    return holds.fill_null(False).cast(pl.Float64).alias(name)


def _volume(known: Mapping[str, Any], limits: Limits) -> list[_Check]:
    kind = "ExpectTableRowCountToBeBetween"
    checks = [_Check("The manifest has at least one line", kind, {"min_value": 1}, "lines")]
    usual = known.get("lines")
    if usual:
        least, most = round(usual / limits.volume_factor), round(usual * limits.volume_factor)
        what = f"The manifest has between {least:,} and {most:,} lines; the reference had {usual:,}"
        checks.append(_Check(what, kind, {"min_value": least, "max_value": most}, "lines"))
    return checks


def _completeness(suite: Suite) -> list[_Check]:
    return [
        _Check(
            f"Between {least * 100:.0f} and 100 % of the lines {WORDS.get(column, f'state {column}')}",
            "ExpectColumnValuesToNotBeNull",
            {"column": column, "mostly": least},
        )
        for column, least in suite.complete.items()
    ]


def _values(column: str, allowed: Sequence[str]) -> _Check:
    does = "is" if column == "stream" else f"that states {column} states"
    given = {"column": column, "value_set": list(allowed)}
    return _Check(f"Every line {does} {' or '.join(allowed)}", "ExpectColumnValuesToBeInSet", given)


def _ranges(suite: Suite) -> list[_Check]:
    limits = suite.limits
    first, last = round(limits.first_year), round(limits.last_year)
    return [
        *(_values(column, allowed) for column, allowed in suite.values.items()),
        *(_median(name, *MEDIAN_WORDS[name], least, most) for name, (least, most) in suite.medians.items()),
        _share("is_gift", "are declared as gifts", 0.0, limits.most_gifts),
        _Check(
            "The lines name at least one office",
            "ExpectColumnUniqueValueCountToBeBetween",
            {"column": "office", "min_value": 1},
            "offices",
        ),
        _Check(
            f"Every line was lodged between {first} and {last}",
            "ExpectColumnValuesToBeBetween",
            {"column": "year", "min_value": first, "max_value": last},
        ),
        _Check(
            f"The first and the last line were lodged within {limits.longest_span_days:.0f} days",
            "ExpectColumnMaxToBeBetween",
            {"column": "days_before_last", "min_value": 0.0, "max_value": limits.longest_span_days},
            "days",
        ),
    ]


def _drift(known: Mapping[str, Any], suite: Suite) -> list[_Check]:
    """What the reference tells; a profile that lacks a figure, or an empty day, asks for nothing."""
    drift, factor = suite.limits.drift, suite.limits.median_factor
    shares, medians = known.get("shares") or {}, known.get("medians") or {}
    mixes = [(*mix, shares.get(mix[0])) for mix in MIXES]
    country = known.get("largest_dispatch_country")
    if country:
        mixes.append(("from_largest", f"are dispatched from {country}", shares.get("from_largest")))
    moved = [
        _share(name, does, max(0.0, usual - drift), min(1.0, usual + drift), f"; {_percent(usual)} in the reference")
        for name, does, usual in mixes
        if usual is not None
    ]
    for name, (words, unit) in MEDIAN_WORDS.items():
        usual = medians.get(name)
        if usual:
            least, most = usual / factor, usual * factor
            moved.append(_median(name, words, unit, least, most, f"; {_number(usual)} {unit} in the reference"))
    return [*moved, *_offices(known.get("offices"), suite.limits.least_offices)]


def _offices(usual: int | None, least_share: float) -> list[_Check]:
    if not usual:
        return []
    least = max(1, round(usual * least_share))
    what = f"The lines name at least {least:,} offices; the reference had {usual:,}"
    given = {"column": "office", "min_value": least}
    return [_Check(what, "ExpectColumnUniqueValueCountToBeBetween", given, "offices")]


def _median(name: str, words: str, unit: str, least: float, most: float, beside: str = "") -> _Check:
    what = f"The {words} is between {_number(least)} and {_number(most)} {unit}{beside}"
    given = {"column": name, "min_value": least, "max_value": most}
    return _Check(what, "ExpectColumnMedianToBeBetween", given, unit)


def _share(name: str, does: str, least: float, most: float, beside: str = "") -> _Check:
    what = f"Between {least * 100:.0f} and {_percent(most, 0)} of the lines {does}{beside}"
    return _Check(what, "ExpectColumnMeanToBeBetween", {"column": name, "min_value": least, "max_value": most}, "%")


def _validated(lines: pl.DataFrame, checks: Sequence[_Check]) -> list[Expectation]:
    """Great Expectations' word on every check, in the order of the checks."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when the library is imported: nothing may leave the house
    import great_expectations as gx  # importing it takes seconds, which only those who judge should pay
    import great_expectations.expectations as kinds
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("manifest").add_dataframe_asset("lines")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": lines.to_pandas()})
    suite = gx.ExpectationSuite(
        "manifest", expectations=[getattr(kinds, c.kind)(**c.given, meta={"check": i}) for i, c in enumerate(checks)]
    )
    found: Sequence[Any] = batch.validate(suite, result_format="BASIC").results
    placed = {result.expectation_config.meta["check"]: result for result in found}  # answers come grouped by column
    return [_told(check, placed[i]) for i, check in enumerate(checks)]


def _told(check: _Check, result: Any) -> Expectation:
    message = _raised(result.exception_info or {})
    if message is not None:
        raise JudgingFault(f"could not judge {check.what!r}: {message}")
    return Expectation(check.what, bool(result.success), _observed(check, result.result))


def _raised(info: Mapping[str, Any]) -> str | None:
    """The message of an exception; Great Expectations reports one flat, several keyed by the metric that raised."""
    for report in (info, *(part for part in info.values() if isinstance(part, Mapping))):
        if report.get("raised_exception"):
            return str(report.get("exception_message") or "no message").splitlines()[0][:200]
    return None


def _observed(check: _Check, result: Mapping[str, Any]) -> str:
    if "unexpected_percent" in result:
        return _percent(1.0 - (result["unexpected_percent"] or 0.0) / 100.0)
    value = result.get("observed_value")
    if value is None:
        return "nothing stated"
    if check.unit == "%":
        return _percent(float(value))
    return f"{_number(value)} {check.unit}"


def _percent(share: float, digits: int = 1) -> str:
    return f"{share * 100:.{digits}f} %"


def _number(value: float) -> str:
    return f"{value:,.3g}" if abs(value) < 1_000 else f"{value:,.0f}"
