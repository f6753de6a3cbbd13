"""Parties on watch lists: what rules may ask of them, and the reasons that name list and side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from features.algebra import Text
from features.algebra.frames import Column
from features.parties.list_match import CONSIGNEE, CONSIGNOR, KEYS, NETWORK, POSSIBLE, TIERS, ListMatch
from service.orientation.rule_conditions import Kind
from service.scoring.explanation import Language

LISTED: dict[str, Kind] = {  # what a rule may ask besides declared columns and features
    "consignee_list_matches": "number",
    "consignee_network_lists": "number",
    "consignee_possible_matches": "number",
    "consignee_lists": "text",
}
CODE = "list"
BETWEEN = "; "
Words = Mapping[Language, str]
IS_LISTED: Mapping[str, Words] = {
    CONSIGNOR: {
        "en": "The sender is on the watch list {list}: the same {keys}",
        "fr": "L'expéditeur figure sur la liste de surveillance {list} : {keys} identique(s)",
        "zh": "寄件人在监控名单 {list} 上：{keys}相同",
    },
    CONSIGNEE: {
        "en": "The addressee is on the watch list {list}: the same {keys}",
        "fr": "Le destinataire figure sur la liste de surveillance {list} : {keys} identique(s)",
        "zh": "收件人在监控名单 {list} 上：{keys}相同",
    },
}
MAY_BE_LISTED: Words = {
    "en": "The addressee may be on the watch list {list}: the same {keys}, which strangers may share",
    "fr": "Le destinataire figure peut-être sur la liste de surveillance {list} : {keys} identique(s), ce que d'autres "
    "peuvent partager",
    "zh": "收件人可能在监控名单 {list} 上：{keys}相同，但他人也可能相同",
}
IN_NETWORK: Words = {
    "en": "Somebody whom the addressee is linked to is on the watch list {list}: the same {keys}",
    "fr": "Une personne liée au destinataire figure sur la liste de surveillance {list} : {keys} identique(s)",
    "zh": "与收件人关联者在监控名单 {list} 上：{keys}相同",
}
BESIDE: Mapping[str, Words] = {NETWORK: IN_NETWORK, POSSIBLE: MAY_BE_LISTED}
KEY_WORDS: Mapping[str, tuple[str, str, str]] = {  # in the order of LANGUAGES
    "number": ("registered number", "numéro d'enregistrement", "登记号"),
    "telephone": ("telephone", "téléphone", "电话"),
    "mailbox": ("mailbox", "adresse électronique", "邮箱"),
    "account": ("account", "compte", "账号"),
    "shop": ("web shop", "boutique en ligne", "网店"),
    "name": ("name", "nom", "姓名"),
    "house": ("house", "maison", "住址"),
    "postcode": ("name in the postcode", "nom au code postal", "邮编内姓名"),
}
LANGUAGE_PLACES: Mapping[Language, int] = {"en": 0, "fr": 1, "zh": 2}
AND: Words = {"en": ", ", "fr": ", ", "zh": "、"}


def columns_of(matches: Mapping[int, tuple[str, ...]], size: int) -> dict[str, Column]:
    """Return LISTED of consignments: on how many lists the addressee, its network, and perhaps the addressee is; which.

    matches: by row, as they are written.
    """
    counts = {tier: np.zeros(size) for tier in TIERS}
    named: dict[int, str] = {}
    for row, written in matches.items():
        of_addressee = [match for match in map(ListMatch.read, written) if match.side == CONSIGNEE]
        for match in of_addressee:
            counts[match.tier][row] += 1
        if of_addressee:
            named[row] = BETWEEN.join(sorted({match.list_id for match in of_addressee}))
    lists = Text.of([named.get(row) for row in range(size)])
    return dict(zip(LISTED, (*counts.values(), lists), strict=True))


def list_reasons(matches: Iterable[str], language: Language) -> list[dict[str, Any]]:
    """Return a reason for each match with a list, which names the list and the side; the conclusive ones first."""
    read = sorted(map(ListMatch.read, matches), key=lambda match: (TIERS.index(match.tier), match))
    return [_reason(match, language) for match in read]


def unnamed(text: str) -> str:
    """Return such a reason without the name of the list and the keys: for who is to know no more than that."""
    sentences = (words[language] for words in (*IS_LISTED.values(), *BESIDE.values()) for language in LANGUAGE_PLACES)
    beginnings = (sentence.partition("{list}")[0] for sentence in sentences)
    return next(begin for begin in beginnings if text.startswith(begin)).rstrip()


def _reason(match: ListMatch, language: Language) -> dict[str, Any]:
    words = BESIDE[match.tier] if match.tier in BESIDE else IS_LISTED[match.side]
    shown = set(match.keys) - ({"name"} if "postcode" in match.keys else set())
    keys = AND[language].join(KEY_WORDS[key][LANGUAGE_PLACES[language]] for key in KEYS if key in shown)
    code = f"{CODE}.{match.side}.{match.tier}" if match.tier in BESIDE else f"{CODE}.{match.side}"
    return {"code": code, "text": words[language].format(list=match.list_id, keys=keys), "evidence": match.list_id}
