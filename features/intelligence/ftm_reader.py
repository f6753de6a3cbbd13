"""FollowTheMoney: entities and their edges, one a line, in an array, or nested in one another."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from features.intelligence.ftm_writer import PSEUDONYM_SERVICE, TAG_SERVICE
from features.intelligence.ownership import Ownership
from features.intelligence.statements import Reading, Row
from features.intelligence.web_identities import placed
from features.messages.strict_json import loads_once

MEANINGS = Path(__file__).with_name("ftm.toml")
Entity: TypeAlias = dict[str, Any]
NO_ENTITY = ("not an entity", "one JSON object a line with id, schema and properties, each once")
SERVICES = {TAG_SERVICE: "tag", PSEUDONYM_SERVICE: "pseudonym"}  # of accounts that are none of a platform
PAYMENT, PAID_INTO, PAYERS = "Payment", "beneficiaryAccount", ("payer", "payerAccount")
OF_ACCOUNT = ("name", "iban", "accountNumber", "publicKey")
PLACE = frozenset(("country",))  # what a party may share with its victim


@cache
def _meanings() -> dict[str, Any]:
    return tomllib.loads(MEANINGS.read_text(encoding="utf-8"))


def read_ftm_lines(text: str, reading: Reading) -> Iterator[Row]:
    """Yield the statements of entities that stand one a line; a line that is none is a problem."""
    entities: dict[str, Entity] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                _gather(loads_once(line), entities)
            except (ValueError, KeyError, TypeError, RecursionError):
                reading.problem(number, *NO_ENTITY)
    yield from _rows(entities, reading)


def read_ftm_array(content: list[Any], reading: Reading) -> Iterator[Row]:
    """Yield the statements of entities that stand in one array; an element that is none is a problem."""
    entities: dict[str, Entity] = {}
    for number, entity in enumerate(content, start=1):
        try:
            _gather(entity, entities)
        except (KeyError, TypeError):
            reading.problem(number, *NO_ENTITY)
    yield from _rows(entities, reading)


def _gather(entity: Any, entities: dict[str, Entity]) -> None:
    """Add an entity, and those nested in its properties, each referring to the other as entities apart do."""
    _check(entity)
    waiting = [entity]
    while waiting:
        outer = waiting.pop()
        properties = dict(outer["properties"])
        for name, values in properties.items():
            nested = [value for value in _listed(values) if isinstance(value, dict)]
            for inner in nested:
                _check(inner)
                waiting.append(_referring(inner, outer["id"]))
            if nested:
                properties[name] = [value["id"] if isinstance(value, dict) else value for value in _listed(values)]
        known = entities.get(outer["id"])
        entities[outer["id"]] = {**outer, "properties": (known["properties"] if known else {}) | properties}


def _check(entity: Any) -> None:
    if not isinstance(entity["properties"], dict) or not isinstance(entity["id"], str):
        raise TypeError


def _referring(inner: Entity, outer: str) -> Entity:
    """Return a nested entity with the end that it leaves out, as it stands inside that."""
    properties = inner["properties"]
    ends = _meanings()["edges"].get(_schema(inner), {}).get("ends", [])
    absent = [end for end in ends if end not in properties]
    if len(absent) == 1:
        return {**inner, "properties": {**properties, absent[0]: [outer]}}
    if _schema(inner) in _meanings()["belongings"] and not set(_meanings()["holders"]["names"]) & set(properties):
        return {**inner, "properties": {**properties, "owner": [outer]}}
    if _schema(inner) == "Sanction" and "entity" not in properties:
        return {**inner, "properties": {**properties, "entity": [outer]}}
    return inner


def _rows(entities: dict[str, Entity], reading: Reading) -> Iterator[Row]:
    innocent = _innocent(entities)
    owners = _owners(entities, innocent, reading)
    paid_into = {account for entity in entities.values() for account in _texts(entity["properties"].get(PAID_INTO))}
    for entity_id, entity in entities.items():
        schema = _schema(entity)
        if schema in _meanings()["context"]["schemata"]:
            reading.leave_out("entity", "it is no party and holds nothing of one")
            continue
        if schema in _meanings()["edges"]:
            yield from _paid(entity["properties"], entities, innocent, owners) if schema == PAYMENT else ()
            continue
        if entity_id in paid_into and not owners.is_owned(entity_id):
            reading.leave_out("account", "one that was paid into, and no party of the list holds it")
            continue
        heads = owners.heads(entity_id)
        guilty = [head for head in heads if head not in innocent]
        stated = list(_stated(entity, reading))
        if len(guilty) < len(heads):
            reading.leave_out("entity", "a victim or witness, or a party that the list does not target")
            stated = [(prop, text) for prop, text in stated if prop in PLACE]
        for head in guilty:
            yield from ((head, _label(entities[head], head), prop, text) for prop, text in stated)


def _label(entity: Entity, entity_id: str) -> str:
    return next(_texts(entity["properties"].get("name")), entity_id)


def _paid(payment: Entity, entities: dict[str, Entity], innocent: set[str], owners: Ownership) -> Iterator[Row]:
    """Yield the accounts of nobody in the list that a suspect paid into; who pays a suspect may be a buyer."""
    accounts = [one for one in _texts(payment.get(PAID_INTO)) if one in entities and not owners.is_owned(one)]
    paid = [text for one in accounts for name in OF_ACCOUNT for text in _texts(entities[one]["properties"].get(name))]
    payers = [party for name in PAYERS for party in _texts(payment.get(name)) if party in entities]
    for head in dict.fromkeys(head for payer in payers for head in owners.heads(payer)):
        if head in entities and head not in innocent and not _is_held(entities[head]):
            yield from ((head, _label(entities[head], head), "counterparty", text) for text in paid)


def _innocent(entities: dict[str, Entity]) -> set[str]:
    """Return the parties whom a list names without accusing them.

    Victims and witnesses by topic; what is no target of its own; and relatives and associates without a topic,
    sanction or target, in a list that accuses others by such.
    """
    sanctioned = {
        party
        for entity in entities.values()
        if _schema(entity) == "Sanction"
        for party in _texts(entity["properties"].get("entity"))
    }
    accused = {entity_id for entity_id, entity in entities.items() if entity_id in sanctioned or _is_accused(entity)}
    named = set(_meanings()["topics"]["innocent"])
    innocent = {
        entity_id
        for entity_id, entity in entities.items()
        if entity.get("target") is False or not named.isdisjoint(_texts(entity["properties"].get("topics")))
    }
    if accused:
        innocent |= {party for entity in entities.values() for party in _bystanders(entity) if party in entities}
    return innocent - accused


def _is_accused(entity: Entity) -> bool:
    accused = _meanings()["topics"]["accused"]
    topics = _texts(entity["properties"].get("topics"))
    of_kind = any(
        topic in accused or topic.split(".")[0] in accused
        for topic in topics
        if topic not in _meanings()["topics"]["innocent"]
    )
    return of_kind or entity.get("target") is True


def _bystanders(entity: Entity) -> Iterator[str]:
    end = _meanings()["edges"].get(_schema(entity), {}).get("bystander")
    return _texts(entity["properties"].get(end)) if end else iter(())


def _owners(entities: dict[str, Entity], innocent: set[str], reading: Reading) -> Ownership:
    owners = Ownership()
    for entity_id, entity in entities.items():
        properties, schema = entity["properties"], _schema(entity)
        for address in _texts(properties.get("addressEntity")):
            if address in entities and schema not in _meanings()["edges"]:
                owners.add(entity_id, address)
        if edge := _meanings()["edges"].get(schema):
            _follow(edge, properties, entities, innocent, owners, reading)
        elif schema not in _meanings()["context"]["schemata"]:
            for name in _meanings()["holders"]["names"]:
                for owner in _texts(properties.get(name)):
                    if owner in entities and (_is_held(entity) or owner not in innocent):
                        owners.add(owner, entity_id)
    return owners


def _follow(
    edge: dict[str, Any], properties: Entity, entities: dict[str, Entity], innocent: set[str], owners: Ownership,
    reading: Reading,
) -> None:  # fmt: skip
    """Add the owners that an edge tells."""
    first, second = ([end for end in _texts(properties.get(name)) if end in entities] for name in edge["ends"])
    for one, other in ((one, other) for one in first for other in second):
        if _is_held(entities[other]) and not _is_held(entities[one]):
            owners.add(one, other)
        elif _is_held(entities[one]) and not _is_held(entities[other]):
            owners.add(other, one)
        elif edge["means"] == "owns" and one not in innocent:
            owners.add(one, other)
        else:
            reading.leave_out("edge", "it ties two parties, and neither answers for the other")


def _stated(entity: Entity, reading: Reading) -> Iterator[tuple[str, str]]:
    properties = entity["properties"]
    names = _meanings()["belongings"].get(_schema(entity), _meanings()["party"])
    service = next(_texts(properties.get("service")), "")
    for name, value in properties.items():
        if name in names:
            prop = SERVICES.get(service, names[name]) if name == "username" else names[name]
            yield from placed(((prop, part) for part in _texts(value)), service, reading)
    if _schema(entity) == "Address" and not properties.get("full"):
        parts = [text for name in _meanings()["address"]["parts"] for text in _texts(properties.get(name))]
        yield from [("address", ", ".join(parts))] if parts else []


def _is_held(entity: Entity) -> bool:
    return _schema(entity) in _meanings()["belongings"]


def _schema(entity: Entity) -> str:
    schema = entity.get("schema")
    return schema if isinstance(schema, str) else ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> Iterator[str]:
    """Yield texts of a property, given alone or in a list; anything else is ignored."""
    return (item for item in _listed(value) if isinstance(item, str))
