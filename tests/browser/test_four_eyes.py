"""Two people at the console: a rule that one proposes and another activates, and a model that two promote."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest
from playwright.sync_api import Page

from service.console.translations import LANGUAGES, in_language
from service.scoring.bundle import GOLDEN_SCORE, GOLDEN_SEVERITY
from service.scoring.explanation import Language
from tests.browser.accessibility import no_fault
from tests.browser.conftest import SPOKEN, TODAY, Console, press
from tests.service.building import MODEL_ID, RULE, declared


@pytest.mark.parametrize("language", SPOKEN)
def test_a_rule_is_activated_by_a_second_person(
    console: Console, person: Callable[..., Page], language: Language
) -> None:
    word = in_language(language, "word")
    code, place = f"rule-{language}", {"en": "TR", "fr": "HK", "zh": "VN"}[language]
    rule = RULE.replace("perfume-by-post", code).replace('"CN"', f'"{place}"')
    one = person(f"dora-{language}", "data_scientist", language)
    one.goto(f"{console.address}/console/policy")
    by_text = one.locator("form[action$=proposals]")
    by_text.locator("[name=text]").fill(by_text.locator("[name=text]").input_value() + rule)
    by_text.locator("[name=reason]").fill(f"a scheme {language}")
    press(one, by_text.locator("button.main"))
    mine = one.locator(".proposal").first
    assert code in mine.inner_text()
    assert mine.locator("button").count() == 0  # nobody approves his own
    for _ in range(60):
        one.goto(f"{console.address}/console/policy")
        if one.locator(".proposal").first.locator("details").count():
            break
        one.wait_for_timeout(500)
    one.locator(".proposal").first.locator("summary").click()
    assert "archive" in one.locator(".proposal").first.inner_text()  # here nothing was archived to try it on
    no_fault(one)
    other = person(f"otto-{language}", "analyst", language)
    other.goto(f"{console.address}/console/policy")
    press(other, other.locator(".proposal").first.locator("button[value=approve]"))
    for _ in range(60):
        other.goto(f"{console.address}/console/policy")
        if word("done") in other.locator(".proposal").first.inner_text() and code in other.inner_text(
            "section:has(#rules)"
        ):
            break
        other.wait_for_timeout(500)
    assert code in other.inner_text("section:has(#rules)")
    number = 700 + LANGUAGES.index(language)
    held = declared(number, lodged_at=TODAY + timedelta(minutes=9), dispatch_country=place)
    decided = console.sent([held], f"M-rule-{language}")[0]
    assert (decided["clearance"], decided["selection"]) == ("red", "rule")


@pytest.mark.parametrize("language", SPOKEN)
def test_a_rule_is_proposed_by_form_and_its_text_stands_behind_it(
    console: Console, person: Callable[..., Page], language: Language
) -> None:
    page = person(f"fred-{language}", "data_scientist", language)
    page.goto(f"{console.address}/console/policy")
    page.locator("summary", has_text=in_language(language, "say")("form_rule")).click()
    form = page.locator("form.rule")
    form.locator("[name=code]").fill(f"by-form-{language}")
    form.locator("[name=column]").first.fill("gross_mass_kg")
    form.locator("[name=condition]").first.select_option("above")
    form.locator("[name=bound]").first.fill("much")
    form.locator("[name=reason_en]").fill("Heavy parcels")
    form.locator("[name=reason]").fill("a scheme")
    no_fault(page)
    press(page, form.locator("[value=text]"))
    assert page.locator("[role=alert]").count() == 1  # the same checks: it is no number
    page.locator("summary", has_text=in_language(language, "say")("form_rule")).click()
    for name, text in (("code", f"by-form-{language}"), ("column", "gross_mass_kg"), ("bound", "25"),
                       ("reason_en", "Heavy parcels"), ("reason", "a scheme")):  # fmt: skip
        form.locator(f"[name={name}]").first.fill(text)
    form.locator("[name=condition]").first.select_option("above")
    press(page, form.locator("[value=text]"))
    assert "when = {gross_mass_kg = {above = 25.0}}" in page.input_value("[name=text]")
    press(page, page.locator("form.broad button"))
    proposed = page.locator(".proposal").first
    assert f"by-form-{language}" in proposed.inner_text()
    assert proposed.locator("button").count() == 0  # nobody approves his own


@pytest.mark.parametrize("language", SPOKEN)
def test_the_slider_shows_what_other_hands_would_find(
    console: Console, person: Callable[..., Page], language: Language
) -> None:
    page = person(f"sigi-{language}", "analyst", language)
    page.goto(f"{console.address}/console/capacity?office=FRLYS1")
    page.wait_for_selector("#reckoned table")  # what a further check is worth is asked for by the page itself
    page.locator("[type=range]").focus()
    page.keyboard.press("Home")
    page.wait_for_selector("#reckoned p strong")
    assert "→ 0" in page.inner_text("#reckoned")
    assert in_language(language, "say")("would_change") in page.inner_text("#reckoned")
    no_fault(page)


@pytest.fixture(scope="module")
def registered(console: Console) -> Callable[[], int]:
    """Another version in the registry, each time."""
    from pipelines.training.registry import Registry
    from pipelines.training.training_run import TrainingRun

    bundle = console.settings.bundles / MODEL_ID
    golden = pl.read_parquet(bundle / "golden.parquet").drop(GOLDEN_SCORE, GOLDEN_SEVERITY)
    run = TrainingRun("for two people", {"to": TODAY.isoformat()}, {"Tamis.average precision": 0.5})
    return lambda: Registry(console.settings).log(bundle, run, golden.head(5))


@pytest.mark.parametrize("language", SPOKEN)
def test_two_people_promote_a_model(
    console: Console, person: Callable[..., Page], registered: Callable[[], int], language: Language
) -> None:
    """The first at once; the others were not compared with it, and are refused until somebody says why they serve."""
    word, version = in_language(language, "word"), registered()
    one = person(f"mira-{language}", "data_scientist", language)
    other = person(f"nils-{language}", "analyst", language)

    def put_forward(although: str) -> str:
        one.goto(f"{console.address}/console/model")
        one.fill("[name=version]", str(version))
        one.fill("section:has(#proposals) [name=reason]", f"it learned from this month {language}")
        one.fill("[name=although]", although)
        press(one, one.locator("section:has(#proposals) button.main"))
        no_fault(one)
        other.goto(f"{console.address}/console/model")
        press(other, other.locator(".proposal button[value=approve]").first)
        for _ in range(180):
            other.goto(f"{console.address}/console/model")
            told = other.locator(".proposal").first.inner_text()
            served = other.inner_text("section:has(#serves)")
            if word("failed") in told or (word("done") in told and f"tamis-v{version}" in served):
                break
            other.wait_for_timeout(500)
        return other.locator(".proposal").first.inner_text()

    if version > 1:
        assert "--force-reason" in put_forward("")
    assert word("done") in put_forward("it is the same model" if version > 1 else "")
    assert f"mira-{language}, approved by nils-{language}" in other.inner_text("section:has(#serves)")
