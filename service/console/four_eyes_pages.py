"""What needs two people: another policy, another champion. One proposes, another approves, and then it is done here."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from features.fault import Fault
from service.access.four_eyes import require_two_people
from service.access.guard import principal_of
from service.api.live_desk import desk_of
from service.console.model_page import show_model
from service.console.oversight_pages import show_policy
from service.console.rendering import form_of, now, text_of, to
from service.console.translations import LANGUAGES
from service.officers.policy_form import (
    CHECKS,
    Clause,
    with_capacity,
    with_rule,
    with_rule_ended,
    with_threshold,
)
from service.officers.proposals import conclude, decide, note_trial, propose
from service.orientation import load_policy
from service.serving.policy_activation import activate_policy
from service.settings import Settings
from service.store.database import Store

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]
WITHIN = 600  # seconds
LARGEST = 2**63 - 1  # number that a database holds
LONGEST_POLICY = 100_000


@router.post("/console/policy/proposals")
def propose_policy(request: Request, form: Form) -> Response:
    """Put another policy forward: a rule more, a rule less, other hands."""
    text, reason = str(form.get("text", ""))[:LONGEST_POLICY], text_of(form, "reason")
    try:
        _propose(request, text, reason)
    except Fault as fault:
        return show_policy(request, str(fault), text, reason)
    return to("/console/policy")


@router.post("/console/policy/form")
def propose_policy_by_form(request: Request, form: Form) -> Response:
    """The same by a form, or the text that it makes, to be looked at and changed before it is proposed."""
    reason, text = text_of(form, "reason"), ""
    try:
        text = _text_of_form(desk_of(request).policy.text, form, principal_of(request).name)
        if text_of(form, "then") == "text":
            load_policy(text)
            return show_policy(request, "", text, reason)
        _propose(request, text, reason)
    except Fault as fault:
        return show_policy(request, str(fault), text, reason)
    return to("/console/policy#proposals")


def _propose(request: Request, text: str, reason: str) -> None:
    store = desk_of(request).journal.store
    number = propose(store, "policy", text, reason, principal_of(request).name, now())
    trying = (store, request.app.state.settings, number, text)
    threading.Thread(target=try_rules, args=trying, daemon=True).start()


def _text_of_form(text: str, form: FormData, author: str) -> str:
    """Make the policy that a form asks for."""
    what = text_of(form, "what")
    if what == "capacity":
        return with_capacity(text, text_of(form, "office"), {name: text_of(form, name) for name in CHECKS})
    if what == "thresholds":
        return with_threshold(text, text_of(form, "least"), text_of(form, "rate"))
    if what == "end":
        return with_rule_ended(text, text_of(form, "code"), text_of(form, "last"))
    stated = zip(*(map(str, form.getlist(name)) for name in ("column", "condition", "bound")), strict=False)
    clauses = [Clause(column.strip(), word, bound) for column, word, bound in stated if column.strip()]
    if not clauses:
        raise Fault("column: choose one that the list offers")
    reasons: dict[str, str] = {language: text_of(form, f"reason_{language}") for language in LANGUAGES}
    given = (text_of(form, name) for name in ("office", "first", "last"))
    return with_rule(text, text_of(form, "code"), clauses, text_of(form, "lane"), reasons, author, *given)


@router.post("/console/model/proposals")
def propose_promotion(request: Request, form: Form) -> Response:
    """Put a registered version forward as champion."""
    try:
        by, reason = principal_of(request).name, text_of(form, "reason")
        version, although = text_of(form, "version"), text_of(form, "although")
        propose(desk_of(request).journal.store, "promotion", version, reason, by, now(), although)
    except Fault as fault:
        return show_model(request, fault=str(fault))
    return to("/console/model")


@router.post("/console/proposals/{number}")
def decide_proposal(request: Request, number: Annotated[int, Path(ge=1, le=LARGEST)], form: Form) -> Response:
    """Approve or refuse what another proposed; an approved one is carried out beside the calls."""
    store, settings = desk_of(request).journal.store, request.app.state.settings
    approved = text_of(form, "word") == "approve"
    page_of = show_policy if text_of(form, "page") == "policy" else show_model
    try:
        if approved:
            require_two_people(store, number, principal_of(request).name, now())
        decided = decide(store, number, approved, principal_of(request).name, now())
    except Fault as fault:
        return page_of(request, fault=str(fault))
    if approved:
        threading.Thread(target=carry_out, args=(store, settings, decided), daemon=True).start()
    return to(f"/console/{'policy' if decided['kind'] == 'policy' else 'model'}")


def carry_out(store: Store, settings: Settings, decided: dict[str, Any]) -> None:
    """Do what was approved, and record what came of it, whatever that is."""
    by = f"{decided['proposed_by']}, approved by {decided['decided_by']}"
    try:
        if decided["kind"] == "policy":
            bundle = activate_policy(settings, store, decided["content"], by, decided["reason"], now())
            conclude(store, decided["proposal_id"], True, bundle.name, now())
        else:
            done, outcome = promote(settings, decided["content"], by, decided["reason"], decided["although"])
            conclude(store, decided["proposal_id"], done, outcome, now())
    except Exception as fault:  # noqa: BLE001 - whatever it is stands beside the proposal
        conclude(store, decided["proposal_id"], False, str(fault) if isinstance(fault, Fault) else type(fault).__name__,
                 now())  # fmt: skip


def promote(settings: Settings, version: str, by: str, reason: str, although: str = "") -> tuple[bool, str]:
    """`tamis promote` in a process of its own: what serves never loads the registry."""
    forced = ["--force-reason", although] if although else []
    done, lines = _tamis(settings, "promote", version, "--by", by, "--reason", reason, *forced)
    return done, lines[-1] if lines else ""


def try_rules(store: Store, settings: Settings, number: int, text: str) -> None:
    """`tamis rules` on what was proposed: what each rule would have held for, for whoever decides."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _, lines = _tamis(settings, "rules", file.name)
    note_trial(store, number, "\n".join(lines))


def _tamis(settings: Settings, *words: str) -> tuple[bool, list[str]]:
    """A command of ours: whether it was done, and the lines that it said."""
    environment = {**os.environ, "TAMIS_HOME": str(settings.home), "TAMIS_STORE": settings.store, "COLUMNS": "140"}
    done = subprocess.run(  # noqa: S603 - each word is an argument of its own, and no shell reads it
        [sys.executable, "-m", "pipelines.cli", *words],
        env=environment, capture_output=True, text=True, timeout=WITHIN, check=False,
    )  # fmt: skip
    output = done.stdout if done.returncode == 0 else done.stderr
    return done.returncode == 0, output.strip().splitlines()
