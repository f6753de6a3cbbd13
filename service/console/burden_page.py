"""The page of the burden report: whom the checks burden, with intervals, and what adds to a gap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from features.catalogue import EVERY_INPUT
from service.console.rendering import language_of, page, share
from service.console.translations import in_language
from service.oversight.burden import NOT_STATED, REST
from service.oversight.burden_report import latest
from service.oversight.gap_parts import RULE, UNASKED
from service.oversight.looked_at import OFFICER
from service.scoring.explanation import Language

router = APIRouter(include_in_schema=False)
SHOWN_PARTS, SHOWN_INPUTS = 5, 5
PLAIN = ("stream", "ioss")  # origins whose groups are words and not names
CHOOSERS = {OFFICER: "by_officer", UNASKED: "by_nobody"}


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap that stands: its group, and what adds to it, in points of a hundred and in log-odds."""

    origin: str
    group: str
    parts: tuple[tuple[str, str], ...]
    inputs: tuple[tuple[str, str, str], ...]


@router.get("/console/burden")
def burden_page(request: Request) -> Response:
    """The latest report that `tamis report --burden` has written."""
    language = language_of(request)
    report = latest(request.app.state.settings.reports)
    tables = [] if report is None else [_table(origin, rows, language) for origin, rows in report["tables"].items()]
    return page(
        request, "burden", report=report, tables=tables, gaps=[] if report is None else gaps_of(report, language),
        broad=True,
    )  # fmt: skip


def gaps_of(report: Mapping[str, Any], language: Language) -> list[Gap]:
    """The gaps that stand, in the order of the tables, each with what adds to it."""
    field = in_language(language, "field")
    return [
        Gap(
            field(origin), _name(origin, group["name"], language),
            tuple((_chooser(name, language), f"{100 * points:+.2f}") for name, points in _first(group["parts"])),
            _inputs(report["inputs"][origin].get(group["name"]), language),
        )
        for origin, groups in report["tables"].items()
        for group in groups
        if group["verdict"].startswith("more")
    ]  # fmt: skip


def _first(parts: Mapping[str, float]) -> Sequence[tuple[str, float]]:
    return list(parts.items())[:SHOWN_PARTS]


def _inputs(explained: Mapping[str, Any] | None, language: Language) -> tuple[tuple[str, str, str], ...]:
    if explained is None:
        return ()
    words = {item.name: item.words[language] for item in EVERY_INPUT}
    return tuple(
        (words.get(one["code"], one["code"]), f"{one['adds']:+.2f}", f"{one['checks']:,} / {explained['checks']:,}")
        for one in explained["inputs"][:SHOWN_INPUTS]
    )


def _chooser(name: str, language: Language) -> str:
    if name.startswith(RULE):
        return f"{in_language(language, 'word')('rule')}: {name.removeprefix(RULE)}"
    if name in CHOOSERS:
        return in_language(language, "say")(CHOOSERS[name])
    return in_language(language, "word")(name)


def _table(origin: str, rows: Sequence[Mapping[str, Any]], language: Language) -> tuple[str, list[dict[str, Any]]]:
    say = in_language(language, "say")
    groups = [
        {
            "name": _name(origin, row["name"], language), "verdict": row["verdict"],
            "said": say(f"burden_{row['verdict']}") if row["verdict"] != "none" else "",
            "consignments": row["consignments"], "looked_at": row["looked_at"],
            "hit_rate": _held(row["hit_rate"]), "prevalence": _held(row["prevalence"]),
            "burden": _held(row["burden"]), "ratio": _ratio(row["ratio"]),
        }
        for row in rows
    ]  # fmt: skip
    return in_language(language, "field")(origin), groups


def _name(origin: str, name: str, language: Language) -> str:
    say = in_language(language, "say")
    if name in (NOT_STATED, REST):
        return say("unknown") if name == NOT_STATED else say("burden_rest")
    return say(f"burden_{origin}_{name}") if origin in PLAIN else name


def _held(one: Mapping[str, float | None]) -> str:
    if one["value"] is None:
        return "–"
    return f"{share(one['value'])} ({share(one['low'])} – {share(one['high'])})"


def _ratio(one: Mapping[str, float | None]) -> str:
    if one["value"] is None or one["high"] is None:
        return "–"
    return f"{one['value']:.2f} ({one['low']:.2f} – {one['high']:.2f})"
