"""What the API says of itself, tried: schemathesis sends what its description allows and what it forbids."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.settings import Settings
from tests.service.processes import serving

CONFORM = [status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = int(os.environ.get("TAMIS_CONTRACT_EXAMPLES", "15"))


@pytest.fixture(scope="module")
def address(quick_home: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running service with an empty store."""
    folder = tmp_path_factory.mktemp("contract")
    shutil.copytree(quick_home, folder / "home")
    with serving(Settings(home=folder / "home"), folder / "serve.log") as (_, client):
        yield str(client.base_url)


def sent(operation: Any, mode: GenerationMode) -> list[int]:
    """The statuses of so many calls of an operation; none where nothing that it takes could be forbidden."""
    told: list[int] = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        answer = case.call(timeout=20)
        told.append(answer.status_code)
        assert answer.status_code < 500, (operation.label, answer.status_code)
        if answer.status_code >= 400:
            assert answer.headers["content-type"][0] == "application/problem+json"
            assert {"title", "status", "detail"} <= set(answer.json())
        case.validate_response(answer, checks=CONFORM)

    try:
        send()
    except (schemathesis.errors.SchemathesisError, Unsatisfiable):
        assert mode == GenerationMode.NEGATIVE, operation.label
    return told


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_is_sent_nothing_fails_and_every_refusal_is_a_problem_document(
    address: str, mode: GenerationMode
) -> None:
    """TAMIS_CONTRACT_EXAMPLES: so many calls of every operation, allowed ones and forbidden ones."""
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations = [cast("Ok[Any]", found).ok() for found in schema.get_all_operations()]
    tried = {operation.label: sent(operation, mode) for operation in operations}
    assert sum(map(len, tried.values())) > EXAMPLES
    if mode == GenerationMode.NEGATIVE:
        assert 422 in tried["POST /v1/consignments"]
    print({label: len(told) for label, told in tried.items()})
