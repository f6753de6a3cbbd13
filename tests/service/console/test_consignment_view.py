"""A consignment in an officer's words: every input has something to be done, every field and problem its name."""

from __future__ import annotations

from typing import Any

import pytest

from features.catalogue import INPUTS
from features.consignment import CONSIGNMENT_COLUMNS, GOODS_COLUMNS, NATURES, PURPOSES, STREAMS
from features.messages.offices import NOT_LISTED
from features.messages.quality import CONSIGNMENT_CHECKS, LINE_CHECKS
from features.messages.read_message import LONG_AGO
from features.parties.evidence import LEVELS
from service.console import consignment_view as view
from service.console.phrases import fault_in, measure_in, phrase
from service.console.reason_words import RECORDED, foremost, in_words
from service.console.translations import LANGUAGES, words
from service.orientation import campaigns, decision_assembly, policy, track_assignment
from service.orientation.decision_assembly import DROPPED
from service.scoring.explanation import Language

SENDER, CHEAP, CALM = (
    {"code": "consignor_hits_ever", "text": "", "contribution": 0.9, "evidence": 3.0},
    {"code": "value_per_kg_deviation", "text": "", "contribution": 0.4, "evidence": -2.0},
    {"code": "gross_mass_kg", "text": "", "contribution": -0.2, "evidence": 1.5},
)
SPEAKING = (campaigns, decision_assembly, policy, track_assignment)
NO_ROOM = {"code": "capacity", "text": DROPPED["en"], "evidence": "red"}


def test_something_can_be_done_about_every_input() -> None:
    assert {item.name: view.act_of(item.name) for item in INPUTS if view.act_of(item.name) == view.OTHERWISE} == {}
    assert {act for act, _ in view.ACTS} == {view.act_of(item.name) for item in INPUTS}
    assert all(act in words()["say"] for act, _ in view.ACTS)
    assert view.act_of("of_a_plug_in") == view.OTHERWISE


def test_every_field_and_every_problem_has_its_words() -> None:
    fields = {column.name for column in (*CONSIGNMENT_COLUMNS, *GOODS_COLUMNS)}
    assert fields <= set(words()["field"])
    problems = {check.problem for check in (*CONSIGNMENT_CHECKS, *LINE_CHECKS)} | {NOT_LISTED, LONG_AGO}
    assert problems == set(words()["problem"])
    assert {*STREAMS, *NATURES, *PURPOSES} == set(words()["declared"])
    assert {level.words for level in LEVELS} <= set(words()["phrase"])


def test_reasons_are_grouped_by_what_can_be_done() -> None:
    acts = view.acts_of([NO_ROOM, SENDER, CHEAP, CALM], "en")
    assert [act.key for act in acts] == ["act_sender", "act_value"]
    assert acts[0].observed == ("Non-compliant findings, the sender, so far: 3",)
    plain, lower = view.others_of([NO_ROOM, SENDER, CALM], "en")
    assert plain == [DROPPED["en"]]
    assert lower == ["Gross mass: 1.5 kg"]
    assert foremost([NO_ROOM, SENDER], "en") == "Non-compliant findings, the sender, so far: 3"
    assert foremost([NO_ROOM], "en") == DROPPED["en"]


def test_every_sentence_that_a_decision_records_is_known() -> None:
    """What a module of the orientation says in three languages is a reason that may be read in another one."""
    written = [value for module in SPEAKING for name, value in vars(module).items() if name.isupper()]
    inner = [one for value in written if isinstance(value, dict) for one in value.values()]
    texts = [one for one in (*written, *inner) if isinstance(one, dict) and set(one) == set(LANGUAGES)]
    assert [text["en"] for text in texts if text not in RECORDED] == []
    assert len(texts) >= len(RECORDED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_is_said_in_another_language_than_it_was_recorded_in(language: Language) -> None:
    recorded = [{**NO_ROOM, "text": text} for text in DROPPED.values()]
    assert {reason["text"] for reason in in_words(recorded, language)} == {DROPPED[language]}
    assert in_words([{"code": "rule.gone", "text": "as it was"}], language)[0]["text"] == "as it was"


def test_a_declaration_is_grouped_with_what_is_odd_beside_it() -> None:
    body = {"consignor_name": "Bright", "consignee_name": "Marie", "packages": 1.0, "nature": "gift", "goods": []}
    odd = {"consignor_address": "missing", "hs_code": "missing"}
    groups = dict(view.declared_groups(body, odd, {"consignor_name": "/there"}, "fr"))
    assert list(groups) == ["sender", "addressee", "parcel"]
    name, address = groups["sender"]
    assert (name.label, name.value, name.place) == ("Expéditeur", "Bright", "/there")
    assert (address.value, address.problem) == ("", "manquant")
    assert [(field.value, field.worded) for field in groups["parcel"]] == [("1", False), ("cadeau", True)]
    assert view.odd_of_lines(odd.items(), "fr") == [("hs_code", "manquant")]


def test_goods_are_worth_what_they_are_in_euro() -> None:
    lines = view.goods_lines({"goods": [{"value": 10.0, "currency": "usd", "quantity": 2.0}, {"value": 1.0}]})
    assert [(line["euro"], line["quantity"]) for line in lines] == [(9.0, "2"), (None, "")]


def test_a_past_is_drawn_from_first_to_last() -> None:
    sent: list[dict[str, Any]] = [
        {"lodged_at": 1_000, "result": "non_compliant"}, {"lodged_at": 3_000, "result": None},
        {"lodged_at": "1970-01-01T00:00:00.002000Z", "result": "compliant"},
    ]  # fmt: skip
    past = view.past_of(sent)
    assert past is not None
    assert (past.first, past.last, past.sent, past.inspected, past.found) == (1_000, 3_000, 3, 2, 1)
    assert [mark[2] for mark in past.marks] == ["non_compliant", "compliant", ""]
    assert past.marks[0][0] < past.marks[1][0] < past.marks[2][0] <= past.width
    assert view.past_of([]) is None


def test_what_others_write_in_english_is_said_in_each_language() -> None:
    assert (
        phrase("the same telephone; 3 of the same article codes", "fr")
        == "le même téléphone ; 3 codes article identiques"
    )
    assert phrase("something new", "zh") == "something new"
    assert phrase("", "fr") == ""
    assert fault_in("findings: missing beside the result non_compliant; enter the right result", "zh").startswith(
        "查获情况："
    )
    assert fault_in("no field at all", "en") == "no field at all"
    assert measure_in("metrics value recall at 0.5%", "fr") == "rappel de la valeur à 0.5%"
    assert measure_in("promoted_by", "en") == "promoted by"
