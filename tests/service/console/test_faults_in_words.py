"""Every fault that a page can show is known in every language: of people and keys, of officers' acts, of a policy."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

from service.access import accounts, api_keys, credentials, four_eyes, invitations, oidc, provider_claims
from service.audit import explain, replay
from service.console import (
    analyst_pages,
    case_pages,
    detaining,
    investigation_files,
    investigation_pages,
    list_pages,
    login_pages,
    officer_acts,
    purchase_pages,
)
from service.console.phrases import fault_in, said
from service.console.translations import faults
from service.officers import (
    assignments,
    cases,
    holder_answers,
    investigations,
    offices,
    overrides,
    proposals,
    purchases,
    search,
    what_if,
)
from service.orientation import applications, capacity, indicators, policy_file, policy_sections, rules
from service.parties import stored_parties, watch_lists
from tests.service.console.every_page import latin_words

RAISING = (
    *(accounts, api_keys, credentials, four_eyes, invitations, oidc, provider_claims, explain, replay),
    *(analyst_pages, login_pages, officer_acts, assignments, offices, overrides, proposals, search, what_if),
    *(applications, capacity, indicators, policy_file, policy_sections, rules, stored_parties),
    *(investigation_files, purchase_pages, purchases),
    *(case_pages, detaining, investigation_pages, list_pages, cases, holder_answers, investigations, watch_lists),
)
KINDS = {"Fault", "Denied", "PolicyFault", "NotBegunHere", "NotReplayable"}
FILLED = "7"
NAMES = {"TOML", "UTC"}


def written(node: ast.expr, module: ModuleType) -> str | None:
    """The text of a fault with something put in; None where it is somebody else's."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [str(part.value) if isinstance(part, ast.Constant) else FILLED for part in node.values]
        return "".join(parts)
    return getattr(module, node.id, None) if isinstance(node, ast.Name) else None


def raised() -> Iterator[tuple[str, str]]:
    for module in RAISING:
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS and node.args:
                text = written(node.args[0], module)
                if isinstance(text, str):
                    yield module.__name__, text


ALL = sorted(set(raised()))


@pytest.mark.parametrize(("module", "fault"), ALL)
def test_a_fault_is_known_in_every_language(module: str, fault: str) -> None:
    assert {*latin_words(fault_in(fault, "zh"))} - NAMES == set(), fault_in(fault, "zh")
    assert fault_in(fault, "fr") != fault


def test_the_scan_finds_the_faults() -> None:
    assert len(ALL) > 70
    assert ("service.access.accounts", "wrong name or password") in ALL


def test_what_is_put_in_stands_in_its_place_and_words_are_said() -> None:
    assert said("role: one of analyst", "fr") is None  # a field is no part of a sentence
    assert fault_in("role: one of analyst, auditor", "fr") == "Rôle : l'un de : analyste, auditeur"
    assert fault_in("key: give at least 6 characters before the *", "zh") == "关键词：*之前至少6个字符"
    assert said("Rate limit exceeded; retry after 10 s.", "fr") == "Trop de demandes ; réessayez dans 10 s."
    assert said("something that nobody has said; retry after 5 s.", "fr") is None
    assert all(text.count("{") == fault.count("{}") for fault, texts in faults().items() for text in texts.values())
