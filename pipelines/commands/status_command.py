"""`tamis status`: what is installed, linked, promoted, fresh and waiting, and what to do next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from pipelines import show
from pipelines.commands.shared_options import AsJson, current_settings

if TYPE_CHECKING:
    from pipelines.commands.installation_status import Facts

LABEL_WIDTH = 10
RULES = "rules"  # the bundle of rules alone; its module takes long to load


def status(as_json: AsJson = False) -> None:
    """Say what is installed, linked, promoted, fresh and waiting, and what to do next; change nothing."""
    from pipelines.commands.installation_status import status_of

    facts = status_of(current_settings())
    if as_json:
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    for label, sentence in sentences(facts):
        show.line(f"{label:<{LABEL_WIDTH}} {sentence}")


def sentences(facts: Facts) -> list[tuple[str, str]]:
    """Put the facts in words, a line each."""
    installed = facts["installed"]
    return [
        ("installed", _installed(installed)),
        ("home", installed["home"]),
        ("linked", _linked(facts["linked"])),
        ("promoted", _promoted(facts["promoted"])),
        ("fresh", _fresh(facts["fresh"])),
        ("waiting", _waiting(facts["waiting"]) if facts["store"] else "no store yet: run tamis demo or tamis ingest"),
        ("copies", _copied(facts["copies"])),
        ("next", facts["next"]),
    ]


def _installed(installed: Facts) -> str:
    words = f"Tamis {installed['version']}, Python {installed['python']}, {installed['database']} store"
    plugins = ", ".join(f"{name} {version}" for name, version in sorted(installed["plugins"].items()))
    return f"{words}; features of {plugins}" if plugins else words


def _linked(linked: Facts) -> str:
    if not linked["on"]:
        return "linking is off; tamis link --on --by NAME --basis TEXT switches it on"
    return f"linking is on since {linked['at'][:10]}, by {linked['by']}"


def _promoted(promoted: Facts) -> str:
    serving = "no model is promoted"
    if promoted["bundle"] == RULES:
        serving = f"rules decide without a model since {str(promoted['since'])[:10]}, by {promoted['by']}"
    elif promoted["bundle"] is not None:
        serving = f"{promoted['bundle']} since {str(promoted['since'])[:10]}, by {promoted['by']}"
    if promoted["revised"]:
        serving += f"; it learned before features of {', '.join(promoted['revised'])} were read as they are now"
    challenger = promoted["challenger"]
    return serving if challenger is None else f"{serving}; {challenger['name']} version {challenger['version']} waits"


def _fresh(fresh: Facts) -> str:
    named = {
        "manifests until": fresh["newest_manifest_day"],
        "results until": fresh.get("newest_outcome") or fresh["newest_outcome_day"],
        "history as of": fresh.get("history_as_of"),
        "lists as of": fresh.get("lists_as_of"),
        "last monitored": fresh["last_monitor_day"],
    }
    return "; ".join(f"{name} {moment.removesuffix('+00:00') if moment else '–'}" for name, moment in named.items())


def _copied(copies: Facts | None) -> str:
    if copies is None:
        return "checkpoints lie in the home alone; TAMIS_CHECKPOINT_PLACE sends them to a second place"
    if not copies["waiting"]:
        return "every checkpoint is in the second place"
    waiting = show.counted(copies["waiting"], "checkpoint waits", "checkpoints wait")
    return f"{waiting}; {copies['fault']} since {copies['failing_since']}" if copies["fault"] else waiting


def _waiting(waiting: Facts) -> str:
    due = f", the next step due {waiting['next_due']}" if waiting["next_due"] else ""
    counts = [
        show.counted(waiting["facts_unposted"], "record to post", "records to post"),
        show.counted(waiting["decisions_to_reassess"], "decision to reassess", "decisions to reassess"),
        show.counted(waiting["lists_to_approve"], "list to approve", "lists to approve"),
        show.counted(waiting["proposals"], "proposal"),
        show.counted(waiting["open_cases"], "open case") + due,
    ]
    nothing = not any(count for name, count in waiting.items() if name != "next_due")
    return "nothing" if nothing else ", ".join(counts)
