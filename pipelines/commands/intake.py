"""Files taken in one after the other: what is wrong with one of them stops no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from features.messages.mapping import MappingFault
from features.messages.raw import UnreadableFile
from pipelines import show
from pipelines.batch.ingest import Ingested, keep_quarantine
from pipelines.batch.refusals import WHOLE_FILE, NothingAccepted, Section, refusals_in_words
from service.record.consignment_versions import Conflict

NOTHING = "nothing of what was handed over was accepted"


def take_in(
    files: Sequence[Path],
    take: Callable[[Path], tuple[Ingested, str]],
    quarantine: Path,
    section: Section,
) -> None:
    """Take in each file, say what came of it, and keep what was refused; raises NothingAccepted.

    take: gives the account of a file and what else is to be said of it.
    """
    accounts: list[Ingested] = []
    with show.progress("manifests" if section == "manifest" else "outcome files", len(files)) as advance:
        for file in files:
            done, more = _attempt(file, take)
            accounts.append(done)
            kept = keep_quarantine(done.refused, quarantine, done.file)
            sentences = refusals_in_words(done.refused, done.separator, section)
            if done.refused["field"].eq(WHOLE_FILE).any():
                advance(" ".join(sentences), always=True)
                continue
            advance(f"{done.file}: {done.account}; {more}")
            if done.unread:
                meant = ", ".join(f'"{column}" ({name}?)' for name, column in done.unread.items())
                show.line(f"  not read: {meant}; `--preview` writes a mapping that reads them")
            say_refusals(sentences, kept)
    if any(done.refused.height for done in accounts) and not any(done.accepted for done in accounts):
        raise NothingAccepted(f"{NOTHING}; what was refused is in {quarantine}")


def _attempt(file: Path, take: Callable[[Path], tuple[Ingested, str]]) -> tuple[Ingested, str]:
    try:
        return take(file)
    except (UnreadableFile, MappingFault, Conflict) as fault:
        reason = fault.named if isinstance(fault, Conflict) else fault
        named = fault if isinstance(fault, UnreadableFile) else UnreadableFile(f"{file.name}: {reason}")
        return Ingested.refused_whole(file, named), ""


def say_refusals(sentences: Sequence[str], kept: Path | None) -> None:
    """Print what was refused, a line a kind, and where all of it lies."""
    for sentence in sentences:
        show.line(f"  {sentence}")
    if sentences and kept is not None:
        show.line(f"  all that was refused: {kept}")
