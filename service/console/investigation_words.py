"""Entries and items of an investigation, in the words of whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.console.translations import in_language
from service.officers.investigation_view import KEPT_WITH_KINDS
from service.officers.investigations import DOCUMENT, HANDED_OVER, ITEMS, LEFT_OUT, TASK, Item
from service.scoring.explanation import Language


def entry_in_words(row: Mapping[str, Any], language: Language) -> str:
    """Say what an entry notes: its step and what it says."""
    say, body, step = in_language(language, "step"), row["body"], row["step"]
    if step in ITEMS:
        return f"{say(f'added_{step}')}: {_subject(row)}"
    if step == LEFT_OUT:
        return f"{say('left_out')}: {_subject(row)}"
    if step == TASK:
        until = f" ({body['due']})" if body["due"] else ""
        return f"{say('task')}: {body['text']} – {body['who']}{until}"
    if step == DOCUMENT:
        return f"{say('document')}: {body['name']}, SHA-256 {body['sha256']}"
    if step == HANDED_OVER:
        return f"{say('handed_over')}: {body['to']}, SHA-256 {body['sha256']}"
    text = body.get("title") or body.get("text") or body.get("task") or ""
    return f"{say(step)}: {text}" if text else say(step)


def item_in_words(item: Item, language: Language) -> str:
    """Say what an item is."""
    return f"{in_language(language, 'word')(item.kind)}: {item.value.split(KEPT_WITH_KINDS)[0]}"


def _subject(row: Mapping[str, Any]) -> str:
    return str(row["consignment_id"] or row["body"].get("value", "")).split(KEPT_WITH_KINDS)[0]
