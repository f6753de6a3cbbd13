"""The authorisation matrix: which roles may call which route; a route without a row does not start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from features.words import OF_PEOPLE, Role


@dataclass(frozen=True, slots=True)
class Row:
    """roles: who may; public: anybody, recognised or not; reads: whether personal data is read, which is logged."""

    roles: frozenset[Role] = frozenset()
    public: bool = False
    reads: bool = False


def _only(*roles: Role, reads: bool = False) -> Row:
    return Row(frozenset(roles), reads=reads)


PUBLIC = Row(public=True)
ANYBODY_KNOWN = Row(frozenset(OF_PEOPLE))  # a firm of the trade sees nothing of the service
PERMISSIONS: dict[str, Row] = {
    # machines and their people, under /v1
    "post_consignments": _only("clearance"),
    "post_message": _only("clearance"),
    "post_outcomes": _only("clearance", "analyst"),
    "get_consignment": _only("clearance", "analyst", "auditor", reads=True),
    "get_dossier": _only("analyst", "auditor", reads=True),
    "get_queue": _only("clearance", "analyst", reads=True),
    "get_network": _only("analyst", "auditor", reads=True),
    "get_network_ftm": _only("analyst", "auditor", reads=True),
    "post_judgement": _only("analyst"),
    "post_genuine": _only("right_holder"),
    # whoever watches over the service; no personal data
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "metrics": PUBLIC,
    "openapi": ANYBODY_KNOWN,
    # the console
    "static": PUBLIC,
    "start": PUBLIC,
    "log_in_page": PUBLIC,
    "log_in": PUBLIC,
    "begin_elsewhere": PUBLIC,
    "come_back": PUBLIC,
    "invitation_page": PUBLIC,
    "accept_invitation": PUBLIC,
    "log_out": ANYBODY_KNOWN,
    "choose_language": ANYBODY_KNOWN,
    "home_page": ANYBODY_KNOWN,
    "queue_page": _only("analyst", "auditor", reads=True),
    "consignment_page": _only("analyst", "auditor", reads=True),
    "override": _only("analyst"),
    "enter_outcome": _only("analyst"),
    "network_page": _only("analyst", "auditor", reads=True),
    "judge_pair": _only("analyst"),
    "policy_page": _only("analyst", "data_scientist", "auditor"),
    "propose_policy": _only("analyst", "data_scientist"),
    "propose_promotion": _only("data_scientist"),
    "decide_proposal": _only("analyst", "data_scientist"),
    "model_page": _only("analyst", "data_scientist", "auditor"),
    "audit_page": _only("auditor"),
    "verify_chain": _only("auditor"),
    "replay_decision": _only("auditor", reads=True),
    "access_page": _only("admin"),
    "invite": _only("admin"),
    "make_key": _only("admin"),
    "revoke_key": _only("admin"),
    "close_account": _only("admin"),
}


def check_every_route_has_a_row(names: Iterable[str]) -> None:
    """Raise KeyError, naming them, where routes would be decided by nobody."""
    lacking = sorted(set(names) - set(PERMISSIONS))
    if lacking:
        raise KeyError(f"routes without a row in the authorisation matrix: {', '.join(lacking)}")
