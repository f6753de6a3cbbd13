"""Whom the log names: a machine by its key, a person by a pseudonym that stays the same, nobody by a name."""

from __future__ import annotations

from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from tests.service.access.closed import OWN, KeyOf, PersonOf, as_person, bearing


def test_a_machine_is_named_by_its_key_and_a_person_by_a_pseudonym(
    client: TestClient, key_of: KeyOf, person_of: PersonOf
) -> None:
    secret, person = person_of("analyst", OWN)
    with capture_logs() as lines:
        client.get("/v1/queue", params={"office": OWN}, headers=bearing(key_of("analyst", OWN)))
        for _ in range(2):
            assert client.get("/console/queue", **as_person(secret, person, "GET")).status_code == 200
        client.get("/console/log-in")
    callers = [line["principal"] for line in lines if line["event"] == "request"]
    assert callers[0] == f"analyst-{OWN}"
    assert callers[1] == callers[2] != person.name
    assert len(callers[1]) == 16
    assert callers[3] == ""
    assert person.name not in str(lines[1:])
