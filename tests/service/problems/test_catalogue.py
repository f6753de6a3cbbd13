"""The catalogue of problems: every refusal is one of its kinds, and each kind is one that the service refuses by."""

from __future__ import annotations

import ast
import json
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

import service
from service.problems import answers, catalogue, field_problem, problem
from service.problems.catalogue import KINDS, OF_STATUS, PAGE, Kind

SOURCES = sorted(Path(service.__file__).parent.rglob("*.py"))
NAMES = {name: kind for name, kind in vars(catalogue).items() if isinstance(kind, Kind)}


OF_THE_FRAMEWORK = (HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED)


def trees() -> list[ast.AST]:
    return [ast.parse(file.read_text(encoding="utf-8")) for file in SOURCES if file.name != "catalogue.py"]


def kinds_used() -> set[str]:
    """The names of the catalogue that code refuses by."""
    return {
        node.attr
        for tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "catalogue"
    }


def statuses_raised() -> set[HTTPStatus]:
    """The statuses that routes and pages raise without naming a kind."""
    found = set()
    for call in (node for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if getattr(call.func, "id", "") == "HTTPException":
            given = call.args[0]
            if isinstance(given, ast.Constant):
                found.add(HTTPStatus(int(str(given.value))))
            else:
                found.add(HTTPStatus[ast.unparse(given).rpartition(".")[2]])
    return found


def test_every_kind_is_listed_once_with_a_code_and_words() -> None:
    assert set(NAMES.values()) == set(KINDS)
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
        assert kind.type == f"{PAGE}#{kind.code}"
        assert kind.title
        assert kind.remedy.endswith(".")
        waits = kind.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
        assert (kind.retry_after is not None) == waits, kind.code


def test_every_kind_is_one_that_the_service_refuses_by() -> None:
    raised = statuses_raised()
    assert raised
    assert raised <= set(OF_STATUS)
    by_status = {kind for status, kind in OF_STATUS.items() if status in raised or status in OF_THE_FRAMEWORK}
    assert {NAMES[name] for name in kinds_used() & set(NAMES)} | by_status == set(KINDS)


def test_no_refusal_stands_outside_the_catalogue() -> None:
    """Nothing but the maker of problem documents names their media type, or a status of refusal beside `problem`."""
    naming = [file for file in SOURCES if '"application/problem+json"' in file.read_text(encoding="utf-8")]
    assert [file.relative_to(Path(service.__file__).parent).as_posix() for file in naming] == [
        "api/api_description.py", "problems/answers.py",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_problem_bears_its_code_and_when_to_come_again(kind: Kind) -> None:
    filled: Any = dict.fromkeys(re.findall(r"{(\w+)}", kind.detail), 7)
    filled.pop("seconds", None)
    answer = problem(kind, **filled)
    content = json.loads(bytes(answer.body))
    assert (content["code"], content["type"], content["status"]) == (kind.code, kind.type, answer.status_code)
    assert "{" not in content["detail"]
    assert answer.headers.get("retry-after") == (None if kind.retry_after is None else str(kind.retry_after))


def test_faults_beyond_a_number_are_counted() -> None:
    faults = [field_problem(f"/{place}", "missing", "state it") for place in range(answers.MOST_ERRORS + 3)]
    content = json.loads(bytes(problem(catalogue.INVALID_FIELDS, faults, unlisted=2).body))
    assert (len(content["errors"]), content["more_errors"]) == (answers.MOST_ERRORS, 5)
    assert content["detail"].endswith("5 more are not listed.")
