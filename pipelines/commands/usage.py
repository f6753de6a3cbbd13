"""What a wrong command line is answered: one sentence that names the option or the command, never what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

RENAMED_COMMANDS = {"ladder": "benchmark"}  # the old name works for one release more
LONGEST_TOKEN = 40
WRONG_USAGE = 2


class BadValue(typer.BadParameter):
    """A value that a command cannot take; the message is a whole sentence of ours and echoes no value."""


class TamisGroup(TyperGroup):
    """A group of commands that knows what its commands were called before."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Without arguments the help is printed, and the exit code says that nothing was done."""
        if not args and self.no_args_is_help:
            print_help(ctx)
            raise typer.Exit(WRONG_USAGE)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find a command by its name, or by the name that it had."""
        if args and args[0] not in self.commands and args[0] in RENAMED_COMMANDS:
            say_renamed(f"tamis {args[0]}", f"tamis {RENAMED_COMMANDS[args[0]]}")
            args = [RENAMED_COMMANDS[args[0]], *args[1:]]
        return super().resolve_command(ctx, args)


def command_with_renamed(options: Mapping[str, str]) -> type[TyperCommand]:
    """Make a class of commands that take options by their old names too, and say what they are called now."""

    class RenamingCommand(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            return super().parse_args(ctx, [_by_new_name(argument, options) for argument in args])

    return RenamingCommand


def _by_new_name(argument: str, options: Mapping[str, str]) -> str:
    name, equals, value = argument.partition("=")
    if name not in options:
        return argument
    say_renamed(name, options[name])
    return f"{options[name]}{equals}{value}"


def say_renamed(old: str, new: str) -> None:
    """Print what an old name is called now, where it does not mix with what a command prints."""
    typer.echo(f"tamis: {old} is now called {new}; the old name goes with the next release", err=True)


def print_help(ctx: Any) -> None:
    """Print the help of a command; rich prints while it formats and leaves no text."""
    if text := ctx.get_help():
        typer.echo(text)


def usage_sentence(fault: typer.TyperException) -> str:
    """Say in one sentence what is wrong with a command line, and where its help is."""
    context = getattr(fault, "ctx", None)
    where = f"; see `{context.command_path} --help`" if context is not None else "; see `tamis --help`"
    return f"{_wrong(fault)}{where}"


def _wrong(fault: Any) -> str:
    kind = type(fault).__name__
    if isinstance(fault, BadValue):
        return f"{_named(fault.param)}: {fault.message}"
    if kind == "NoSuchOption":
        return f"No such option '{token(fault.option_name)}'{_meant(fault.possibilities)}"
    if kind == "MissingParameter":
        return f"Missing {fault.param.param_type_name if fault.param else 'value'} {_named(fault.param)}"
    if isinstance(fault, typer.BadParameter) and "not readable" in fault.message:
        return f"{_named(fault.param)}: it cannot be read; ask for the right to read it"
    if isinstance(fault, typer.BadParameter):
        return f"Invalid value for {_named(fault.param)}: it takes {_takes(fault.param)}"
    if kind == "BadOptionUsage":
        needed = "needs a value" if "requires" in fault.message else "takes no value"
        return f"Option '{token(fault.option_name)}' {needed}"
    if fault.message.startswith(("No such command", "Missing command")):
        return " ".join(fault.message.split()).rstrip(".")
    return "More arguments than the command takes"


def token(text: str) -> str:
    """Shorten an option or a command as it was typed to what one line can show."""
    return "".join(letter for letter in text if letter.isprintable())[:LONGEST_TOKEN]


def _meant(possibilities: Any) -> str:
    return f". Did you mean {' or '.join(repr(name) for name in possibilities)}?" if possibilities else ""


def _named(parameter: Any) -> str:
    if parameter is None:
        return "the command"
    if parameter.param_type_name == "argument":
        return f"'{parameter.display_name_raw.upper()}'"
    return f"'{max(parameter.opts, key=len)}'"


def _takes(parameter: Any) -> str:
    """Say what a parameter takes, as its declaration tells."""
    described = getattr(parameter, "type_descriptor", None)
    if described is None:
        return "another value"
    if described.choices is not None:
        return f"one of {', '.join(map(str, described.choices))}"
    if described.is_datetime:
        formats = described.parameter_info.formats or []
        return "a day such as 2026-03-01" + (" or a time such as 2026-03-01T14:30" if len(formats) > 1 else "")
    number = {int: "a whole number", float: "a number"}.get(described.annotation)
    if number is None:
        return "another value"
    return number + _between(described.parameter_info.min, described.parameter_info.max)


def _between(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least} to {most}"
    if least is not None:
        return f" of at least {least}"
    return "" if most is None else f" of at most {most}"


def engine_name(value: str) -> str:
    """Take an engine by its name, or by the name that it had."""
    if value == "here":
        say_renamed("--engine here", "--engine local")
        return "local"
    if value not in ("local", "dask") and not value.startswith("dask="):
        raise BadValue("where to run is local, dask or dask=ADDRESS")
    return value
