"""Every kind of entry that stands on the audit log, listed once.

Verification, erasure, dossier and timeline walk this list and know no kind by name. A further kind of officer's act is
one entry here, its table, and a function that calls `sign`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from features.history.fact_list import KEPT_OF_OUTCOMES
from service.canonical import canonical
from service.record.audit_log import Entry, salted
from service.record.decision_check import DecisionCheck, decisions_with_basis
from service.record.record_kind import Key, RecordKind, Row, Words
from service.record.record_rows import outcome_entry, repeats_its_body
from service.store.investigation_tables import INVESTIGATION_ENTRIES
from service.store.purchase_tables import PURCHASE_NOTES
from service.store.record_tables import RECORD_LIFTED
from service.store.settled_rows import decided_of, declared_of
from service.store.tables import (
    ASSIGNMENTS,
    CASE_NOTES,
    CHAIN,
    DECISIONS,
    DECLARATIONS,
    EARLY_RESULTS,
    JUDGEMENTS,
    LISTS,
    OUTCOMES,
    OVERRIDES,
    TRANSFERS,
)

FIRST = {"en": "Decided", "fr": "Décision", "zh": "作出决定"}
AGAIN = {"en": "Decided again (reassessment)", "fr": "Nouvelle décision (réévaluation)", "zh": "重新评估后的决定"}
AMENDED = {
    "en": "Decided on an amendment; an override of an earlier version does not carry over",
    "fr": "Décision sur une rectification ; un changement de circuit d'une version antérieure ne s'y applique pas",
    "zh": "对修改后的申报作出决定；对先前版本的通道更改不适用",
}
TAKEN = {"en": "Taken", "fr": "Pris en charge", "zh": "已领取"}
LET_GO = {"en": "Released to the list", "fr": "Remis dans la liste", "zh": "已退回清单"}


def titled(en: str, fr: str, zh: str) -> Callable[[Row], Words]:
    """Give every entry of a kind the same heading."""
    words = {"en": en, "fr": fr, "zh": zh}
    return lambda _: words


def salted_fields(*names: str) -> Callable[[Row], str]:
    """Make the content of entries that hold a salted hash of some columns."""
    return lambda row: salted(row["salt"], {name: row[name] for name in names})


def shown(*names: str) -> Callable[[Row], dict[str, Any]]:
    """Say these fields of a row in a timeline, from its body where it has one; those that are empty are left out."""

    def details(row: Row) -> dict[str, Any]:
        fields = {**row, **(row.get("body") or {})}
        return {name: fields[name] for name in names if fields.get(name) not in (None, "")}

    return details


def title_of_decision(row: Row) -> Words:
    """Tell a first decision, a reassessment and an amendment apart."""
    return AGAIN if row["assessment"] > 1 else AMENDED if row["version"] > 1 else FIRST


def list_content(row: Row) -> str:
    """Give what the log holds of a version of a list: its kind, the hashes of its bytes and of what counts of it."""
    subjects = hashlib.sha256(canonical(row["subjects"])).hexdigest()
    return canonical({"sha256": row["sha256"], "kind": row["kind"], "subjects": subjects}).decode()


def list_key(subject: str) -> Key:
    """Read which version of which list an entry names."""
    named = json.loads(subject)
    return named["list"], named["version"]


def judgement_content(row: Row) -> str:
    """Give what the log holds of an officer's judgement, of keyed cards: a hash, as a reason may name a person."""
    judged = {name: row[name] for name in ("one", "other", "same", "by", "reason", "at")}
    return hashlib.sha256(canonical(judged)).hexdigest()


KEYED = "keyed"  # the kind of entry that says what an upgrade made of a row


@dataclass(frozen=True, slots=True)
class KeyedSince:
    """Compares rows with entries from before upgrades: where one wrote a row anew, a further entry says what it is."""

    noun: str
    content: Callable[[Row], str]

    def __call__(self, connection: sa.Connection, row: Row, content: str) -> str | None:
        """Name what differs; None where nothing does."""
        present, passed = self.content(row), {content}
        while content != present:
            written = sa.select(CHAIN.c.content).where(CHAIN.c.kind == KEYED, CHAIN.c.subject == content)
            noted = connection.execute(written).scalar()
            content = "" if noted is None else json.loads(noted)["content"]
            if content in passed or noted is None:
                return f"its {self.noun} was changed"
            passed.add(content)
        return None


def keyed_entry(former: str, present: str) -> Entry:
    """Make the entry by which an upgrade says what an earlier entry holds of a row, now that its hashes are others."""
    return Entry(KEYED, former, canonical({"content": present}).decode())


def judgements_about(connection: sa.Connection, consignment_id: str) -> sa.ColumnElement[bool]:
    """Choose the judgements on the senders that a consignment was attributed to."""
    stated = sa.select(DECLARATIONS.c.card).where(DECLARATIONS.c.consignment_id == consignment_id)
    attributed = sa.exists().where(DECISIONS.c.consignment_id == consignment_id, DECISIONS.c.network.is_not(None))
    cards = {card for card in connection.execute(stated.where(attributed)).scalars() if card is not None}
    if any(row["network"] is not None for row in decided_of(connection, ["network"], [consignment_id])):
        cards |= {row["card"] for row in declared_of(connection, ["card"], [consignment_id]) if row["card"] is not None}
    return JUDGEMENTS.c.one.in_(cards) | JUDGEMENTS.c.other.in_(cards)


def overrides_with_decision() -> sa.Select[Any]:
    """Select overrides with the consignment of the decision that they change."""
    joined = OVERRIDES.outerjoin(DECISIONS, DECISIONS.c.decision_id == OVERRIDES.c.decision_id)
    return sa.select(OVERRIDES, DECISIONS.c.consignment_id.label("decided_of")).select_from(joined)


DECISION = RecordKind(
    "decision", "decision", title_of_decision, shown("version", "clearance", "pre_arrival", "selection", "decision_id"),
    table=DECISIONS, key=("decision_id",), query=decisions_with_basis, examine=DecisionCheck,
    vouched_besides=lambda: sa.select(RECORD_LIFTED.c.decision_id),
    erased={"body": {}, "row_as_scored": sa.null(), "network": None},
)  # fmt: skip
OUTCOME = RecordKind(
    "outcome", "outcome", titled("Control result", "Résultat de contrôle", "查验结果"),
    shown("result", "findings", "stage", "officer"),
    table=OUTCOMES, key=("outcome_id",), content=lambda row: outcome_entry(row).content,
    agrees=repeats_its_body,
    erased={"archived": True}, kept_of_body=KEPT_OF_OUTCOMES,
)  # fmt: skip
CASE = RecordKind(
    "case", "note of a case", titled("Case note", "Note de dossier", "案件记录"),
    shown("step", "track", "right_holder", "officer"),
    table=CASE_NOTES, key=("note_id",), prefix="case-",
    content=salted_fields("consignment_id", "step", "at", "officer", "body"), erased={"officer": "", "body": {}},
)  # fmt: skip
PURCHASE = RecordKind(  # the name that was used is shown by no timeline
    "purchase", "note of a test purchase", titled("Test purchase", "Achat test", "测试购买"),
    shown("purchase_id", "step", "result", "officer"),
    table=PURCHASE_NOTES, key=("note_id",), prefix="purchase-",
    content=salted_fields("purchase_id", "consignment_id", "step", "at", "office", "officer", "body"),
    erased={"officer": "", "body": {}},
)  # fmt: skip
OVERRIDE = RecordKind(
    "override", "override", titled("Lane overridden", "Circuit modifié", "通道更改"),
    shown("clearance", "by", "reason", "decision_id"),
    table=OVERRIDES, key=("override_id",), prefix="override-",
    content=salted_fields("decision_id", "clearance", "by", "reason", "at"), erased={"by": "", "reason": ""},
    query=overrides_with_decision, agrees=lambda row: bool(row["consignment_id"] == row["decided_of"]),
)  # fmt: skip
JUDGEMENT = RecordKind(  # of a sender, whatever becomes of one of its consignments: no erasure takes it
    "judgement", "judgement", titled("Judgement on its sender", "Avis sur son expéditeur", "对寄件人的判断"),
    shown("same", "by", "reason"),
    table=JUDGEMENTS, key=("judgement_id",), content=judgement_content, about=judgements_about,
    examine=lambda: KeyedSince("judgement", judgement_content),
)  # fmt: skip
WATCH_LIST = RecordKind(
    "list", "watch list", titled("Watch list", "Liste de surveillance", "监控名单"), shown("list_id", "version"),
    table=LISTS, key=("list_id", "version"), read_subject=list_key, content=list_content,
    examine=lambda: KeyedSince("watch list", list_content),
)  # fmt: skip
TRANSFER = RecordKind(
    "transfer", "transfer", titled("Assigned to an office", "Attribué à un bureau", "归入海关"),
    shown("from_office", "office", "sender", "by", "reason"),
    table=TRANSFERS, key=("transfer_id",), prefix="transfer-",
    content=salted_fields("consignment_id", "from_office", "from_sender", "office", "sender", "by", "reason", "at"),
    erased={"by": "", "reason": ""},
)  # fmt: skip
EARLY_RESULT = RecordKind(  # what it says is its sender's; of the consignment it says that there is one
    "early", "result before lodging",
    titled("Result before lodging", "Résultat antérieur au dépôt", "申报前的查验结果"), shown("stage"),
    table=EARLY_RESULTS, key=("early_id",), prefix="early-",
    content=salted_fields("outcome_id", "consignment_id", "known_at", "sender", "offices", "body"),
    erased={"body": {}},
)  # fmt: skip
ASSIGNMENT = RecordKind(
    "assignment", "assignment", lambda row: TAKEN if row["taken"] else LET_GO, shown("by"),
    table=ASSIGNMENTS, key=("assignment_id",), prefix="assignment-",
    content=salted_fields("consignment_id", "taken", "by", "at"), erased={"by": ""},
)  # fmt: skip
INVESTIGATION = RecordKind(
    "investigation", "entry of an investigation", titled("Investigation", "Enquête", "调查"),
    shown("investigation", "officer"),
    table=INVESTIGATION_ENTRIES, key=("entry_id",), prefix="investigation-",
    content=salted_fields("investigation", "office", "consignment_id", "step", "at", "officer", "body"),
    erased={"officer": "", "body": {}},
)  # fmt: skip
NOTES = (  # each holds all that it says in plain words; there is no row that it could vouch for
    RecordKind("erasure", "erasure", titled("Content erased", "Contenu effacé", "内容已删除"), follows=True),
    RecordKind("keyed", "keyed hashes", titled("Hashes keyed", "Empreintes à clé", "哈希加密")),
    RecordKind("promotion", "promotion", titled("Model promoted", "Modèle promu", "模型上线")),
    RecordKind("rollback", "rollback", titled("Model rolled back", "Retour au modèle précédent", "模型回退")),
    RecordKind("revocation", "revocation", titled("Model revoked", "Modèle révoqué", "模型撤销")),
    RecordKind("retention", "retention", titled("Retention", "Conservation", "保存期限")),
    RecordKind("access", "access", titled("Access", "Accès", "访问")),
    RecordKind("proposal", "proposal", titled("Proposal", "Proposition", "提案")),
    RecordKind("segment", "settled decisions", titled("Decisions settled", "Décisions versées", "决定归档")),
    RecordKind("registry", "registry", titled("Genuine serials registered", "Numéros authentiques", "正品序列号登记")),
    RecordKind("upgrade", "upgrade", titled("Store upgraded", "Base mise à niveau", "数据库升级")),
    RecordKind("export", "export", titled("Network exported", "Réseau exporté", "网络导出")),
)
OF_CONSIGNMENTS = (
    DECISION, OUTCOME, CASE, PURCHASE, OVERRIDE, TRANSFER, EARLY_RESULT, ASSIGNMENT, INVESTIGATION,
)  # fmt: skip
KINDS = {kind.name: kind for kind in (*OF_CONSIGNMENTS, JUDGEMENT, WATCH_LIST, *NOTES)}
