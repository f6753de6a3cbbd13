"""When detained goods may be destroyed: with consent, stated or presumed after the statutory term, and not before.

Regulation (EU) No 608/2013: in the procedure for small consignments the declarant has ten working days to answer, and
silence is consent (Article 26); in the standard one the right holder confirms and consents as well, and for perishable
goods the term is three working days (Article 23).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from service.officers.statutory_clocks import TEN, THREE_IF_PERISHABLE
from service.officers.working_days import after_working_days
from service.orientation.lanes import Track
from service.orientation.track_conditions import REGULATION


@dataclass(frozen=True, slots=True)
class Bar:
    """What stands against destruction: why, by which article, and the first day on which it could be; None if never."""

    why: str
    source: str
    first: date | None = None

    def __str__(self) -> str:
        when = f"; not before {self.first.isoformat()}" if self.first else ""
        return f"destroyed: {self.why}{when} ({REGULATION}, {self.source})"


def bar_to_destruction(
    track: Track, noted: Mapping[str, date], country: str, day: date, *, perishable: bool = False
) -> Bar | None:
    """Return what stands against destruction on a day; None where it may be.

    noted: steps and the days on which they were done. country: of the member state whose working days count.
    """
    simplified = track is Track.simplified_destruction
    article = "Article 26" if simplified else "Article 23"
    if "holder_says_genuine" in noted:
        return Bar("the right holder says that the goods are genuine; release them", article)
    if "declarant_objects" in noted:
        return Bar("the declarant objects; the right holder opens proceedings, or the goods are released", article)
    if not simplified and "holder_confirms" not in noted:
        return Bar("the right holder has to confirm and to consent; note holder_confirms", "Article 23(1)(a)")
    if "declarant_agrees" in noted:
        return None
    days = THREE_IF_PERISHABLE if perishable and not simplified else TEN
    paragraphs = "Article 26(4) to (6)" if simplified else "Article 23(1)(b) and (c)"
    notified = noted.get("declarant_notified")
    first = after_working_days(notified or day, days, country) + timedelta(days=1)
    if notified is None:
        return Bar("the declarant has not been told, and has not agreed; note declarant_notified", paragraphs, first)
    if day < first:
        return Bar("the declarant may still answer; note declarant_agrees if he consents", paragraphs, first)
    return None
