"""Masses of postal items and pieces: the number, and its unit wherever messages state it.

A unit stands in the text (`0.45 kg`), in an attribute or a member of the mass (`{"value": 450, "unit": "g"}`), beside
it (`grossWeightUnit`), in its name (`weight_in_grams`), at its item, or at the message; where none is stated, the map
of the operator says which one is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from features.messages.masses import in_kilograms, unit_of
from features.messages.postal_map import Places
from features.messages.postal_nodes import TEXT, Node, first_at

VALUE = ("value", "amount", "measure", "mass", "weight", "quantity")
UNIT = ("unit", "unitcode", "uom", "units", "unitofmeasure", "unitofmeasurement", "measurementunit", "measureunit",
        "weightunit", "massunit")  # fmt: skip
BESIDE = ("unit", "unitcode", "uom", "units", "unitofmeasure", "unitofmeasurement", "measureunit")
GENERAL = frozenset(
    (*(f"{mass}{word}" for mass in ("weight", "mass") for word in BESIDE), "unitofweight", "unitofmass")
)


@dataclass(frozen=True, slots=True)
class StatedMass:
    """A mass as stated: in kilograms, the unit that it named, and what is wrong with it."""

    kilograms: str | None = None
    unit: str | None = None
    problem: str | None = None

    def told(self, field: str) -> list[tuple[str, str]]:
        """Return what is wrong with it as notes on a field."""
        return [(field, self.problem)] if self.problem else []


def mass_at(node: Node, places: Places, unit_above: str | None, usual: str) -> StatedMass:
    """Read the mass at the first place that states one.

    unit_above: as its item or message states it, for a mass without a unit. usual: of the map, where nothing does.
    """
    for (path,) in places:
        holder = first_at(node, path[:-1])
        written, unit = _stated(holder, path[-1]) if holder is not None else (None, None)
        if written and holder is not None:
            unit = unit or general_unit(holder) or general_unit(node) or unit_above
            kilograms, problem = in_kilograms(written, unit, usual)
            return StatedMass(kilograms, unit, problem)
    return StatedMass(unit=general_unit(node) or unit_above)


def general_unit(node: Node) -> str | None:
    """Return the unit that a node states for all masses in it."""
    if GENERAL.isdisjoint(node):
        return None
    return next((unit for name in sorted(GENERAL) if (unit := _text(node, name))), None)


@lru_cache(maxsize=256)
def _beside(name: str) -> tuple[str, ...]:
    return tuple(f"{name}{word}" for word in BESIDE)


def _stated(holder: Node, name: str) -> tuple[str | None, str | None]:
    """Return number and unit of a mass of that name; the unit may be the end of the name itself."""
    if name not in holder:
        return _named_with_unit(holder, name)
    written, unit = _of_mass(holder[name][0])
    return written, unit or next((stated for word in _beside(name) if (stated := _text(holder, word))), None)


def _named_with_unit(holder: Node, name: str) -> tuple[str | None, str | None]:
    for key in holder:
        if key.startswith(name) and key != name:
            unit = key.removeprefix(name).removeprefix("in")
            if unit_of(unit) is not None and (written := _text(holder, key)):
                return written, unit
    return None, None


def _of_mass(mass: Node) -> tuple[str | None, str | None]:
    """Return number and unit as a mass itself states them; members that are units are read together."""
    if len(mass) == 1 and TEXT in mass:
        return mass[TEXT], None
    unit = next((stated for name in UNIT if (stated := _text(mass, name))), None)
    if written := mass.get(TEXT):
        return written, unit
    if written := next((text for name in VALUE if (text := _text(mass, name))), None):
        return written, unit
    by_unit = [f"{text} {name}" for name in mass if unit_of(name) is not None and (text := _text(mass, name))]
    return " ".join(by_unit) or None, None


def _text(node: Node, name: str) -> str | None:
    found = node.get(name)
    text: str | None = found[0].get(TEXT) if found else None
    return text
