"""A consignment shows the past of both its sides: what the same sender sent, what went to the same addressee."""

from __future__ import annotations

import re
from datetime import timedelta

from fastapi.testclient import TestClient

from service.access.guard import COOKIE
from service.app import create
from service.record.search_index import catch_up
from service.settings import Settings
from tests.service.access.closed import PASSWORD, access, now
from tests.service.building import NOON, body, declared, outcome

ADDRESSEE = {"name": "Ines Moreau", "country": "FR", "phone": "+33 6 12 34 56 78"}
SENDER = {"name": "Bright Star", "city": "Yiwu", "country": "CN", "phone": "+86 138 1234 5678"}


def counted(page: str, section: str) -> list[int]:
    """Parcels, controlled and non-compliant of a past."""
    part = page[page.index(f'id="{section}"') :]
    text = re.sub("<[^>]+>", "", part[part.index('class="ends"') : part.index("</p>", part.index('class="ends"'))])
    return [int(number) for number in re.findall(r"(\d+) (?:parcels|controlled|non-compliant)", text)]


def test_the_past_of_sender_and_of_addressee_are_two(home: Settings) -> None:
    settings = home.model_copy(update={"access": "open"})
    with TestClient(create(settings)) as client:
        others = [
            declared(n, consignee=ADDRESSEE, lodged_at=NOON + timedelta(days=n),
                     consignor={**SENDER, "name": f"Shop {n}", "phone": f"+86 137 1111 222{n}"})
            for n in range(1, 4)
        ]  # fmt: skip
        same = declared(4, consignor=SENDER, lodged_at=NOON + timedelta(days=4))
        both = declared(5, consignor=SENDER, consignee=ADDRESSEE, lodged_at=NOON + timedelta(days=5))
        for n, sent in enumerate((*others, same, both)):
            assert client.post("/v1/consignments", json=body(sent, message_id=f"M{n}")).status_code == 200
        found = outcome(1, known_at=NOON + timedelta(days=6))
        assert client.post("/v1/outcomes", json={"outcomes": [found]}).status_code == 200
        catch_up(access(client).store)
        known = access(client)
        known.accept(known.invite("ana", "analyst", ["*"], "tests", now()), "", PASSWORD, "en", now())
        session = {"Cookie": f"{COOKIE}={known.log_in('ana', PASSWORD, 'targeting', now())}"}
        answer = client.get("/console/consignments/HAWB000000005", headers=session)
        assert answer.status_code == 200, answer.text
        page = answer.text
    assert counted(page, "past") == [2, 0, 0]
    assert counted(page, "addressee-past") == [4, 1, 1]
