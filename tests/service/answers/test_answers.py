"""Answers in others' words: the right code for each decision, valid where the schemas are there, never do-not-load."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import etree

from features.choices import KINDS
from service.answers import NoSuchAnswer, answer, load_codes
from service.answers.answer_codes import AnswerCodesFault
from service.answers.spreadsheet import plain_cells
from service.orientation.decisions import SCHEMA
from tests.features.messages.samples import SAMPLES, needs_samples

N = {"i": "urn:wco:datamodel:eu:ics2:2"}
HEADER = {
    "functional_reference": "RA-1", "message_id": "M1", "sender": "CR", "recipient": "NES.FR",
    "risk_analysis_reference": "RAR-7", "member_state": "FR", "mrn": "26FR00000000000AB1",
}  # fmt: skip


def decision(number: int, clearance: str = "green", pre_arrival: str = "no_risk", **changes: Any) -> dict[str, Any]:
    """A decision as JSON has it."""
    told: dict[str, Any] = {
        **dict.fromkeys(SCHEMA), "decision_id": f"{number:032x}", "message_id": "M1",
        "consignment_id": f"HAWB{number}", "version": 1, "lodged_at": "2026-03-01T08:15:00.000000Z",
        "decided_at": f"2026-03-01T08:16:0{number}.250000Z", "office": "CDG", "risk": 0.5, "rank": 1, "of": 10,
        "clearance": clearance, "pre_arrival": pre_arrival, "post_clearance": "none", "track": "none",
        "selection": "none" if clearance == "green" else "risk", "reasons": [], "data_problems": [], "mode": "full",
        "degraded_reasons": [], "history_as_of": None, "lists_as_of": None,
    }  # fmt: skip
    return {**told, **changes}


RULE = [
    {"code": "rule.watch", "text": "On a watch list"},
    {"code": "pieces", "text": "Many\npieces", "contribution": 1.0},
]
LACKING = [
    {"field": "hs_code", "problem": "missing"},
    {"field": "description", "problem": "says nothing about the goods"},
]
DECISIONS = [
    decision(1, "red", "control_recommended", reasons=RULE),
    decision(2, "yellow", "request_information", data_problems=LACKING),
    decision(3, "blue", "request_screening", post_clearance="audit"),
    decision(4, "green", "data_incomplete", data_problems=LACKING[:1]),
    decision(5, "green", "request_amendment"),
    decision(6),
]


def given(
    kind: Any, decisions: list[dict[str, Any]] = DECISIONS, format: str = "ics2", header: Any = None
) -> bytes | None:
    return answer(kind, decisions, HEADER if header is None else header, format, load_codes()).content


def parsed(kind: str, decisions: list[dict[str, Any]] = DECISIONS) -> Any:
    content = given(kind, decisions)
    assert content is not None
    return etree.fromstring(content)


def texts(root: Any, path: str) -> list[str]:
    return [element.text for element in root.findall(path, N)]


def test_a_result_names_every_house_and_recommends_control_where_somebody_is_to_look() -> None:
    root = parsed("IE4S02")
    assert texts(root, ".//i:riskAnalysisResult/i:riskLevel") == ["H", "M", "L", "L", "L"]
    assert texts(root, ".//i:riskAnalysisResult/i:resultCode") == ["2", "3", "5", "6", "4", "1"]
    assert texts(root, ".//i:riskAnalysisResult/i:riskCriteriaIdentifier")[:2] == ["watch", "risk"]
    assert texts(root, ".//i:riskAnalysisResult/i:resultText")[0] == "On a watch list; Many pieces"
    pointers = texts(root, ".//i:pointer/i:messageElementPath")
    assert [path.split("'")[1] for path in pointers] == [f"HAWB{n}" for n in range(1, 7)]
    assert texts(root, ".//i:controlRecommendations//i:documentNumber") == ["HAWB1", "HAWB2"]
    assert texts(root, "i:documentIssueDate/i:DateTime") == ["2026-03-01T08:16:06Z"]
    assert texts(root, "i:MessageHeader/i:messageSender") == ["NES.FR"]
    assert texts(root, "i:MessageHeader/i:messageRecipient") == ["CR"]
    assert texts(root, "i:MessageHeader/i:correlationId") == ["M1"]
    assert texts(root, "i:riskAnalysis/i:riskAnalysisRequestReference") == ["RAR-7"]


def test_every_result_bears_the_area_of_its_main_kind() -> None:
    by_kind = [
        {"counterfeit": 0.3, "undervalued": 0.1}, {"prohibited": 0.2, "narcotics": 0.15}, {"dangerous": 0.01}, {}, None,
        {"of_before": 0.2},
    ]  # fmt: skip
    decisions = [decision(n, risk_by_kind=chances) for n, chances in enumerate(by_kind, 1)]
    areas = texts(parsed("IE4S02", decisions), ".//i:riskAnalysisResult/i:riskAreaCode")
    assert areas == ["IPR", "DRG", "PSC", "IPR", "IPR", "IPR"]  # where none is stated, that of the installation


def test_what_cannot_be_is_to_be_amended() -> None:
    impossible = [{"field": "hs_code", "problem": "no heading of HS 2022"}, {"field": "ioss", "problem": "odd"}]
    root = parsed("IE4Q04", [decision(1, pre_arrival="request_amendment", data_problems=impossible), DECISIONS[3]])
    assert texts(root, ".//i:requestType") == ["RFA", "RFI"]
    assert texts(root, ".//i:additionalInformation/i:text") == ["hs_code: no heading of HS 2022", "hs_code: missing"]


@pytest.mark.parametrize(
    ("clearance", "pre_arrival", "problems", "text"),
    [
        ("green", "data_incomplete", LACKING[:1], "not assessed to the end: hs_code missing"),
        ("green", "request_information", LACKING,
         "not assessed to the end: hs_code missing, description says nothing about the goods"),
        ("green", "request_information", [], "not assessed to the end: description says nothing about the goods"),
        ("green", "data_incomplete", [], "not assessed to the end: no score could be given"),
        ("blue", "data_incomplete", LACKING[:1], "not assessed to the end: hs_code missing"),
        ("green", "request_amendment", [], "request amendment"),
        ("green", "no_risk", [{"field": "ioss", "problem": "not the form"}], "no risk identified"),
    ],
)  # fmt: skip
def test_only_of_what_was_assessed_to_the_end_no_risk_is_said(
    clearance: str, pre_arrival: str, problems: list[dict[str, str]], text: str
) -> None:
    root = parsed("IE4S02", [decision(1, clearance, pre_arrival, data_problems=problems)])
    assert texts(root, ".//i:riskAnalysisResult/i:resultText") == [text]
    levels = texts(root, ".//i:riskAnalysisResult/i:riskLevel")
    assert levels == ([] if pre_arrival in ("data_incomplete", "request_information") else ["L"])


@pytest.mark.parametrize(("clearance", "levels"), [("green", []), ("blue", []), ("yellow", ["M"]), ("red", ["H"])])
def test_no_low_risk_is_claimed_of_what_no_model_scored(clearance: str, levels: list[str]) -> None:
    by_rules = decision(1, clearance, "no_risk", risk=None, mode="rules_only")
    assert texts(parsed("IE4S02", [by_rules]), ".//i:riskAnalysisResult/i:riskLevel") == levels


def test_a_declarant_is_asked_for_what_is_lacking_and_for_nothing_else() -> None:
    odd = {"field": "ioss", "problem": "not the form of an IOSS number (IM and ten digits)"}
    asked = decision(1, "green", "request_information", data_problems=[odd, *LACKING])
    assert len(texts(parsed("IE4Q04", [asked]), ".//i:additionalInformation/i:text")) == len(LACKING)
    assert given("IE4Q04", [decision(1, "green", "data_incomplete", data_problems=[odd])]) is None


def test_a_request_names_the_fields_that_are_lacking() -> None:
    root = parsed("IE4Q04")
    assert texts(root, ".//i:transportDocumentHouse/i:documentNumber") == ["HAWB2", "HAWB4"]
    assert texts(root, ".//i:additionalInformation/i:text") == [
        "hs_code: missing", "description: says nothing about the goods", "hs_code: missing",
    ]  # fmt: skip
    assert texts(root, "i:MRN") == ["26FR00000000000AB1"]


def test_a_request_for_screening_names_what_should_be_screened() -> None:
    assert texts(parsed("IE4Q05"), ".//i:transportDocumentHouse/i:documentNumber") == ["HAWB3"]


def test_nothing_to_ask_is_no_message() -> None:
    assert given("IE4Q04", [decision(1)]) is None
    assert given("IE4Q05", [decision(1)]) is None
    assert given("IE4S02", []) is None


def test_the_same_decisions_are_the_same_message() -> None:
    assert given("IE4S02") == given("IE4S02") != given("IE4S02", DECISIONS[:2])


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_ever_says_do_not_load(kind: str) -> None:
    content = given(kind) or b""
    assert b"donotload" not in content.lower().replace(b"_", b"").replace(b"-", b"").replace(b" ", b"")


@needs_samples
@pytest.mark.parametrize("kind", ["IE4S02", "IE4Q04", "IE4Q05"])
@pytest.mark.parametrize("header", [HEADER, {"message_id": "M" * 300}, {}])
def test_answers_are_valid_by_the_schemas(kind: str, header: dict[str, str]) -> None:
    schema = etree.XMLSchema(etree.parse(SAMPLES / "ics2_xsd" / f"{kind}.xsd"))
    long = decision(
        7,
        "red",
        "control_recommended",
        consignment_id="9" * 100,
        reasons=[{"code": "rule." + "x" * 90, "text": "é" * 900}],
    )
    document = etree.fromstring(given(kind, [*DECISIONS, long], header=header) or b"")
    assert schema.validate(document), schema.error_log


@needs_samples
def test_the_results_beside_the_checkout_have_the_shape_that_is_written() -> None:
    ours = parsed("IE4S02", [decision(1, "red", "control_recommended", consignment_id="LX123456785CN")])
    theirs = etree.parse(SAMPLES / "ics2_instances" / "IE4S02_result_control_recommended.xml").getroot()
    both = [[etree.QName(child).localname for child in root] for root in (ours, theirs)]
    assert both[0] == [name for name in both[1] if name != "riskAnalyst"]  # no person analysed it


@pytest.mark.parametrize(
    ("kind", "table", "words"),
    [("edifact", "edifact_7365", ["5", "6", "4", "4"]), ("asycuda", "asycuda", ["RED", "YELLOW", "BLUE", "GREEN"])],
)
def test_lanes_in_the_codes_of_others(kind: str, table: str, words: list[str]) -> None:
    told = json.loads(given(kind, format="flat") or b"")["consignments"]
    assert [one[table] for one in told][:4] == words
    assert told[0] == {"consignment_id": "HAWB1", "version": 1, table: words[0]}


def test_cells_that_a_spreadsheet_would_compute_are_quoted() -> None:
    content = given("csv", [decision(1, consignment_id='=HYPERLINK("http://x")', office="@SUM(A1)")], "flat") or b""
    (cells,) = csv.DictReader(io.StringIO(content.decode()))
    assert (cells["consignment_id"], cells["office"]) == ('\'=HYPERLINK("http://x")', "'@SUM(A1)")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("=1+1", "'=1+1"),
        (" =1+1", "' =1+1"),
        ("\t=1+1", "'\t'=1+1"),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠SUM(A1)", "'＠SUM(A1)"),
        (";=1+1", ";'=1+1"),
        ("shirts; ＝1+1", "shirts; '＝1+1"),
        ("shirts\n=1+1", "shirts\n'=1+1"),
        ("shirts = blue; red-green", "shirts = blue; red-green"),
    ],
)
def test_no_cell_begins_a_formula_whatever_divides_cells(written: str, shown: str) -> None:
    assert plain_cells(pl.DataFrame({"cell": [written]}))["cell"].to_list() == [shown]


@pytest.mark.parametrize("kind", ["IE4S02", "IE4Q04", "IE4Q05"])
def test_an_ics2_answer_to_another_message_is_refused(kind: str) -> None:
    with pytest.raises(NoSuchAnswer, match="answers an ICS2 message"):
        given(kind, format="cargo-xml")


def test_an_installation_states_its_own_codes(tmp_path: Path) -> None:
    own = tmp_path / "answers.toml"
    own.write_text('[ics2]\nmember_state = "NL"\n[ics2.risk_level]\nred = "9"\n[asycuda]\nred = "ROUGE"\n')
    codes = load_codes(own)
    assert (codes.ics2["member_state"], codes.ics2["risk_area"]) == ("NL", "IPR")
    assert (codes.risk_level["red"], codes.risk_level["green"]) == ("9", "L")
    assert codes.asycuda["red"] == "ROUGE"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[ics3]\na = 1", "^ics3: unknown"),
        ("[ics2]\nmember = 'FR'", "^ics2.member: unknown"),
        ("[asycuda]\nred = 3", "^asycuda.red: needs a text"),
        ("[asycuda", "not valid TOML"),
    ],
)
def test_a_fault_in_the_codes_names_its_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(AnswerCodesFault, match=message):
        load_codes(tmp_path / "a.toml")
