"""The words in which an analyst reads what history tells: who it is of, what is counted, and over which span."""

from __future__ import annotations

from features.choices import LANGUAGES
from features.history.fact_list import FACT_LIST
from features.history.keys import KEYS
from features.history.named_entities import NETWORK
from features.history.windows import Reading, Since

Words = tuple[str, ...]  # in each of LANGUAGES
WHO: dict[str, Words] = {key.name: key.words for key in KEYS} | {NETWORK: ("the network", "le réseau", "团伙")}
WHAT: dict[str, Words] = {fact.name: fact.words for fact in FACT_LIST}
EDGES: dict[str, Words] = {"first": ("first", "premier", "首次"), "last": ("last", "dernier", "最近一次")}
SO_FAR: Words = ("so far", "à ce jour", "至今")
SINCE: Words = ("Days since {who} was {edge} seen", "Jours depuis le {edge} fait : {who}", "{who}距{edge}出现天数")
SPAN: Words = ("in {days} days", "en {days} jours", "{days}天内")
SUM: Words = ("{what}, {who}, {span}", "{what}, {who}, {span}", "{who}{span}{what}")


def words_of(reading: Reading) -> dict[str, str]:
    """Word a reading of history in every language."""
    who = WHO[reading.key]
    if isinstance(reading, Since):
        edge = EDGES[reading.edge]
        return {
            language: SINCE[place].format(who=who[place], edge=edge[place]) for place, language in enumerate(LANGUAGES)
        }
    what = WHAT[reading.fact]
    span = SO_FAR if reading.days is None else tuple(words.format(days=reading.days) for words in SPAN)
    return {
        language: SUM[place].format(what=what[place], who=who[place], span=span[place])
        for place, language in enumerate(LANGUAGES)
    }
