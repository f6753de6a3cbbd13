"""A policy changed by form is the same text with one thing other, and is checked as one that somebody typed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from features.fault import Fault
from service.officers.policy_form import Clause, with_capacity, with_rule, with_rule_ended, with_threshold
from service.orientation import load_policy

STANDARD = (Path(__file__).parents[3] / "pipelines" / "policy.toml").read_text(encoding="utf-8")
WHEN = [
    Clause("dispatch_country", "in", "CN, HK"), Clause("gross_mass_kg", "below", "2,5"),
    Clause("platform", "missing", ""),
]  # fmt: skip


def changed(text: str) -> tuple[list[str], list[str]]:
    """Lines that are gone from the standard policy, and lines that are new."""
    before, after = STANDARD.splitlines(), text.splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


def test_checks_of_an_office_change_and_nothing_else() -> None:
    text = with_capacity(STANDARD, "FRCDG1", {"physical": "15", "scan": ""})
    assert changed(text) == (["physical = 12"], ["physical = 15"])
    plan = load_policy(text).capacity
    assert plan.of("FRCDG1", "day").physical == 15
    assert plan.of("FRCDG1", "day").documents == 24
    other = load_policy(with_capacity(STANDARD, "FRNTE1", {"physical": "2"})).capacity
    assert (other.of("FRNTE1", "day").physical, other.of("FRNTE1", "day").documents) == (2, 6)


def test_a_threshold_changes_where_it_is_stated() -> None:
    gone, new = changed(with_threshold(STANDARD, "0,1", ""))
    assert [line.partition(" ")[0] for line in (*gone, *new)] == ["least", "least"]
    assert "# below this probability" in new[0]  # its comment stays


def test_a_rule_is_added_replaced_and_ended() -> None:
    reasons = {"en": "Light parcels of nobody", "fr": "Colis légers", "zh": ""}
    text = with_rule(STANDARD, "light", WHEN, "yellow", reasons, "ana", "FRCDG1", "2026-12-01", "2026-12-31")
    rule = next(rule for rule in load_policy(text).rules if rule.code == "light")
    assert (rule.lane.name, rule.author, rule.office, rule.start, rule.end) == (
        "yellow", "ana", "FRCDG1", date(2026, 12, 1), date(2026, 12, 31)
    )  # fmt: skip
    assert rule.columns == ("dispatch_country", "gross_mass_kg", "platform")
    assert rule.reason["fr"] == "Colis légers"
    again = load_policy(with_rule(text, "light", WHEN[:1], "red", {"en": "All"}, "bob")).rules
    assert [(one.lane.name, one.columns) for one in again if one.code == "light"] == [("red", ("dispatch_country",))]
    ended = load_policy(with_rule_ended(text, "light", "2026-12-05")).rules
    assert next(one for one in ended if one.code == "light").end == date(2026, 12, 5)
    assert changed(text)[0] == []


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: with_rule(STANDARD, "x", [Clause("no_such", "is", "1")], "red", {"en": "x"}, "a"), "column: choose"),
        (
            lambda: with_rule(STANDARD, "x", [Clause("gross_mass_kg", "below", "much")], "red", {"en": "x"}, "a"),
            "bound",
        ),
        (lambda: with_rule(STANDARD, "x", [Clause("platform", "in", " ,")], "red", {"en": "x"}, "a"), "bound: say"),
        (lambda: with_rule(STANDARD, "x", [Clause("platform", "near", "1")], "red", {"en": "x"}, "a"), "condition"),
        (lambda: with_capacity(STANDARD, "FRCDG1", {"physical": "-1"}), "physical: a whole number"),
        (lambda: with_capacity(STANDARD, " ", {}), "office: say which"),
        (lambda: with_rule_ended(STANDARD, "no-such", "2026-12-05"), "code: no rule"),
        (lambda: with_rule_ended(STANDARD, "reported-three-times", "soon"), "YYYY-MM-DD"),
    ],
)
def test_what_a_form_cannot_mean_is_refused(make: object, match: str) -> None:
    with pytest.raises(Fault, match=match):
        make()  # type: ignore[operator]
