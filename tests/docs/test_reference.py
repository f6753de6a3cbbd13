"""What the code declares is documented: generated pages say what the code says, and every declared thing is on one."""

from __future__ import annotations

import re

import pytest

from docs.generator.commands import every_command
from docs.generator.licences import runtime_distributions
from docs.generator.pages import PAGES, REFERENCE
from features.catalogue import INPUTS
from features.choices import FORMATS, ROLES
from service.access.permissions import PERMISSIONS
from service.api import message_routes, routes
from service.audit.timeline import Event
from service.orientation.decision_fields import AS_READ, EVENT
from service.record.standing import Standing
from service.settings import Settings
from tests.docs.pages import DOCS, ROOT, pages


def _reference(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_says_what_the_code_says(name: str) -> None:
    assert _reference(name) == PAGES[name](), f"docs/reference/{name} is out of date: run `make docs-reference`"


def test_every_generated_page_is_in_the_index_and_no_other_is_there() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", _reference("index.md")))
    assert listed == set(PAGES)
    assert {file.name for file in REFERENCE.glob("*.md")} == {*PAGES, "index.md"}


def test_what_is_read_beside_a_decision_is_documented() -> None:
    assert list(AS_READ) == list(Standing("green").as_json())
    assert list(EVENT) == list(Event(1, 0, "decision", "1", {"en": "decided"}, {}).as_json())


def test_every_setting_is_documented() -> None:
    text = _reference("settings.md")
    assert [name for name in Settings.model_fields if f"`TAMIS_{name.upper()}`" not in text] == []


def test_every_route_is_documented_with_its_roles_and_in_the_guide() -> None:
    paths = {
        getattr(route, "path", "").replace("{consignment_id:path}", "{id}")
        for route in (*routes.router.routes, *message_routes.router.routes)
    }
    guide = (DOCS / "how-to" / "integrate.md").read_text(encoding="utf-8")
    assert [path for path in sorted(paths) if path not in guide] == []
    text = _reference("routes.md")
    reference = {path.replace("{id}", "{consignment_id}") for path in paths}
    assert [path for path in sorted(reference) if f"`{path}`" not in text] == []


def test_every_role_is_documented() -> None:
    guide = (DOCS / "how-to" / "access.md").read_text(encoding="utf-8")
    roles = {role for row in PERMISSIONS.values() for role in row.roles} | set(ROLES)
    assert [role for role in sorted(roles) if f"| `{role}` |" not in guide] == []


def test_every_command_is_on_its_page_and_in_a_guide() -> None:
    import typer

    from pipelines.cli import app

    names = [name for name, _ in every_command(typer.main.get_command(app), "tamis")]
    text = _reference("commands.md")
    assert [name for name in names if f"## {name}\n" not in text] == []
    written = "\n".join(text for page, text in pages().items() if "/reference/" not in page)
    top = sorted({" ".join(name.split()[:2]) for name in names})
    assert [name for name in top if name not in written and name.replace("tamis", "make") not in written] == []


def test_every_format_is_documented() -> None:
    guide = (DOCS / "how-to" / "messages.md").read_text(encoding="utf-8")
    assert [name for name in FORMATS if f"| `{name}` |" not in guide] == []


def test_every_feature_is_documented() -> None:
    text = _reference("features.md")
    assert [item.name for item in INPUTS if f"| `{item.name}` |" not in text] == []


def test_every_reason_code_that_the_record_writes_is_documented() -> None:
    source = (ROOT / "service" / "orientation" / "decision_assembly.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'"code": "([\w.-]+)"', source)) | set(re.findall(r'\("(\w+)", [A-Z]+\)', source))
    assert len(codes) >= 7
    assert [code for code in sorted(codes) if f"`{code}`" not in _reference("reasons.md")] == []


def test_the_licences_are_those_of_locked_packages() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE))
    names = {re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower() for package in runtime_distributions()}
    assert len(names) > 80
    assert sorted(names - locked) == []
