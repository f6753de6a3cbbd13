"""The calls of the tutorial and of the integrator's guide, by a client generated from the description of the API.

Usage: `python tutorial.py ADDRESS KEY`. It is type-checked against the generated client before it runs.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from io import BytesIO

from tamis_client import AuthenticatedClient
from tamis_client.api.consignments import get_consignment, get_decisions, post_consignments, post_message
from tamis_client.api.monitoring import healthz, readyz
from tamis_client.api.officers import get_queue
from tamis_client.api.results import post_outcomes
from tamis_client.models.changes import Changes
from tamis_client.models.consignment import Consignment
from tamis_client.models.consignor import Consignor
from tamis_client.models.decision_clearance import DecisionClearance
from tamis_client.models.decisions import Decisions
from tamis_client.models.goods_line import GoodsLine
from tamis_client.models.message import Message
from tamis_client.models.message_answer import MessageAnswer
from tamis_client.models.of_consignment import OfConsignment
from tamis_client.models.outcome import Outcome
from tamis_client.models.outcomes import Outcomes
from tamis_client.models.problem_document import ProblemDocument
from tamis_client.models.problem_document_code import ProblemDocumentCode
from tamis_client.models.queue import Queue
from tamis_client.models.ready import Ready
from tamis_client.models.received import Received
from tamis_client.types import File

NUMBER = "RB123456785CN"
FHL = """FHL/4
MBI/888-11111111PVGCDG/T1K2
HBS/SHA7700123/PVGCDG/1/K1.5/2/SHOES
TXT/RUNNING SHOES
HTS/640411
SHP/YIWU BRIGHT TRADING
/FUTIAN ROAD 7
/YIWU
/CN/322000/TE/8657912345678
CNE/MARIE DURAND
/3 RUE DE LA PAIX
/PARIS
/FR/75002
CVD/EUR/PP/NVD/30.00/XXX
"""


def parcel(quantity: float = 12.0, stream: str = "postal") -> Message:
    """The parcel of the tutorial."""
    line = GoodsLine(description="gift", hs_code="640411", quantity=quantity, value="8.00", currency="EUR")
    sender = Consignor(name="Yip Wong Trading", country="CN")
    lodged = Consignment(
        consignment_id=NUMBER, stream=stream, lodged_at="2026-02-10T08:00:00Z", office="FRCDG1", dispatch_country="CN",
        nature="gift", gross_mass_kg=0.4, packages=1.0, consignor=sender, goods=[line],
    )  # fmt: skip
    return Message(message_id="FLIGHT-1", consignments=[lodged])


def lodge(client: AuthenticatedClient) -> None:
    """A dry run, the parcel, the same once more, and with another content."""
    dry = post_consignments.sync(client=client, body=parcel(), dry_run=True)
    assert isinstance(dry, Decisions)
    assert dry.dry_run is True
    assert isinstance(get_consignment.sync(NUMBER, client=client), ProblemDocument)
    answer = post_consignments.sync_detailed(client=client, body=parcel())
    decisions = answer.parsed
    assert isinstance(decisions, Decisions)
    clearance: DecisionClearance = decisions.decisions[0].clearance
    assert clearance is dry.decisions[0].clearance
    decided_at: datetime = decisions.decisions[0].decided_at
    assert decided_at.tzinfo is not None
    assert answer.headers["ratelimit"].startswith('"calls";r=')
    again = post_consignments.sync_detailed(client=client, body=parcel())
    assert again.headers["idempotent-replay"] == "true"
    changed = post_consignments.sync(client=client, body=parcel(quantity=13.0))
    assert isinstance(changed, ProblemDocument)
    assert changed.code is ProblemDocumentCode.VERSION_ON_RECORD
    wrong = post_consignments.sync(client=client, body=parcel(stream="rail"))
    assert isinstance(wrong, ProblemDocument)
    assert wrong.code is ProblemDocumentCode.INVALID_FIELDS
    assert isinstance(wrong.errors, list)
    assert [error.pointer for error in wrong.errors] == ["/consignments/0/stream"]


def send_a_carriers_message(client: AuthenticatedClient) -> None:
    """The house manifest of the guide."""
    answer = post_message.sync(client=client, body=File(payload=BytesIO(FHL.encode())))
    assert isinstance(answer, MessageAnswer)
    assert (answer.format_, [one.consignment_id for one in answer.decisions]) == ("cargo-imp", ["SHA7700123"])


def give_the_result_back(client: AuthenticatedClient) -> None:
    """What the officer found."""
    found = Outcome(
        consignment_id=NUMBER, known_at="2026-02-13T10:00:00Z", result="non_compliant", findings="counterfeit",
        selection="risk",
    )  # fmt: skip
    received = post_outcomes.sync(client=client, body=Outcomes(outcomes=[found]))
    assert isinstance(received, Received)
    assert (received.recorded, received.repeated) == (1, 0)


def read_what_stands(client: AuthenticatedClient) -> None:
    """The decisions on the parcel, what has changed since, and what waits."""
    stands = get_consignment.sync(NUMBER, client=client)
    assert isinstance(stands, OfConsignment)
    assert [decision.consignment_id for decision in stands.decisions] == [NUMBER]
    listed: list[str] = []
    since, more = "0", True
    while more:
        page = get_decisions.sync(client=client, since=since, at_most=1)
        assert isinstance(page, Changes)
        listed += [f"{change.change.value} {change.consignment_id}" for change in page.decisions]
        since, more = page.next_, page.more
    assert listed == [f"decided {NUMBER}", "decided SHA7700123"]
    waits = get_queue.sync(client=client, office="FRCDG1", since=datetime(2026, 2, 1, tzinfo=UTC).date())
    assert isinstance(waits, Queue)
    assert isinstance(get_queue.sync(client=client, office="XXXXX9"), ProblemDocument)


def main(address: str, key: str) -> None:
    """Do all of it."""
    client = AuthenticatedClient(base_url=address, token=key, raise_on_unexpected_status=True)
    assert healthz.sync(client=client) is not None
    assert isinstance(readyz.sync(client=client), Ready)
    lodge(client)
    send_a_carriers_message(client)
    give_the_result_back(client)
    read_what_stands(client)
    print("done")


if __name__ == "__main__":
    main(*sys.argv[1:])
