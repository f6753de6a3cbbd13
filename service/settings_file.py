"""The settings file of an installation: TOML, each setting under its name; the environment comes before it."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from features.fault import Fault

FILE_VARIABLE = "TAMIS_SETTINGS"
USUAL = Path("/etc/tamis/tamis.toml")
FOR_ANYBODY = stat.S_IRWXO  # the permissions of whoever is neither the owner nor of the group


class SettingsFault(Fault):
    """A setting that cannot be; the message names it, by environment variable or in its file, and never its value."""


def settings_file() -> Path | None:
    """Return the file that is named in the environment, or the usual one where it is there; none without either."""
    if named := os.environ.get(FILE_VARIABLE):
        path = Path(named)
        if not path.is_file() or not os.access(path, os.R_OK):
            raise SettingsFault(f"{FILE_VARIABLE} takes the path of a settings file that exists and can be read")
        return path
    if USUAL.is_file() and not os.access(USUAL, os.R_OK):
        raise SettingsFault(f"{USUAL} cannot be read: give the group of whoever runs Tamis the right to read it")
    return USUAL if USUAL.is_file() else None


def settings_of(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Read the settings of a file.

    Raises SettingsFault, which names the file and the remedy, for what is no TOML, for a name that no setting has, and
    for a password that anybody on the machine could read.
    """
    try:
        stated = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as fault:
        raise SettingsFault(
            f"{path} is no TOML, {_place(str(fault))}: write each setting as name = value, texts in quotes"
        ) from None
    except UnicodeDecodeError:
        raise SettingsFault(f"{path} is not written in UTF-8: save it so") from None
    for name in stated:
        if name not in known:
            raise SettingsFault(f"{path}: {name} is no setting{_meant(name, known)}; `tamis settings` lists them all")
    if _holds_password(stated) and path.stat().st_mode & FOR_ANYBODY:
        raise SettingsFault(
            f"{path}: store holds a password, and anybody on this machine can read the file: chmod o= {path}"
        )
    return stated


def _place(message: str) -> str:
    """Return where a message of `tomllib` says that the fault is, without the rest of it."""
    return message.rpartition("(at ")[2].rstrip(")") or "somewhere"


def _meant(name: str, known: Collection[str]) -> str:
    bare = name.lower().removeprefix("tamis_")
    close = [bare] if bare in known else get_close_matches(bare, known, 1)
    return f": did you mean {close[0]}?" if close else ""


def _holds_password(stated: dict[str, Any]) -> bool:
    store = stated.get("store")
    return isinstance(store, str) and "://" in store and urlsplit(store).password is not None


class FromFile(PydanticBaseSettingsSource):
    """The settings file as a source of settings, below the environment."""

    def __init__(self, settings: type[BaseSettings]) -> None:
        super().__init__(settings)
        self.path = settings_file()
        self.stated = settings_of(self.path, settings.model_fields) if self.path else {}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return what the file says of one setting."""
        del field
        return self.stated.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(self.stated)
