"""Drafts are filled from the record, mark what a person must write, and tell the public no threshold."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from service.desk import Desk
from service.officers.overrides import override_lane
from service.oversight.governance_drafts import DOCUMENTS, REGISTER, TO_WRITE, register, write_drafts
from service.oversight.governance_facts import Facts, controls, facts_of
from service.parties.linking_switch import LinkingSwitch
from service.record.audit_log import note
from service.serving.serving_bundle import Serving
from service.settings import Settings
from service.targeting import target
from tests.service.building import NOON, declared, message, outcome, results

DAY = NOON.date()


@pytest.fixture
def facts(desk: Desk, tmp_path: Path) -> Facts:
    """Of three consignments, one of which an officer sent to the red lane, with a result; linking of senders is on."""
    settings = Settings(home=tmp_path / "home")
    LinkingSwitch(settings.linking).turn_on("ada", "an act | of <nobody>", NOON)
    decided = target(message(*(declared(n) for n in range(1, 4))), desk)
    store = desk.journal.store
    override_lane(store, decided.rows[0]["decision_id"], "red", "chief", "seen before", NOON, "HAWB000000001")
    desk.journal.learn(results(outcome(2, result="compliant")))
    note(store, "promotion", "tiny", {"by": "ada"}, decided.rows[0]["decided_at"].timestamp() * 1_000_000 // 1)
    serving = Serving(desk.model, desk.policy, "tiny", "", {"tamis-v9": "changed since it was signed"})
    today = date.today()  # noqa: DTZ011 - what was decided was decided now
    return facts_of(settings, store, serving, DAY, max(DAY, today), today)


def drafts(facts: Facts, folder: Path) -> dict[str, str]:
    write_drafts(facts, "f" * 64, folder)
    return {name: (folder / name).read_text(encoding="utf-8") for name in (*DOCUMENTS, REGISTER)}


def test_what_is_on_record_stands_in_the_drafts(facts: Facts, tmp_path: Path) -> None:
    texts = drafts(facts, tmp_path / "out")
    assessment, review = texts["impact-assessment.md"], texts["yearly-review.md"]
    assert "| consignments decided on in the period | 3 |" in assessment
    assert "by ada, on the basis: an act \\| of &lt;nobody>" in assessment
    assert "| does not serve | tamis-v9: changed since it was signed |" in assessment
    assert "1 to a stricter one, 0 to a milder one" in assessment
    assert "compliant 1" in review
    assert "| on-a-watch-list | red |" in review
    assert f"`{facts.inputs[0][0]}`" in texts["model-card.md"]


def test_every_control_names_a_provision_and_stands_in_the_assessment(facts: Facts, tmp_path: Path) -> None:
    assessment = drafts(facts, tmp_path / "out")["impact-assessment.md"]
    for one in controls():
        assert one["control"] in assessment
        assert "Article" in one["ai_act"] + one["other"]
    assert any("608/2013" in one["other"] for one in controls())


def test_what_a_person_must_write_is_marked_and_counted(facts: Facts, tmp_path: Path) -> None:
    left = write_drafts(facts, "", tmp_path / "out")
    assert set(left) == set(DOCUMENTS)
    assert all(places > 0 for places in left.values())
    texts = drafts(facts, tmp_path / "out")
    assert left["register-entry.md"] == len(register()["asked"]) + texts["register-entry.md"].split("| field")[0].count(
        TO_WRITE + ":"
    )
    assert "run tamis report --burden first" in texts["impact-assessment.md"]


def test_the_public_is_told_no_threshold_rate_or_rule(facts: Facts, tmp_path: Path) -> None:
    texts = drafts(facts, tmp_path / "out")
    entry = json.loads(texts[REGISTER])
    assert {name for name, content in entry.items() if content is None} == set(register()["asked"])
    public = " ".join(filter(None, entry.values())) + texts["declarant.md"]
    assert [code for code, _, _ in facts.rules if code in public] == []
    numbers = set(re.findall(r"\d+(?:[.,]\d+)?", re.sub(r"952/2013|0\.1\.0", "", public)))
    assert numbers <= {"46"}
    assert all(heading in texts["declarant.md"] for heading in ("## English", "## Français", "## 中文"))
