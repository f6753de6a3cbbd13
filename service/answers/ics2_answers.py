"""Answers to an ICS2 risk analysis request: the result (IE4S02) and requests for information or screening.

Namespace `urn:wco:datamodel:eu:ics2:2`; elements in the order of the schemas. A result may recommend a control; it
never holds `doNotLoadDetails`, which is reserved for aviation security.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lxml import etree

from features.messages.quality import MEANINGLESS
from features.messages.required_elements import is_lacking
from service.answers.answer_codes import AnswerCodes

NAMESPACE = "urn:wco:datamodel:eu:ics2:2"
LONGEST_TEXT, LONGEST_REFERENCE, LONGEST_REQUEST = 512, 35, 17
MOST_REQUESTS = 999
INCOMPLETE = ("request_information", "data_incomplete")
ASKED = (*INCOMPLETE, "request_amendment")
REQUESTS = {"request_amendment": "amendment_request"}
Decision = Mapping[str, Any]
Tree = Mapping[str, Any]
"""Element name → text, subtree, or a list of either."""


def risk_result(decisions: Sequence[Decision], header: Mapping[str, str], codes: AnswerCodes) -> bytes:
    """Write an IE4S02: the result for every house, and a recommended control for red and yellow lanes."""
    completed = _moment(decisions)
    results = [
        {
            "riskAnalysisType": codes.ics2["risk_analysis_type"],
            "riskAreaCode": codes.risk_area(decision.get("risk_by_kind")),
            **_level(decision, codes),
            "riskCriteriaIdentifier": _criterion(decision),
            "resultCode": codes.result_code[decision["pre_arrival"]],
            "resultText": _result_text(decision),
            "dateAndTimeOfCompletion": {"DateTime": completed},
            "pointer": {"messageElementPath": _house(decision)},
        }
        for decision in decisions
    ]
    analysis = {
        "riskAnalysisRequestReference": _reference(header),
        "category": codes.ics2["risk_analysis_category"],
        "riskAnalysisResult": results,
    }
    controls = [
        {
            "placeOfControl": codes.ics2["place_of_control"],
            "controlSubject": {
                "consignmentMasterLevel": {
                    "consignmentHouseLevel": {"transportDocumentHouseLevel": _document(decision, codes)}
                }
            },
        }
        for decision in decisions
        if decision["clearance"] in ("red", "yellow")
    ]
    return _written(
        "IE4S02",
        {
            "MessageHeader": _message(decisions, header, codes, "s02"),
            "messageFunction": codes.ics2["message_function"],
            "functionalReference": header.get("functional_reference", _reference(header))[:LONGEST_REFERENCE],
            "documentIssueDate": {"DateTime": completed},
            "responsibleMemberState": {"country": header.get("member_state", codes.ics2["member_state"])},
            "riskAnalysis": analysis,
            "controlRecommendations": controls,
        },
    )


def information_request(decisions: Sequence[Decision], header: Mapping[str, str], codes: AnswerCodes) -> bytes | None:
    """Write an IE4Q04: the information requested from the declarant, by field; None where nothing is requested."""
    asked = [
        {
            "referralRequestReference": decision["decision_id"][:LONGEST_REQUEST],
            "requestType": codes.ics2[REQUESTS.get(decision["pre_arrival"], "information_request")],
            "transportDocumentHouse": _document(decision, codes),
            "additionalInformation": [
                {
                    "text": f"{problem['field']}: {problem['problem']}"[:LONGEST_TEXT],
                    "type": codes.ics2["additional_information"],
                }
                for problem in _asked_for(decision)[:99]
            ],
            "pointer": {"messageElementPath": _house(decision)},
        }
        for decision in decisions
        if _asked_for(decision)
    ]
    return _request("IE4Q04", asked, decisions, header, codes)


def screening_request(decisions: Sequence[Decision], header: Mapping[str, str], codes: AnswerCodes) -> bytes | None:
    """Write an IE4Q05: houses to be screened before loading; None where there are none."""
    asked = [
        {
            "referralRequestReference": decision["decision_id"][:LONGEST_REQUEST],
            "requestType": codes.ics2["screening_request"],
            "recommendedHRCMScreeningMethod": {"method": codes.ics2["screening_method"]},
            "transportDocumentHouse": _document(decision, codes),
        }
        for decision in decisions
        if decision["pre_arrival"] == "request_screening"
    ]
    return _request("IE4Q05", asked, decisions, header, codes)


def _request(
    root: str, asked: Sequence[Tree], decisions: Sequence[Decision], header: Mapping[str, str], codes: AnswerCodes
) -> bytes | None:
    if not asked:
        return None
    mrn = header.get("mrn", "")
    return _written(
        root,
        {
            "MessageHeader": _message(decisions, header, codes, root[-3:].lower()),
            "documentIssueDate": {"DateTime": _moment(decisions)},
            "riskAnalysisRequestReference": _reference(header),
            **({"MRN": mrn} if len(mrn) == 18 else {}),
            "responsibleMemberState": {"country": header.get("member_state", codes.ics2["member_state"])},
            "referralRequestDetails": list(asked[:MOST_REQUESTS]),
        },
    )


def _message(decisions: Sequence[Decision], header: Mapping[str, str], codes: AnswerCodes, kind: str) -> Tree:
    """Return the header; its identifier follows from the decisions, so that a repeated answer is the same message."""
    key = "\x1f".join([kind, *(decision["decision_id"] for decision in decisions)])
    sent = header.get("message_id", "")
    return {
        "messageId": f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:32]}",
        **({"correlationId": sent, "replyToMessageId": sent} if 0 < len(sent) <= 291 else {}),
        "messageTimestamp": _moment(decisions),
        "messageSender": header.get("recipient", codes.ics2["sender"]),
        "messageRecipient": header.get("sender", codes.ics2["recipient"]),
    }


def _reference(header: Mapping[str, str]) -> str:
    named = header.get("risk_analysis_reference") or header.get("functional_reference") or header.get("message_id", "-")
    return named[:LONGEST_REFERENCE]


def _document(decision: Decision, codes: AnswerCodes) -> Tree:
    return {"documentNumber": decision["consignment_id"][:70], "type": codes.ics2["transport_document"]}


def _house(decision: Decision) -> str:
    number: str = decision["consignment_id"].replace("'", "")
    path = f"consignmentMasterLevel/consignmentHouseLevel[transportDocumentHouseLevel/documentNumber='{number}']"
    return path[:LONGEST_TEXT]


def _criterion(decision: Decision) -> str:
    """Return the first rule that asked for a check, else the kind of selection."""
    rule = next((r["code"].removeprefix("rule.") for r in decision["reasons"] if r["code"].startswith("rule.")), None)
    return str(rule or decision["selection"])[:LONGEST_REQUEST]


def _asked_for(decision: Decision) -> list[Mapping[str, str]]:
    """Return the problems (`field`, `problem`) that a declarant is asked about; none where nothing is asked."""
    if decision["pre_arrival"] not in ASKED:
        return []
    lacking = [one for one in decision["data_problems"] if is_lacking(one["field"], one["problem"])]
    vague = decision["pre_arrival"] == "request_information" and not lacking
    return [{"field": "description", "problem": MEANINGLESS}] if vague else lacking


def _level(decision: Decision, codes: AnswerCodes) -> Tree:
    """Return the level of risk by lane; none for what is released unless it was scored and assessed to the end.

    Where rules decide without a model nobody knows that a risk is low: rules found nothing, and the words say so.
    """
    unknown = decision["pre_arrival"] in INCOMPLETE or decision["risk"] is None
    undecided = unknown and decision["clearance"] in ("green", "blue")
    return {} if undecided else {"riskLevel": codes.risk_level[decision["clearance"]]}


def _result_text(decision: Decision) -> str:
    """Return the reasons in words; of what is incomplete or asked about nobody says that there is no risk."""
    texts = [reason["text"] for reason in decision["reasons"]]
    if decision["pre_arrival"] in INCOMPLETE:
        lacking = ", ".join(f"{one['field']} {one['problem']}" for one in _asked_for(decision))
        texts.insert(0, f"not assessed to the end: {lacking or 'no score could be given'}")
    elif decision["pre_arrival"] != "no_risk":
        texts = texts or [decision["pre_arrival"].replace("_", " ")]
    return " ".join("; ".join(texts).split())[:LONGEST_TEXT] or "no risk identified"


def _moment(decisions: Sequence[Decision]) -> str:
    """Return when the last of these was decided, to the second, UTC."""
    moments = [decision["decided_at"] for decision in decisions]
    latest = max(datetime.fromisoformat(moment.replace("Z", "+00:00")) for moment in moments)
    return latest.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(root: str, tree: Tree) -> bytes:
    element = etree.Element(etree.QName(NAMESPACE, root), nsmap={None: NAMESPACE})
    _grow(element, tree)
    return bytes(etree.tostring(element, xml_declaration=True, encoding="UTF-8"))


def _grow(element: Any, tree: Tree) -> None:
    for name, content in tree.items():
        for item in content if isinstance(content, list) else [content]:
            child = etree.SubElement(element, etree.QName(NAMESPACE, name))
            if isinstance(item, Mapping):
                _grow(child, item)
            else:
                child.text = item
