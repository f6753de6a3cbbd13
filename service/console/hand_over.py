"""An investigation as one file for a prosecutor: a PDF, its parties as FollowTheMoney, documents, a manifest of hashes.

The same investigation gives the same bytes in the same language: nothing in it is of the moment at which it is made.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from features.moments import EPOCH
from service.answers.pdf_document import Section, pdf_of
from service.console.investigation_words import entry_in_words, item_in_words
from service.console.phrases import phrase
from service.console.translations import in_language
from service.officers.investigation_view import Gathered
from service.officers.investigations import CONSIGNMENT, Investigation, content_of
from service.parties.ftm_export import consignments_as_ftm
from service.scoring.explanation import Language
from service.store.database import Store

MANIFEST, REPORT, ENTITIES, DECLARED = "manifest.sha256", "report.pdf", "entities.ftm.json", "declarations.json"
Moment = Callable[[int | str | None], str]


def hand_over(
    store: Store, investigation: Investigation, found: Gathered, results: Mapping[str, list[dict[str, Any]]],
    language: Language, moment: Moment, kind_word: Callable[[str], str],
) -> bytes:  # fmt: skip
    """Pack an investigation, as far as whoever hands it over sees it.

    results: of each consignment, the newest first. moment: says a time in the zone of the installation.
    kind_word: says a kind of finding.
    """
    links = [link for one in found.networks for link in one["links"]]
    senders = {one.consignment_id: one.party_id for one in found.parcels}
    files: dict[str, bytes] = {
        REPORT: _report(investigation, found, results, language, moment, kind_word),
        ENTITIES: "".join(f"{line}\n" for line in consignments_as_ftm(found.bodies, senders, links)).encode(),
        DECLARED: json.dumps(found.bodies, ensure_ascii=False, indent=1, sort_keys=True).encode(),
    }
    for one in investigation.documents:
        content = content_of(store, one.sha256)
        if content is not None:
            files[f"documents/{one.sha256[:12]}-{_safe(one.name)}"] = content
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    files[MANIFEST] = "".join(lines).encode()
    return _packed(files, investigation.last_at)


def _packed(files: Mapping[str, bytes], at: int) -> bytes:
    buffer, day = io.BytesIO(), (EPOCH + timedelta(microseconds=at)).timetuple()[:6]
    with zipfile.ZipFile(buffer, "w") as packed:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, day)
            entry.compress_type, entry.external_attr, entry.create_system = zipfile.ZIP_DEFLATED, 0o600 << 16, 3
            packed.writestr(entry, files[name])
    return buffer.getvalue()


def _report(
    investigation: Investigation, found: Gathered, results: Mapping[str, list[dict[str, Any]]], language: Language,
    moment: Moment, kind_word: Callable[[str], str],
) -> bytes:  # fmt: skip
    say, word, title = (in_language(language, section) for section in ("say", "word", "title"))
    heading = f"{title('investigation')} {investigation.number}: {investigation.title}"
    opened = f"{say('opened_by')} {investigation.opened_by}, {moment(investigation.entries[0]['at'])}"
    hidden = [f"{found.hidden} {say('of_other_offices')}"] if found.hidden else []
    parcels = [
        (one.consignment_id, moment(one.lodged_at), word(one.clearance) if one.clearance else "", one.sender or "",
         one.addressee or "", one.goods, _result(results.get(one.consignment_id, []), word, kind_word))
        for one in found.parcels
    ]  # fmt: skip
    shared = [
        (word(one.kind), one.text, ", ".join(one.numbers), ", ".join(in_language(language, "field")(name)
         for name in one.sides))
        for one in found.shared
    ]  # fmt: skip
    links = [
        (found.names.get(link["one"], link["one"]), found.names.get(link["other"], link["other"]),
         phrase(link["evidence"], language), str(link["bits"]))
        for one in found.networks for link in one["links"]
    ]  # fmt: skip
    entries = [(moment(row["at"]), row["officer"], entry_in_words(row, language)) for row in investigation.entries]
    documents = [
        (one.name, f"{one.size:,}", one.officer, moment(one.at), one.sha256) for one in investigation.documents
    ]
    others = [item_in_words(item, language) for item in investigation.items if item.kind != CONSIGNMENT]
    sections = [
        Section(say("what_it_holds"), [opened, *others, *hidden]),
        Section(title("consignments"), [] if parcels else [say("nothing_there")], [
            title("consignment"), say("lodged"), say("lane"), say("sender"), say("addressee"), say("what"),
            say("result")], parcels, (2.2, 1.5, 1, 2, 2, 2.4, 1.6)),
        Section(say("shared_values"), [] if shared else [say("nothing_there")], [
            say("search_kind"), say("value"), title("consignments"), say("field")], shared, (1, 2, 3, 2)),
        Section(say("links"), [] if links else [say("nothing_there")], [
            say("party"), say("party"), say("evidence"), say("bits")], links, (2, 2, 4, 1)),
        Section(say("documents_attached"), [] if documents else [say("nothing_there")], [
            say("name"), say("bytes"), say("attached_by"), say("lodged"), "SHA-256"], documents, (2, 0.8, 1.2, 1.5, 4)),
        Section(say("what_was_noted"), [], [say("lodged"), say("name"), say("what_was_done")], entries, (1.5, 1.2, 5)),
    ]  # fmt: skip
    return pdf_of(heading, f"Tamis · {investigation.number}", sections)


def _result(results: list[dict[str, Any]], word: Callable[[str], str], kind_word: Callable[[str], str]) -> str:
    if not results:
        return ""
    findings = [kind_word(one) for one in str(results[0].get("findings") or "").split(";") if one]
    return ", ".join([word(results[0]["result"]), *findings])


def _safe(name: str) -> str:
    return "".join(sign if sign.isalnum() or sign in "._- " else "_" for sign in name)
