"""The page of commands, from the command objects that `tamis` runs."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any, Literal

import typer

from docs.generator.markdown import code, page, section, table
from pipelines.cli import app

INTRODUCTION = """
Every command prints what it did, shows its progress, and takes `--help`. Everything that it writes lies below
`TAMIS_HOME` ([settings](settings.md)).
"""


def commands_page() -> str:
    """Return the page of every command with its arguments and options."""
    found = list(every_command(typer.main.get_command(app), "tamis"))
    overview = table(["command", "does"], ([f"[`{name}`](#{_anchor(name)})", _summary(c)] for name, c in found))
    described = (_described(name, command) for name, command in sorted(found))
    return page("Commands", INTRODUCTION, str(app.info.epilog), overview, *described)


def every_command(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield each command that can be run below a group, with its whole name."""
    for word, command in group.commands.items():
        if getattr(command, "commands", None):
            yield from every_command(command, f"{name} {word}")
        elif not command.hidden:
            yield f"{name} {word}", command


def _described(name: str, command: Any) -> str:
    parameters = [parameter for parameter in command.params if not parameter.hidden and parameter.name != "help"]
    rows = [[code(_spelling(p)), _kind(p), _default(p), p.help or ""] for p in parameters]
    listed = table(["argument or option", "takes", "default", "meaning"], rows) if rows else ""
    return section(name, _text(command), listed)


def _text(command: Any) -> str:
    return "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))


def _summary(command: Any) -> str:
    return _text(command).split("\n\n")[0]


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"{parameter.name.upper()}{' …' if parameter.nargs == -1 else ''}"
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def _kind(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    if typing.get_origin(annotation) is Literal:
        return ", ".join(code(word) for word in typing.get_args(annotation))
    several = typing.get_origin(annotation) is list
    named = typing.get_args(annotation)[0] if several else annotation
    words = {"Path": "path", "str": "text", "int": "whole number", "bool": "switch", "datetime": "day"}
    kind = words.get(named.__name__, named.__name__)
    return f"{kind}, repeatable" if several else kind


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or default == "" or isinstance(default, bool):
        return "on" if default is True else ""
    if hasattr(default, "strftime"):
        return code(default.strftime("%Y-%m-%d"))
    return code(default)


def _anchor(name: str) -> str:
    return name.replace(" ", "-")
