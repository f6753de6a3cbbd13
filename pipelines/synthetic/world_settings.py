"""The planted parameters of the synthetic world, read from `world.toml` into frozen dataclasses."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Flow:
    """Volumes through the day, week and year, and how consignments are lodged."""

    weekdays: list[float]
    months: list[float]
    hours: list[float]
    private_share: float
    business_share: float
    shop_share: float
    message_size: int
    amendment_share: float
    line_counts: list[float]
    express_share: float
    transit_share: float
    transit_hubs: dict[str, float]
    detour_share: float
    detours: list[str]


@dataclass(frozen=True)
class Operators:
    """Carriers: exchange offices by country, and express carriers."""

    postal: dict[str, list[str]]
    express: list[str]
    express_prefix: list[int]


@dataclass(frozen=True)
class Money:
    """Currencies and their rates."""

    euro: dict[str, float]
    platform_currency: dict[str, float]
    home_currency: dict[str, str]


@dataclass(frozen=True)
class Honest:
    """The population of honest sellers and buyers, look-alikes included."""

    sellers_per_consignment: float
    tail: float
    largest_share: float
    new_share: float
    burst_share: float
    burst_factor: float
    forwarder_share: float
    sellers_per_forwarder: int
    sibling_share: float
    sibling_size: int
    vague_share: float
    misfiled_share: float
    gift_error_share: float
    price_level: float
    borrowed_ioss: float
    name_slip_share: float
    dear_share: float
    cheap_share: float
    typo_share: float
    buyers_per_consignment: float
    repeat_share: float
    same_day_share: float
    forwarder_phone_share: float
    common_name_share: float
    common_names: int
    rebrand_share: float
    lookalike_share: float
    threshold_share: float
    template_share: float
    series_share: float
    code_share: float
    article_families: int


@dataclass(frozen=True)
class Places:
    """Addresses: what strangers have in common there, and how a town is written."""

    estate_share: float
    main_street_share: float
    tower_share: float
    towers: int
    town_variant_share: float


@dataclass(frozen=True)
class Receiving:
    """Honest homes that look like those of resellers; `receivers.toml` explains each field."""

    relative_share: float = 0.0
    point_share: float = 0.0
    point_receives: float = 1.0
    point_phone_share: float = 0.0
    building_share: float = 0.0
    building_receives: float = 1.0
    eager_share: float = 0.0
    eager_receives: float = 1.0
    eager_names: int = 1
    eager_phone_share: float = 0.0


@dataclass(frozen=True)
class Missing:
    """How often a declared field is left empty."""

    consignor_phone: float
    consignor_email: float
    consignor_postcode: float
    consignee_phone: float
    consignee_email: float
    hs_code: float
    goods_origin_country: float
    net_mass_kg: float
    product_code: float
    careless_share: float


@dataclass(frozen=True)
class Inspection:
    """The historical regime that chose what was inspected, and how its results came about."""

    inspected_share: float
    random_share: float
    campaign_share: float
    sharpness: float
    noise: float
    rule_hit_rate: float
    rule_chance: float
    rule_share: float
    not_presented: dict[str, float]
    inconclusive: float
    missed_share: float
    false_alarm_share: float
    delay_days: list[int]
    link_found_share: float
    abandon_share: float
    officers: int
    rules: dict[str, float]


@dataclass(frozen=True)
class Drift:
    """A change of the flow planted on one day; -1 plants nothing."""

    day: int
    value_factor: float
    origin_shift: float
    prevalence_factor: float


@dataclass(frozen=True)
class Faults:
    """One marketplace that garbles one column on what it sends, from a moment on; share 0 plants nothing."""

    platform: str
    column: str
    share: float
    start: float


@dataclass(frozen=True)
class Scheme:
    """The aim and habits of one kind of illicit actor; `world.toml` explains each field."""

    name: str
    share: float
    rate: float
    goods: str
    findings: dict[str, float]
    value_factor: float
    criminal: float
    slots: int = 1
    rotation_days: float = 0.0
    cover: float = 0.0
    decoy_days: int = 0
    caps: tuple[float, ...] = ()
    cap_share: float = 0.0
    vague: float = 0.0
    misdeclared: float = 0.0
    gift: float = 0.0
    nature: str = ""
    nature_share: float = 0.0
    quantity_factor: float = 1.0
    via: tuple[str, ...] = ()
    route_share: float = 0.0
    split: int = 1
    buyers: int = 0
    names: str = "fresh"
    address: str = "fresh"
    share_phone: float = 0.0
    share_email: float = 0.0
    share_url: float = 0.0
    share_wording: float = 0.0
    share_series: float = 0.0
    template: float = 0.0
    platform: float = 0.5
    express: float = 0.3
    dangerous: float = 0.0
    start: float = 0.0
    probe: bool = False
    premium: float = 1.0
    borrowed_ioss: float = 0.0
    surge: float = 1.0
    receives: float = 0.0
    homes: int = 0
    home_days: int = 0
    home_names: int = 1
    share_home_phone: float = 0.0


@dataclass(frozen=True)
class World:
    """Everything that is planted."""

    illicit_prevalence: float
    flow: Flow
    origins: dict[str, float]
    offices: dict[str, float]
    operators: Operators
    money: Money
    honest: Honest
    places: Places
    missing: Missing
    inspection: Inspection
    drift: Drift
    faults: Faults
    schemes: tuple[Scheme, ...]
    receiving: Receiving = Receiving()

    def vary(self, **parts: Any) -> World:
        """Return this world with some parts replaced, e.g. `world.vary(inspection={"inspected_share": 0.1})`."""
        changed: dict[str, Any] = {
            name: replace(getattr(self, name), **part) if isinstance(part, dict) else part
            for name, part in parts.items()
        }
        return replace(self, **changed)

    def shares(self, day: int, days: int) -> list[float]:
        """Return the share of each scheme among the illicit consignments of a day: future ones yield to the others."""
        running = [scheme.share if day >= scheme.start * days else 0.0 for scheme in self.schemes]
        return [share / sum(running) for share in running]


def load_world(path: Path | None = None) -> World:
    """Read the shipped world, or one from a file of the same form."""
    text = path.read_text("utf-8") if path else files(__package__).joinpath("world.toml").read_text("utf-8")
    raw = tomllib.loads(text)
    schemes = tuple(read_scheme(table) for table in raw.pop("scheme"))
    parts: dict[str, Any] = {
        "flow": Flow,
        "operators": Operators,
        "money": Money,
        "honest": Honest,
        "places": Places,
        "missing": Missing,
        "inspection": Inspection,
        "drift": Drift,
        "faults": Faults,
    }
    read: dict[str, Any] = {name: _strict(kind, raw.pop(name), name) for name, kind in parts.items()}
    return _strict(World, {**raw, **read, "schemes": schemes}, "world")


def read_scheme(table: dict[str, Any]) -> Scheme:
    """Read one scheme; raise ValueError for a misspelt or missing habit."""
    lists: dict[str, Any] = {key: tuple(table[key]) for key in ("caps", "via") if key in table}
    return _strict(Scheme, {**table, **lists}, f"scheme {table.get('name', '?')}")


def _strict(kind: type[T], table: dict[str, Any], where: str) -> T:
    """Raise for a misspelt or missing parameter, by name; never use a silent default."""
    unknown = sorted(set(table) - {field.name for field in fields(kind)})  # type: ignore[arg-type]
    if unknown:
        raise ValueError(f"unknown parameter in {where}: {', '.join(unknown)}")
    try:
        return kind(**table)
    except TypeError as problem:
        raise ValueError(f"{where}: {problem}") from problem
