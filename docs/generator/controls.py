"""The page of controls and provisions, from the list that the drafts of `tamis report --governance` show."""

from __future__ import annotations

from docs.generator.markdown import page, table
from service.oversight.governance_facts import controls

INTRODUCTION = """
Which control of the product answers which provision of law, as `tamis report --governance` prints it. It says where a
control stands; whether that is enough is a legal judgement, and **a lawyer must read it** before anybody relies on
it.

Sources: [Regulation (EU) 2024/1689](http://data.europa.eu/eli/reg/2024/1689/oj) on artificial intelligence, amended
since by Regulation (EU) 2026/1744, which moved dates of application; [Regulation (EU) No
608/2013](http://data.europa.eu/eli/reg/2013/608/oj) on customs enforcement of intellectual property rights;
[Regulation (EU) 2016/679](http://data.europa.eu/eli/reg/2016/679/oj) on data protection; [Regulation (EU) No
952/2013](http://data.europa.eu/eli/reg/2013/952/oj), the Union Customs Code. Whether the selection of goods by
customs is a high-risk system is not settled here: recitals 42 and 59 speak of risk analysis by customs and of
administrative proceedings of customs authorities, point 6 of Annex III of law enforcement. Tamis keeps what speaks of
goods apart from what links persons, so that the two can be judged apart, and is built as if the duties of high-risk
systems held.
"""


def controls_page() -> str:
    """Return the page of controls and provisions."""
    rows = ([one["control"], one["where"], one["ai_act"], one["other"]] for one in controls())
    heading = ["control", "where", "Regulation (EU) 2024/1689", "other law"]
    return page("Controls and provisions", INTRODUCTION, table(heading, rows))
