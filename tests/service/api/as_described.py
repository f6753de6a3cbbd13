"""Every answer held against the description of the API: its status, its kind of content, and every field of it."""

from __future__ import annotations

import re
from typing import Any

import httpx
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

OF_THE_SERVER = {400, 405, 411, 421, 431, 500}  # of what is no call of an operation, or of no caller that follows it


def pattern_of(path: str) -> re.Pattern[str]:
    """What the address of an operation looks like."""
    return re.compile(re.sub(r"\{consignment_id\}", ".+", re.sub(r"\{(code|number|sha256)\}", "[^/]+", path)))


class AsDescribed:
    """A hook of a client; `seen`: the operations and statuses that were answered."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.seen: set[tuple[str, int]] = set()
        components = _nothing_else(document["components"])
        self._components = components
        self._operations = [
            (method, pattern_of(path), operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def __call__(self, response: httpx.Response) -> None:
        response.read()
        method, path = response.request.method.lower(), response.request.url.path
        for of, pattern, operation in self._operations:
            if of == method and pattern.fullmatch(path):
                self._check(operation, response)
                return

    def _check(self, operation: dict[str, Any], response: httpx.Response) -> None:
        name, status = operation["operationId"], response.status_code
        self.seen.add((name, status))
        if status in OF_THE_SERVER:
            return
        assert str(status) in operation["responses"], (name, status)
        described = operation["responses"][str(status)]
        if "$ref" in described:
            described = self._components["responses"][described["$ref"].rpartition("/")[2]]
        content = described.get("content")
        if content is None:
            assert response.content == b"", name
            return
        kind = response.headers["content-type"].partition(";")[0]
        assert kind in content, (name, status, kind)
        if kind.endswith("json"):
            schema = {**_nothing_else(content[kind]["schema"]), "components": self._components}
            faults = [
                f"{inner.json_path}: {inner.message[:200]}"
                for fault in Draft202012Validator(schema).iter_errors(response.json())
                for inner in (fault.context or [fault])
            ]
            assert faults == [], f"{name} {status}: {faults}"
        for header in described.get("headers", {}):
            assert header in ("Idempotent-Replay", "Tamis-Dry-Run") or header in response.headers, (
                name,
                status,
                header,
            )


def described(client: TestClient) -> AsDescribed:
    """Hold every answer to a client against what its application says of itself."""
    hook = AsDescribed(client.app.openapi())  # type: ignore[attr-defined]
    client.event_hooks["response"].append(hook)
    return hook


def _nothing_else(schema: Any) -> Any:
    """The same schema, by which an object has no field that is not described."""
    if isinstance(schema, list):
        return [_nothing_else(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: _nothing_else(part) for name, part in schema.items()}
    return (
        strict | {"additionalProperties": False}
        if strict.get("type") == "object" and "properties" in strict
        else strict
    )
