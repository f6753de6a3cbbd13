"""The authorisation matrix: which roles may call which route; a route without a row does not start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from features.choices import OF_PEOPLE, Role

Scope = Literal["nothing", "office", "parts", "sender", "network", "found", "holder", "all"]
SCOPES: dict[Scope, str] = {  # whose things a route shows or changes, among those that are on record
    "nothing": "nothing that belongs to an office",
    "office": "what is of the office that is named, if it is one of the caller's",
    "parts": "a consignment of which the caller sees every part",
    "sender": "what the caller itself lodged, for its offices; what is new becomes its own",
    "network": "of a network, the parties that have sent to the caller's offices, and how many others there are",
    "found": "of what is found, the consignments of which the caller sees every part; no others are counted",
    "holder": "goods that no other right holder has registered",
    "all": "what is of the installation as a whole, whichever offices the caller is for",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One route of the matrix.

    roles: allowed ones. scope: whose things they reach by it. public: allowed without authentication. reads: reads
    personal data, which is logged. rehearses: may be called as a dry run, which leaves no
    other trace and is logged too.
    """

    roles: frozenset[Role] = frozenset()
    scope: Scope = "nothing"
    public: bool = False
    reads: bool = False
    traced: bool = False
    rehearses: bool = False


def _only(*roles: Role, scope: Scope, reads: bool = False, traced: bool = False, rehearses: bool = False) -> Row:
    return Row(frozenset(roles), scope, reads=reads, traced=traced, rehearses=rehearses)


PUBLIC = Row(public=True)
ANYBODY_KNOWN = Row(frozenset(OF_PEOPLE))  # economic operators have no access to the service
PERMISSIONS: dict[str, Row] = {
    # machines and their people, under /v1
    "post_consignments": _only("clearance", scope="sender", rehearses=True),
    "post_message": _only("clearance", scope="sender", rehearses=True),
    "post_outcomes": _only("clearance", "analyst", scope="parts"),
    "get_consignment": _only("clearance", "analyst", "auditor", scope="parts", reads=True),
    "get_decisions": _only("clearance", "analyst", "auditor", scope="found", reads=True),
    "get_dossier": _only("analyst", "auditor", scope="parts", reads=True),
    "get_queue": _only("clearance", "analyst", scope="office", reads=True),
    "get_network": _only("analyst", "auditor", scope="network", reads=True),
    "get_network_ftm": _only("analyst", "auditor", scope="network", reads=True),
    "get_search": _only("analyst", "auditor", scope="found", reads=True, traced=True),
    "get_investigations": _only("analyst", "auditor", scope="found", reads=True),
    "post_investigation": _only("analyst", scope="office"),
    "get_investigation": _only("analyst", "auditor", scope="office", reads=True),
    "post_investigation_entry": _only("analyst", scope="office"),
    "post_document": _only("analyst", scope="office"),
    "get_document": _only("analyst", "auditor", scope="office", reads=True),
    "post_hand_over": _only("analyst", scope="office", reads=True),
    "get_operators": _only("analyst", "auditor", scope="all", reads=True),
    "post_operator_audit": _only("analyst", scope="all"),
    "post_judgement": _only("analyst", scope="network"),
    "post_transfer": _only("analyst", scope="parts"),
    "get_purchases": _only("analyst", scope="office", reads=True),
    "post_purchase": _only("analyst", scope="office"),
    "post_purchase_note": _only("analyst", scope="office"),
    "post_genuine": _only("right_holder", scope="holder"),
    # monitoring of the service; no personal data
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "metrics": PUBLIC,
    # about the API: the same in every installation
    "openapi": PUBLIC,
    "api_reference": PUBLIC,
    "problem_kinds": PUBLIC,
    "docs_static": PUBLIC,
    # the console
    "static": PUBLIC,
    "start": PUBLIC,
    "log_in_page": PUBLIC,
    "log_in": PUBLIC,
    "start_oidc_login": PUBLIC,
    "oidc_callback": PUBLIC,
    "invitation_page": PUBLIC,
    "accept_invitation": PUBLIC,
    "log_out": ANYBODY_KNOWN,
    "choose_language": ANYBODY_KNOWN,
    "home_page": ANYBODY_KNOWN,
    "queue_page": _only("analyst", "auditor", scope="office", reads=True),
    "queue_csv": _only("analyst", "auditor", scope="office", reads=True),
    "keep_list_view": _only("analyst", "auditor", scope="nothing"),
    "take_consignment": _only("analyst", scope="parts"),
    "release_consignment": _only("analyst", scope="parts"),
    "consignment_page": _only("analyst", "auditor", scope="parts", reads=True),
    "override": _only("analyst", scope="parts"),
    "enter_outcome": _only("analyst", scope="parts"),
    "undo": _only("analyst", scope="parts"),
    "bulk_page": _only("analyst", scope="parts", reads=True),
    "enter_bulk_results": _only("analyst", scope="parts"),
    "undo_bulk_results": _only("analyst", scope="parts"),
    "network_page": _only("analyst", "auditor", scope="network", reads=True),
    "judge_pair": _only("analyst", scope="network"),
    "search_page": _only("analyst", "auditor", scope="nothing"),
    "find": _only("analyst", "auditor", scope="nothing"),
    "found_page": _only("analyst", "auditor", scope="found", reads=True, traced=True),
    "found_csv": _only("analyst", "auditor", scope="found", reads=True, traced=True),
    "lists_page": _only("analyst", "auditor", scope="all"),
    "lists_csv": _only("analyst", "auditor", scope="all"),
    "import_list_version": _only("analyst", scope="all"),
    "reports_page": _only("analyst", "auditor", scope="all", reads=True),
    "list_page": _only("analyst", "auditor", scope="found", reads=True),
    "decide_list_version": _only("analyst", scope="all"),
    "cases_page": _only("analyst", "auditor", scope="found", reads=True),
    "cases_csv": _only("analyst", "auditor", scope="found", reads=True),
    "investigations_page": _only("analyst", "auditor", scope="found", reads=True),
    "begin_investigation": _only("analyst", scope="office"),
    "investigation_page": _only("analyst", "auditor", scope="office", reads=True),
    "act_in_investigation": _only("analyst", scope="office"),
    "attach_document": _only("analyst", scope="office"),
    "document_file": _only("analyst", "auditor", scope="office", reads=True),
    "hand_over_investigation": _only("analyst", scope="office", reads=True),
    "purchases_page": _only("analyst", scope="found", reads=True),
    "order_purchase": _only("analyst", scope="office"),
    "note_purchase": _only("analyst", scope="office"),
    "act_on_case": _only("analyst", scope="parts"),
    "holder_page": PUBLIC,
    "answer_as_holder": PUBLIC,
    "capacity_page": _only("analyst", "data_scientist", "auditor", scope="office"),
    "day_page": _only("analyst", "auditor", scope="office", reads=True),
    "policy_page": _only("analyst", "data_scientist", "auditor", scope="all"),
    "propose_policy": _only("analyst", "data_scientist", scope="all"),
    "propose_policy_by_form": _only("analyst", "data_scientist", scope="all"),
    "propose_promotion": _only("data_scientist", scope="all"),
    "decide_proposal": _only("analyst", "data_scientist", scope="all"),
    "model_page": _only("analyst", "data_scientist", "auditor", scope="all"),
    "operators_page": _only("analyst", "auditor", scope="all", reads=True),
    "operators_csv": _only("analyst", "auditor", scope="all", reads=True),
    "open_operator_audit": _only("analyst", scope="all"),
    "burden_page": _only("analyst", "data_scientist", "auditor", scope="all"),
    "audit_page": _only("auditor", scope="all"),
    "verify_chain": _only("auditor", scope="all"),
    "replay_decision": _only("auditor", scope="parts", reads=True),
    "access_page": _only("admin", scope="all"),
    "invite": _only("admin", scope="all"),
    "make_key": _only("admin", scope="all"),
    "revoke_key": _only("admin", scope="all"),
    "close_account": _only("admin", scope="all"),
}


def check_every_route_has_a_row(names: Iterable[str]) -> None:
    """Raise KeyError naming the routes that the matrix does not cover."""
    missing = sorted(set(names) - set(PERMISSIONS))
    if missing:
        raise KeyError(f"routes without a row in the authorisation matrix: {', '.join(missing)}")
