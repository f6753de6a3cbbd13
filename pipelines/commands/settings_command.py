"""`tamis settings`: what each setting is now and where that comes from, without showing what is secret."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

from pipelines import show
from pipelines.commands.shared_options import AsJson, current_settings

if TYPE_CHECKING:
    from service.settings import Settings

MASKED = "(set; not shown)"
OTHER_VARIABLES = ("TAMIS_SETTINGS", "TAMIS_TRACEBACK")
NAME_WIDTH, VALUE_WIDTH = 30, 28


def settings(
    as_json: AsJson = False,
) -> None:
    """Show every setting: its environment variable, what holds now, where it comes from; secrets are masked."""
    from service.settings_file import settings_file

    rows, unknown, file = settings_in_force(current_settings()), unknown_variables(), settings_file()
    if as_json:
        found = {"file": None if file is None else str(file), "settings": rows, "unknown": unknown}
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    if file is not None:
        show.line(f"file: {file}; the environment comes before it")
    for row in rows:
        head = f"{row['variable']:<{NAME_WIDTH}} {row['value'] or '–':<{VALUE_WIDTH}} {row['source']:<12}"
        show.line(f"{head} {row['meaning']}")
    for name in unknown:
        show.line(f"! {name} is set and is no setting of Tamis")


def settings_in_force(settings: Settings) -> list[dict[str, str]]:
    """List the settings in the order in which they are declared."""
    from service.settings import PREFIX, source_of

    rows = []
    for name, field in type(settings).model_fields.items():
        variable = f"{PREFIX}{name.upper()}"
        rows.append(
            {
                "variable": variable,
                "value": _shown(name, getattr(settings, name)),
                "source": source_of(name),
                "meaning": field.description or "",
            }
        )
    return rows


def _shown(name: str, value: Any) -> str:
    """A setting as it may be shown: of an address only where it points, of a file with a secret not even its name."""
    if value is None or value == "":
        return ""
    if "secret" in name:
        return MASKED
    return without_password(str(value)) if name == "store" else str(value)


def without_password(address: str) -> str:
    """Leave of a database address its kind, host and path; user, password and parameters are not shown."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def unknown_variables() -> list[str]:
    """Find variables that look like settings and are none, most often misspelt."""
    from service.settings import PREFIX, Settings

    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | set(OTHER_VARIABLES)
    return sorted(name for name in map(str.upper, os.environ) if name.startswith(PREFIX) and name not in known)
