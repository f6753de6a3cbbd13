"""Drafts of the documents that supervision asks for, filled from the facts; what a person must write is marked."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from service.oversight.governance_facts import Facts

TO_WRITE = "TO WRITE"
NOTICE = (
    f"> A draft from the record of this installation. What is marked **[{TO_WRITE}: …]** no machine can know. A lawyer "
    "and the data protection officer must read all of it before anybody relies on it; it is no legal advice."
)
DOCUMENTS = ("impact-assessment.md", "register-entry.md", "model-card.md", "yearly-review.md", "declarant.md")
REGISTER = "register-entry.json"
FOLDER = "governance"
VERDICTS = {
    "less": "held up less than the others",
    "more_finds_more": "held up more than the others, and more is found there",
    "more_finds_less": "held up more than the others, and less is found there",
    "more_not_shown": "held up more than the others, without showing that more is found there",
}
ORIGIN_NAMES = {
    "goods_origin_country": "country of origin",
    "dispatch_country": "country of dispatch",
    "stream": "stream",
    "platform": "platform",
    "ioss": "IOSS number",
    "office": "office",
}


def write_drafts(facts: Facts, fingerprint: str, out: Path) -> dict[str, int]:
    """Write all drafts into a folder; returns by file how many places a person must fill."""
    out.mkdir(parents=True, exist_ok=True)
    entry = register_entry(facts)
    values = {
        "facts": facts, "fingerprint": fingerprint, "notice": NOTICE, "entry": entry, "asked": register()["asked"],
        "verdicts": VERDICTS, "origins": ORIGIN_NAMES, "write": to_write,
    }  # fmt: skip
    texts = {name: _templates().get_template(name).render(values) for name in DOCUMENTS}
    texts[REGISTER] = json.dumps(entry, indent=1, ensure_ascii=False) + "\n"
    for name, text in texts.items():
        temporary = out / f".{name}.new"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(out / name)
    return {name: text.count(f"[{TO_WRITE}:") for name, text in texts.items() if name != REGISTER}


def register_entry(facts: Facts) -> dict[str, str | None]:
    """Return the fields of the register; None for what a person must write."""
    written = register()
    methods = written["methods_and_models"]["by_model" if facts.inputs else "by_rules"]
    filled = {**written["filled"], "methods_and_models": methods, "provider": f"Tamis {facts.version}"}
    return {**filled, **dict.fromkeys(written["asked"])}


@lru_cache(maxsize=1)
def register() -> Mapping[str, Mapping[str, str]]:
    """Return what register.toml says: fields that are filled, and what is asked of a person."""
    return tomllib.loads(files("service.oversight").joinpath("register.toml").read_text(encoding="utf-8"))


def to_write(what: str) -> str:
    """Mark a place that a person must fill."""
    return f"**[{TO_WRITE}: {what}]**"


def cell(value: Any) -> str:
    """Return a value as the cell of a table has it: in one line, with nothing that ends the cell."""
    return re.sub(r"\s+", " ", str(value)).replace("|", "\\|").replace("<", "&lt;").strip()


def counts(counted: Mapping[str, int]) -> str:
    """Return counts in one line."""
    return ", ".join(f"{cell(name)} {count:,}" for name, count in counted.items()) or "none"


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 - Markdown: cells are escaped by their filter
        loader=jinja2.PackageLoader("service.oversight", "drafts"), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters |= {"cell": cell, "counts": counts}
    return environment
