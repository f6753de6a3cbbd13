"""The pages of those who answer for it: policy and capacity, the model, the record, and who may come in."""

from __future__ import annotations

import difflib
import threading
import tomllib
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from features.choices import OF_PEOPLE, ROLES
from features.fault import Fault
from features.moments import EPOCH, micros
from service.access.api_keys import KEY_DAYS
from service.access.guard import principal_of
from service.access.hosts import address_of_service
from service.access.principal import PURPOSES
from service.api.live_desk import desk_of
from service.audit.replay import Bundles, replay
from service.audit.verify import Verified, verify_record
from service.console import page_queries as reading
from service.console.rendering import access_of, form_of, language_of, now, page, read_log_of, text_of, to
from service.console.translations import words
from service.officers.offices import on_record, require_seen, unseen
from service.officers.policy_form import CHECKS, WORDS
from service.officers.proposals import proposals
from service.orientation.policy_file import kinds_of_columns
from service.scoring.explanation import Language

router = APIRouter(include_in_schema=False)
WHAT_IF_DAYS = 28
READS_SHOWN = 50
Form = Annotated[FormData, Depends(form_of)]


class Verification:
    """One verification of the whole chain at a time, beside the calls: a large store takes minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.verified: Verified | None = None
        self.fault = ""

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Any) -> None:
        """Begin, where none is under way."""
        with self._lock:
            if self.running:
                return
            self.verified, self.fault = None, ""
            self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
            self._thread.start()

    def _run(self, work: Any) -> None:
        try:
            self.verified = work()
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is shown where the result would be
            self.fault = type(fault).__name__


@router.get("/console/policy")
def policy_page(request: Request) -> Response:
    """The policy that serves, what today has taken, and what is proposed in its place."""
    return show_policy(request)


def show_policy(request: Request, fault: str = "", text: str = "", reason: str = "") -> Response:
    """The page of the policy. text, reason: what stands in the box of a proposal; the policy that serves, and none."""
    desk, at, principal = desk_of(request), now(), principal_of(request)
    store = desk.journal.store
    hits = reading.rule_hits(store, micros(at))
    rules = [
        {"code": rule.code, "lane": rule.lane.name, "author": rule.author, "office": rule.office, "start": rule.start,
         "end": rule.end, "state": rule.state(at.date()), "reason": rule.reason, "hits": hits.get(rule.code)}
        for rule in desk.policy.rules
    ]  # fmt: skip
    spent = [
        row for row in reading.spent_today(store, (at - EPOCH) // timedelta(hours=1)) if principal.sees(row["office"])
    ]
    waiting = [
        {**one, "changes": _difference(desk.policy.text, one["content"]) if one["state"] != "done" else []}
        for one in proposals(store, "policy")
    ]
    return page(
        request, "policy", _status(fault), rules=rules, spent=spent, text=desk.policy.text, fault=fault,
        policy_id=desk.policy.policy_id, proposals=waiting, kind="policy", proposed_text=text, proposed_reason=reason,
        checks=CHECKS, conditions=WORDS, columns=sorted(kinds_of_columns()), offices_known=_offices_known(request),
        policy=_thresholds(desk.policy.text),
    )  # fmt: skip


@router.get("/console/audit")
def audit_page(request: Request) -> Response:
    """The chain, a decision given again, and who read what."""
    return _audit(request)


@router.post("/console/audit/verify")
def verify_chain(request: Request, form: Form) -> Response:  # noqa: ARG001 - checks the token
    """Begin a verification; the page shows what comes of it."""
    settings, store = request.app.state.settings, desk_of(request).journal.store
    _verification(request).start(lambda: verify_record(store, settings.checkpoints, settings.keys))
    return to("/console/audit")


@router.post("/console/audit/replay")
def replay_decision(request: Request, form: Form) -> Response:
    """Give a decision again and compare."""
    settings, store = request.app.state.settings, desk_of(request).journal.store
    decision_id, principal = text_of(form, "decision_id"), principal_of(request)
    try:
        require_seen(store, principal, decision_id)
        given = replay(store, Bundles(settings.bundles, settings.keys), decision_id)
    except Fault as fault:
        return _audit(request, fault=str(fault))
    return _audit(request, replayed=given)


@router.get("/console/access")
def access_page(request: Request) -> Response:
    """People and machines."""
    return _access(request)


@router.post("/console/access/invite")
def invite(request: Request, form: Form) -> Response:
    """A one-time link for somebody."""
    role, by = text_of(form, "role"), principal_of(request).name
    try:
        token = access_of(request).invite(text_of(form, "name"), role, _offices(form), by, now())
    except Fault as fault:
        return _access(request, fault=str(fault))
    return _access(request, link=_link(request, token))


def _link(request: Request, token: str) -> str:
    return f"{address_of_service(request)}{request.app.url_path_for('invitation_page', token=token)}"


@router.post("/console/access/keys")
def make_key(request: Request, form: Form) -> Response:
    """A key for a machine, shown once."""
    role, by = text_of(form, "role"), principal_of(request).name
    try:
        days = int(text_of(form, "days") or KEY_DAYS)
        key = access_of(request).make_key(
            text_of(form, "name"), role, _offices(form), text_of(form, "purpose"), by, now(), days
        )
    except Fault as fault:
        return _access(request, fault=str(fault))
    except ValueError:
        return _access(request, fault="days: a whole number")
    return _access(request, key=key)


@router.post("/console/access/keys/{key_id}/revoke")
def revoke_key(request: Request, key_id: str, form: Form) -> Response:  # noqa: ARG001 - checks the token
    """End a key."""
    access_of(request).revoke_key(key_id, principal_of(request).name, now())
    return to("/console/access")


@router.post("/console/access/people/{name}/close")
def close_account(request: Request, name: str, form: Form) -> Response:  # noqa: ARG001 - checks the token
    """Let somebody in no more."""
    try:
        access_of(request).close_account(name, principal_of(request).name, now())
    except Fault as fault:
        return _access(request, fault=str(fault))
    return to("/console/access")


def _verification(request: Request) -> Verification:
    state = request.app.state
    if not hasattr(state, "verification"):
        state.verification = Verification()
    verification: Verification = state.verification
    return verification


def _audit(request: Request, fault: str = "", replayed: Any = None) -> Response:
    part = "verification" if request.headers.get("hx-request") else "audit"
    if part == "audit":
        read_log_of(request).move()  # the latest reads too; where the store is busy, they follow in a moment
    return page(
        request, part, _status(fault), fault=fault, replayed=replayed,
        purposes=PURPOSES, read=partial(_read_as, language_of(request)),
        verification=_verification(request), reads=[] if part == "verification" else _reads(request),
    )  # fmt: skip


def _read_as(language: Language, route: str) -> str:
    """What was read, in words."""
    known = words()["read"]
    return known[route if route in known else "other"][language]


def _reads(request: Request) -> list[dict[str, Any]]:
    """The latest reads; of what other offices lodged it is not said what was read."""
    principal, latest = principal_of(request), access_of(request).reads(READS_SHOWN)
    if principal.sees_all:
        return latest
    store, subjects = desk_of(request).journal.store, [one["subject"] for one in latest]
    shown = on_record(store, subjects) - unseen(store, principal, subjects)
    return [one if one["subject"] in shown else {**one, "subject": ""} for one in latest]


def _access(request: Request, fault: str = "", link: str = "", key: str = "") -> Response:
    access = access_of(request)
    return page(
        request, "access", _status(fault), fault=fault, link=link, key=key,
        people=access.accounts(), keys=access.keys(now()), roles=ROLES, roles_of_people=OF_PEOPLE,
    )  # fmt: skip


def _offices_known(request: Request) -> list[str]:
    """Offices that anything was decided for, those that the caller sees."""
    return [one for one in reading.offices(desk_of(request).journal.store) if principal_of(request).sees(one)]


def _thresholds(text: str) -> dict[str, str]:
    """What a policy says of the least risk and the share drawn by chance; empty where it says nothing."""
    written = tomllib.loads(text)
    return {
        "risk_least": str(written.get("risk", {}).get("least", "")),
        "random_rate": str(written.get("random", {}).get("rate", "")),
    }


def _offices(form: FormData) -> list[str]:
    return [one.strip() for one in text_of(form, "offices").split(",") if one.strip()]


def _status(fault: str) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK


def _difference(old: str, new: str) -> list[str]:
    """The lines of a policy that another one changes, with a few around them."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2)
    return [line for line in lines if not line.startswith(("---", "+++"))]
