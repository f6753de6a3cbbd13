"""The two tracks: each condition of the law with its source, the second model, and what a policy may set."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.assemble import Rows
from features.fault import Fault
from features.messages import read
from pipelines.commands.application_commands import read_table, with_applications
from pipelines.training.standard_policy import standard_policy
from service.orientation import DecisionContext, PolicyFault, load_policy
from service.orientation.applications import Application, protected
from service.orientation.columns import Known
from service.orientation.lanes import Track
from service.orientation.track_assignment import NOT_ESTIMATED, _lines_of
from service.orientation.track_conditions import (
    CONDITIONS,
    REGULATION,
    Suspicion,
    Tracks,
    eligibility,
    may_be_simplified,
)
from service.scoring import Model
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message
from tests.service.orientation.cases import QUICK, Case, judged, policy_text, presented, rule_text

DAY = date(2026, 3, 4)
HOLDER = Application("Sole Brands", ("soleil", "sun shoe"), small_consignments=True)
KNOWN: dict[str, Any] = {
    "stream": "postal", "units": 2.0, "gross_kg": 0.8, "codes": ("640411",), "day": DAY, "counterfeit": True,
    "right_holder": "Sole Brands",
}  # fmt: skip


def answers(tracks: Tracks | None = None, **changes: Any) -> dict[str, bool | None]:
    return eligibility(tracks or Tracks(applications=(HOLDER,)), Suspicion(**{**KNOWN, **changes}))


def test_everything_known_and_fulfilled_opens_the_simplified_procedure() -> None:
    assert answers() == dict.fromkeys((condition.name for condition in CONDITIONS), True)


def test_each_condition_names_its_article() -> None:
    told = {condition.name: condition.source for condition in CONDITIONS}
    assert told == {
        "counterfeit": f"{REGULATION}, Article 26(1)(a)",
        "not-perishable": f"{REGULATION}, Article 26(1)(b)",
        "application-granted": f"{REGULATION}, Article 26(1)(c)",
        "procedure-requested": f"{REGULATION}, Article 26(1)(d)",
        "small-consignment": f"{REGULATION}, Articles 26(1)(e) and 2(19)",
    }


@pytest.mark.parametrize(
    ("units", "gross_kg", "small"),
    [
        (3, 50.0, True),  # Article 2(19)(a): three units or less
        (4, 1.99, True),  # Article 2(19)(b): a gross weight of less than two kilograms
        (4, 2.0, False),
        (None, 1.0, True),
        (1, None, True),
        (None, 2.0, None),
        (4, None, None),
        (None, None, None),
    ],
)
def test_article_2_19_a_consignment_is_small_by_units_or_by_mass(units: Any, gross_kg: Any, small: Any) -> None:
    assert answers(units=units, gross_kg=gross_kg)["small-consignment"] is small


@pytest.mark.parametrize("stream", ["cargo", None])
def test_article_2_19_only_post_and_express_are_small_consignments(stream: Any) -> None:
    assert answers(stream=stream)["small-consignment"] is False


@pytest.mark.parametrize("counterfeit", [True, False, None])
def test_article_26_1_a_asks_for_counterfeit_or_pirated_goods(counterfeit: Any) -> None:
    assert answers(counterfeit=counterfeit)["counterfeit"] is counterfeit


@pytest.mark.parametrize(
    ("codes", "keeps"), [(("640411",), True), (("640411", "060310"), False), (("190590",), False), ((), None)]
)
def test_article_26_1_b_perishable_goods_are_excluded(codes: Any, keeps: Any) -> None:
    assert answers(codes=codes)["not-perishable"] is keeps


@pytest.mark.parametrize(
    ("right_holder", "wording", "covered"),
    [
        ("Sole Brands", "", True),
        ("SOLE BRANDS", "", True),
        ("Nobody", "", False),
        (None, "soleil running shoes", True),
        (None, "a sun shoe", True),
        (None, "soleils", None),
        (None, "shoes", None),
    ],
)
def test_article_26_1_c_an_application_covers_the_goods(right_holder: Any, wording: str, covered: Any) -> None:
    assert answers(right_holder=right_holder, wording=wording)["application-granted"] is covered


@pytest.mark.parametrize(
    ("start", "end", "covered"),
    [(None, DAY, True), (DAY, None, True), (date(2026, 3, 5), None, False), (None, date(2026, 3, 3), False)],
)
def test_article_26_1_c_an_application_holds_while_it_is_valid(start: Any, end: Any, covered: bool) -> None:
    tracks = Tracks(applications=(Application("Sole Brands", (), True, start, end),))
    assert answers(tracks)["application-granted"] is covered


@pytest.mark.parametrize(
    ("opted", "holder", "asked"),
    [(True, "Sole Brands", True), (False, "Sole Brands", False), (True, "Nobody", False), (True, None, None)],
)
def test_article_26_1_d_the_right_holder_must_have_asked_for_it(opted: bool, holder: Any, asked: Any) -> None:
    tracks = Tracks(applications=(Application("Sole Brands", (), opted),))
    assert answers(tracks, right_holder=holder)["procedure-requested"] is asked


@QUICK
@given(st.sampled_from(["postal", "express", None]), st.one_of(st.none(), st.floats(0, 10)),
       st.one_of(st.none(), st.floats(0, 10)), st.booleans(), st.data())  # fmt: skip
def test_to_learn_more_never_opens_what_was_closed(
    stream: Any, units: Any, gross_kg: Any, holder: bool, data: st.DataObject
) -> None:
    """An answer that is known stays what it is when something else becomes known; a closed procedure stays closed."""
    less = {"stream": stream, "units": units, "gross_kg": gross_kg, "right_holder": "Nobody" if holder else None}
    more = {**less, **{name: KNOWN[name] for name in data.draw(st.sets(st.sampled_from(sorted(less))))
                       if less[name] is None and name != "stream"}}  # fmt: skip
    before, after = answers(**less), answers(**more)
    assert all(after[name] is answer for name, answer in before.items() if answer is not None)
    assert may_be_simplified(before) or not may_be_simplified(after)


SMALL: dict[str, Any] = {"gross_mass_kg": 0.5, "pieces": 1.0, "hs_code": "640411"}


@pytest.mark.parametrize(
    ("grave", "case", "track"),
    [
        (0.7, SMALL, "investigation"),
        (0.4, SMALL, "investigation"),
        (0.39, SMALL, "simplified_destruction"),
        (0.1, {**SMALL, "hs_code": "060310"}, "none"),
        (0.1, {**SMALL, "gross_mass_kg": 9.0, "pieces": 40.0}, "none"),
        (None, SMALL, "simplified_destruction"),  # by law; that nobody has estimated danger is said
        (None, {**SMALL, "hs_code": "060310"}, "none"),
    ],
)
def test_a_track_follows_the_chance_of_danger_and_what_the_law_asks(
    model: Model, grave: float | None, case: dict[str, Any], track: str
) -> None:
    cases = [Case("a", 0.9, **case), Case("b", 0.1, **case)]
    told = judged(load_policy(policy_text(1, 0, 0)), model, cases, grave=np.nan if grave is None else grave)
    assert told["track"].to_list() == [track, "none"], "what is not looked at has no track"


def test_without_a_severity_model_what_was_not_estimated_is_named(model: Model) -> None:
    policy = load_policy(policy_text(2, 0, 0))
    told = judged(policy, model, [Case("a", 0.9, **SMALL), Case("b", 0.8, **SMALL)], grave=np.nan)
    assert [list(unsure)[-1] for unsure in told["unsure"]] == [NOT_ESTIMATED] * 2
    before = judged(policy, model, [Case("a", 0.9, **SMALL)], grave=np.nan, edition=2)
    assert before["track"].to_list() == ["none"], "a decision of before is given again as it was"


@pytest.mark.parametrize(
    ("column", "share", "track"),
    [
        ("network_grave_share", 0.3, "simplified_destruction"),  # nothing on record
        ("network_grave_share", 0.2, "simplified_destruction"),
        ("network_grave_share", 0.42, "investigation"),
        ("identifiers_grave_share", 0.31, "investigation"),
        ("identifiers_grave_share", None, "simplified_destruction"),
    ],
)
def test_without_a_severity_model_the_record_decides(
    model: Model, column: str, share: float | None, track: str
) -> None:
    policy = load_policy(policy_text(1, 0, 0))
    consignments, scores, problems = presented(model, [Case("a", 0.9, **SMALL)])
    rows = Rows.of_frame(scores.rows.frame.with_columns(pl.Series(column, [share], pl.Float64)))
    context = DecisionContext(NOON, "message", [])
    (decision,) = policy.orient(consignments, replace(scores, rows=rows), problems, context).as_json()
    assert decision["track"] == track
    (reason,) = [reason for reason in decision["reasons"] if reason["code"] == f"track.{track}"]
    assert ("on record" in reason["text"] or "were dangerous" in reason["text"]) == (track == "investigation")
    assert ("not estimated" in reason["text"]) == (track != "investigation")


@pytest.mark.parametrize(
    ("grave", "asked", "track"),
    [(0.1, "investigation", "investigation"), (0.9, "simplified_destruction", "investigation")],
)
def test_a_rule_may_ask_for_a_stricter_track_and_not_for_a_milder_one(
    model: Model, grave: float, asked: str, track: str
) -> None:
    rule = rule_text("r", '{ stream = "express" }', "red", f'track = "{asked}"')
    told = judged(load_policy(policy_text(1, 0, 0, more=rule)), model, [Case("a", 0.9, **SMALL)], grave=grave)
    assert told["track"].to_list() == [track]


def test_what_is_not_known_before_the_parcel_is_open_is_named(model: Model) -> None:
    applications = '[[applications]]\nright_holder = "Sole Brands"\nwords = ["soleil"]\nsmall_consignments = true\n'
    policy = load_policy(policy_text(2, 0, 0, more=applications))
    cases = [Case("a", 0.9, **SMALL), Case("b", 0.8, description="SOLEIL Trainers", **SMALL)]
    told = judged(policy, model, cases, grave=0.1)
    assert [list(unsure) for unsure in told["unsure"]] == [
        ["counterfeit", "application-granted", "procedure-requested"], ["counterfeit"],
    ]  # fmt: skip


APPLICATION = """
[[applications]]
right_holder = "Sole Brands"
words = ["Soleil"]
hs = ["64"]
senders = ["Sole Brands Logistics Ltd", "sole.outlet"]
from = 2026-03-01
"""
OTHER_APPLICATION = """[[applications]]
right_holder = "Lune"
words = ["Lune d'été"]
"""
ELSE = {"consignor": {"name": "Somebody else"}}
LATER = NOON + timedelta(days=40)


@pytest.mark.parametrize(
    ("stated", "holder", "authorised"),
    [
        ({"consignor": {"name": "SOLE BRANDS LOGISTICS"}}, "Sole Brands", 1.0),
        ({"seller_account": "Sole.Outlet"}, "Sole Brands", 1.0),
        (ELSE, "Sole Brands", 0.0),
        (ELSE | {"goods": [{"description": "soleilhat", "hs_code": "640411"}]}, None, None),
        ({"goods": [{"description": "SOLEIL trainers", "hs_code": "420221"}]}, None, None),
        ({"goods": [{"description": "SOLEIL trainers"}]}, "Sole Brands", 0.0),
        ({"goods": [{"description": "tea"}, {"description": "dress Lune d'Eté"}]}, "Lune", 0.0),
        ({"lodged_at": datetime(2026, 2, 28, 12, tzinfo=UTC)}, None, None),
    ],
)
def test_a_rule_may_ask_whether_a_right_holder_knows_the_sender(
    stated: dict[str, Any], holder: str | None, authorised: float | None
) -> None:
    policy = load_policy(policy_text(more=OTHER_APPLICATION + APPLICATION))
    goods = [{"description": "Soleil Trainers", "hs_code": "640411"}]
    sent = message(declared(1, **{"goods": goods, "lodged_at": LATER, **stated}))
    consignments, _ = read(replace(sent, received_at=LATER))
    holders, senders = protected(consignments, Known(consignments.declared), policy.tracks.applications)
    assert holders.rows() == [holder]
    assert senders.tolist() == [pytest.approx(np.nan if authorised is None else authorised, nan_ok=True)]


@pytest.mark.parametrize(
    ("code", "prefix", "covered"),
    [
        ("6404.11", "640411", True),
        ("64.04.11", "640411", True),
        ("6404 11 90", "640411", True),
        ("6404-11-90", "640411", True),
        ("6404\u00a011", "640411", True),  # a space that does not break
        ("６４０４１１", "640411", True),
        ("6404.11", "6404.11", True),
        ("640411", "64 04", True),
        ("640.41", "64041", True),
        ("6404.19", "640411", False),
        ("64.0", "640411", False),  # too short to say
    ],
)
def test_dots_and_spaces_in_a_code_mean_nothing(code: str, prefix: str, covered: bool) -> None:
    more = f'[[applications]]\nright_holder = "Sole"\nwords = ["soleil"]\nhs = ["{prefix}"]\n'
    tracks = load_policy(policy_text(more=more)).tracks
    consignments, _ = read(message(declared(1, goods=[{"description": "Soleil trainers", "hs_code": code}])))
    known = Known(consignments.declared)
    holder, _ = protected(consignments, known, tracks.applications)
    assert list(holder.rows()) == ["Sole" if covered else None]
    written, _ = protected(consignments, known, tracks.applications, codes_as_written=True)
    assert list(written.rows()) == ["Sole" if code.startswith(tracks.applications[0].hs) else None]  # as it was judged
    codes, _ = _lines_of(np.array([0]), consignments, wording=True, codes_as_written=False)[0]
    assert tracks.applications[0].covers("soleil trainers", codes) == covered


def test_a_brand_from_nobody_its_right_holder_knows_asks_for_a_check(desk: Desk) -> None:
    desk = replace(desk, policy=load_policy(standard_policy() + APPLICATION.replace("from = 2026-03-01", "")))
    goods = [{"description": "Soleil Trainers", "hs_code": "640411", "value": 40, "currency": "EUR"}]
    senders = ("Sole Brands Logistics", "Somebody else")
    rows = [declared(n, goods=goods, consignor={"name": name, "country": "CN"}) for n, name in enumerate(senders)]
    told = target(message(*rows), desk).rows
    code = "rule.brand-from-nobody-authorised"
    assert [code in [reason["code"] for reason in row["reasons"]] for row in told] == [False, True]


def test_a_table_of_applications_takes_the_place_of_those_in_a_policy_and_leaves_the_rest() -> None:
    table = "right_holder,number,words,hs,senders,contact,small_consignments,until\n"
    table += 'Sole Brands,FR-1,soleil|sun shoe,64,"Sole, Ltd",ipr@sole.example,yes,2027-03-01\nLune,,lune,,,,no,\n'
    before = standard_policy().replace("[degraded]", f"{APPLICATION}\n# A remark on what follows.\n[degraded]")
    text = with_applications(before, list(read_table(table.encode())), "table.csv")
    sole, lune = load_policy(text).tracks.applications
    assert (sole.right_holder, sole.number, sole.words) == ("Sole Brands", "FR-1", ("soleil", "sun shoe"))
    assert (sole.hs, sole.senders, sole.contact) == (("64",), ("sole ltd", "sole"), "ipr@sole.example")
    assert (sole.small_consignments, sole.end, lune.small_consignments) == (True, date(2027, 3, 1), False)
    assert "# A remark on what follows.\n[degraded]" in text
    rest = with_applications(text, [], "")
    assert rest == with_applications(before, [], "")
    assert load_policy(rest).tracks == load_policy(standard_policy()).tracks
    assert rest.split() == standard_policy().replace("[degraded]", "# A remark on what follows. [degraded]").split()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("words\nsoleil", "right_holder"),
        ("right_holder,brand\nX,y", "'brand'"),
        ("right_holder,until\nX,tomorrow", "line 2: until"),
        ("right_holder,small_consignments\nX,perhaps", "line 2: small_consignments"),
        ("right_holder,words\n,y", "line 2: right_holder"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_names_its_line_and_column(table: str | bytes, says: str) -> None:
    with pytest.raises(Fault, match=says):
        list(read_table(table.encode() if isinstance(table, str) else table))


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ("[track]\ninvestigation = 2", "track.investigation"),
        ("[track]\nunits = -1", "track.units"),
        ("[track]\nbelow_kg = 0", "track.below_kg"),
        ("[track]\nperishable = [6]", "track.perishable"),
        ("[track]\nspeed = 1", "speed"),
        ("[applications]\nright_holder = 'x'", "applications"),
        ("[[applications]]\nwords = ['x']", "right_holder"),
        ("[[applications]]\nright_holder = 'X'\nsmall_consignments = 'yes'", "application of X.small_consignments"),
        ("[[applications]]\nright_holder = 'X'\nbrand = 'y'", "brand"),
        ("[[applications]]\nright_holder = 'X'\nhs = ['shoes']", "application of X.hs"),
        ("[[applications]]\nright_holder = 'X'\nnumber = 5", "number and contact"),
        ("[[applications]]\nright_holder = 'X'\nfrom = 2026-03-02\nuntil = 2026-03-01", "until is before from"),
    ],
)
def test_a_section_that_cannot_be_used_names_its_key(more: str, names: str) -> None:
    with pytest.raises(PolicyFault, match=names):
        load_policy(policy_text(more=more))


def test_the_thresholds_of_the_law_are_settings() -> None:
    tracks = load_policy(policy_text(more="[track]\nunits = 2\nbelow_kg = 1.5")).tracks
    assert answers(tracks, units=3, gross_kg=1.6)["small-consignment"] is False
    assert Track.investigation > Track.simplified_destruction
