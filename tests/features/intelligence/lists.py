"""Lists that tests make, and what is read of them."""

from __future__ import annotations

import json
from typing import Any

from features.intelligence import Listed, read_list


def stated(content: bytes) -> dict[str, set[tuple[str, str]]]:
    """What a list states of each subject, by its identifier."""
    by_subject: dict[str, set[tuple[str, str]]] = {}
    for subject, _, prop, text, _ in read(content).statements.iter_rows():
        by_subject.setdefault(subject, set()).add((prop, text))
    return by_subject


def texts(content: bytes, prop: str) -> set[str]:
    """The texts of a property in a list."""
    return {text for of in stated(content).values() for name, text in of if name == prop}


def read(content: bytes) -> Listed:
    return read_list(content, "tests")


def bundle(*objects: dict[str, Any], version: str = "2.1") -> bytes:
    return json.dumps({"type": "bundle", "id": "bundle--1", "spec_version": version, "objects": objects}).encode()


def relation(kind: str | None, source: str, target: str, **more: Any) -> dict[str, Any]:
    named = {} if kind is None else {"relationship_type": kind}
    ends = {"source_ref": source, "target_ref": target}
    return {"type": "relationship", "id": f"relationship--{kind}-{source}-{target}", **named, **ends, **more}


def identity(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "identity", "id": f"identity--{name}", "name": name, **more}


def mailbox(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "email-addr", "id": f"email-addr--{value}", "value": value, **more}


ACTOR = {"type": "threat-actor", "id": "threat-actor--1", "name": "Copycat Ring"}
RING = mailbox("ring@bad.example")
USES = relation("uses", "threat-actor--1", RING["id"])


def entity(entity_id: str, schema: str = "Person", **properties: Any) -> dict[str, Any]:
    listed = {name: value if isinstance(value, list) else [value] for name, value in properties.items()}
    return {"id": entity_id, "schema": schema, "properties": listed}


def json_lines(*entities: Any) -> bytes:
    return "\n".join(json.dumps(one) for one in entities).encode()


def page(body: str, url: str = "https://kicks-one.example/", head: str = "", lang: str = "en") -> bytes:
    canonical = f"<link rel='canonical' href='{url}'>" if url else ""
    return f"<!doctype html><html lang='{lang}'><head>{canonical}{head}</head><body>{body}</body></html>".encode()
