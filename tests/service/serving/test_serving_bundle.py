"""Which bundle serves: swapped while calls go on, gone back from, revoked; a refused one never leaves nothing."""

from __future__ import annotations

import json
import shutil
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from features.fault import Fault
from pipelines.training.standard_policy import standard_policy
from service.app import create
from service.audit.replay import Bundles, replay
from service.calls.reassessment import reassess
from service.desk import on_desk, open_desk
from service.orientation import load_policy
from service.scoring import BundleRefused
from service.scoring.bundle import MANIFEST
from service.serving.bundle_swap import Swapper
from service.serving.serving_bundle import RULES, open_serving, overview, revoke, roll_back, seal_rules, serve
from service.settings import Settings
from service.targeting import Desk, target
from tests.service.building import MODEL_ID, NOON, body, declared, message
from tests.service.processes import serving
from tests.service.serving.bundles import OTHER, Load, another

STANDING = ("standing_clearance", "override")  # what a decision that is read says beside what was decided


def damage(settings: Settings, name: str) -> None:
    path = settings.bundles / name / "model.txt"
    path.write_bytes(path.read_bytes()[:-1])


def test_the_promoted_bundle_serves_and_nothing_is_lacking(home: Settings) -> None:
    another(home)
    opened = open_serving(home)
    assert (opened.name, opened.refused, opened.lacking) == (MODEL_ID, {}, ())


def test_at_a_cold_start_the_last_good_bundle_serves_and_says_so(home: Settings) -> None:
    another(home)
    another(home, "tiny-v3")
    serve(home, "tiny-v3")
    serve(home, OTHER)
    damage(home, OTHER)
    opened = open_serving(home)
    assert opened.name == "tiny-v3"  # the one that served before it, not the one promoted first
    assert list(opened.refused) == [OTHER]
    assert "model.txt" in opened.refused[OTHER]
    desk = open_desk(home, opened)
    (row,) = target(message(declared(1)), desk).rows
    assert (row["mode"], row["degraded_reasons"], row["model_id"]) == ("degraded", ["model"], "tiny-v3")


def test_with_no_bundle_that_can_be_loaded_the_signed_rules_decide(home: Settings) -> None:
    seal_rules(home, standard_policy())
    damage(home, MODEL_ID)
    opened = open_serving(home)
    assert opened.name == RULES
    desk = open_desk(home, opened)
    gift = declared(2, nature="gift", platform="shop.example")
    gift["goods"][0]["quantity"] = 40
    plain, ruled = target(message(declared(1), gift), desk).rows
    assert {row["mode"] for row in (plain, ruled)} == {"rules_only"}
    assert (plain["risk"], plain["rank"]) == (None, None)
    assert plain["pre_arrival"] == "data_incomplete"  # nothing scored it: nobody says that there is no risk
    assert plain["post_clearance"] == "reassess"
    assert [reason["code"] for reason in plain["reasons"]] == ["unscored"]
    assert (ruled["clearance"], ruled["selection"]) == ("yellow", "rule")
    assert ruled["reasons"][0]["code"] == "rule.gift-from-shop-in-quantity"
    told = replay(desk.journal.store, Bundles(home.bundles, home.keys), ruled["decision_id"])
    assert told.identical, told.differences


def test_what_rules_alone_decided_is_decided_again_once_the_model_is_back(home: Settings) -> None:
    seal_rules(home, standard_policy())
    whole = (home.serving / "model.txt").read_bytes()
    damage(home, MODEL_ID)
    desk = open_desk(home)
    sent = message(*(declared(n, goods=[{**declared()["goods"][0], "value": 1.0}]) for n in range(1, 9)))
    first = target(sent, desk).rows
    assert reassess(desk, NOON) == 0, "the model is still out"
    (home.serving / "model.txt").write_bytes(whole)
    eager = standard_policy().replace("least = 0.05", "least = 0.0").replace("expected = 1000", "expected = 1")
    back = replace(open_desk(home), policy=load_policy(eager))
    assert reassess(back, NOON) > 0
    for row in first:
        found = back.journal.decisions_on(row["consignment_id"])
        last = max(found, key=lambda decision: decision["assessment"])
        if last["assessment"] == 2:
            assert (last["mode"], last["model_id"], last["risk"] is not None) == ("full", MODEL_ID, True)
        for decision in found:
            told = replay(back.journal.store, Bundles(home.bundles, home.keys), decision["decision_id"])
            assert told.identical, told.differences


@pytest.mark.parametrize("spoil", ["policy.toml", MANIFEST])
def test_rules_that_were_changed_after_signing_are_refused(home: Settings, spoil: str) -> None:
    seal_rules(home, standard_policy())
    damage(home, MODEL_ID)
    path = home.bundles / RULES / spoil
    path.write_text(path.read_text(encoding="utf-8").replace("standard-1", "standard-2").replace("rules", "mules"))
    with pytest.raises(BundleRefused, match=MODEL_ID):
        open_serving(home)


def test_a_policy_that_asks_for_what_the_model_lacks_leaves_the_former_bundle(home: Settings) -> None:
    another(home, policy=standard_policy().replace("[capacity.default]", "[capacity.defualt]"))
    serve(home, OTHER)
    assert open_serving(home).name == MODEL_ID


def test_rolling_back_serves_the_bundle_before(home: Settings) -> None:
    another(home)
    with pytest.raises(Fault, match="no former bundle"):
        roll_back(home, "Ada", "worse")
    serve(home, OTHER)
    for by, why in (("", "worse"), ("Ada", " ")):
        with pytest.raises(Fault, match="a name and a reason"):
            roll_back(home, by, why)
    assert roll_back(home, "Ada", "worse") == (OTHER, MODEL_ID)
    assert open_serving(home).name == MODEL_ID
    assert roll_back(home, "Ada", "better after all") == (MODEL_ID, OTHER)


def test_a_damaged_former_bundle_is_not_rolled_back_to(home: Settings) -> None:
    another(home)
    serve(home, OTHER)
    damage(home, MODEL_ID)
    with pytest.raises(BundleRefused, match=r"model\.txt"):
        roll_back(home, "Ada", "worse")
    assert home.serving.name == OTHER


def test_a_revoked_bundle_never_serves_again_and_its_decisions_replay(home: Settings) -> None:
    desk = open_desk(home)
    (row,) = target(message(declared(1)), desk).rows
    another(home)
    for wrong in ("", "..", "nobody", "a/b"):
        with pytest.raises(Fault, match="no bundle of this name"):
            revoke(home, wrong, "Ada", "poisoned", NOON)
    revoke(home, MODEL_ID, "Ada", "poisoned", NOON)
    opened = open_serving(home)
    assert opened.name == OTHER
    assert "revoked" in opened.refused[MODEL_ID]
    assert {told["name"]: told["state"] for told in overview(home)}[MODEL_ID] == "revoked"
    assert replay(desk.journal.store, Bundles(home.bundles, home.keys), row["decision_id"]).identical


def test_the_same_trees_under_another_policy_are_revoked_too(home: Settings) -> None:
    shutil.copytree(home.serving, home.bundles / f"{MODEL_ID}.former")
    seal_rules(home, standard_policy())
    revoke(home, MODEL_ID, "Ada", "poisoned", NOON)
    opened = open_serving(home)
    assert opened.name == RULES
    assert "revoked" in opened.refused[f"{MODEL_ID}.former"]


def test_an_emptied_mark_of_revocation_still_revokes(home: Settings) -> None:
    another(home)
    revoke(home, MODEL_ID, "Ada", "poisoned", NOON)
    (home.serving / "revoked.json").write_text("")
    assert open_serving(home).name == OTHER


def test_a_running_desk_takes_what_is_promoted_and_keeps_what_it_has_where_that_is_refused(home: Settings) -> None:
    put: list[str] = []
    swapper = Swapper(home, open_serving(home), lambda now: put.append(now.name))
    assert not swapper.look()
    another(home)
    serve(home, OTHER)
    assert swapper.look()
    assert not swapper.look()
    another(home, "tiny-v3")
    damage(home, "tiny-v3")
    serve(home, "tiny-v3")
    assert swapper.look()
    assert (swapper.serving.name, swapper.serving.lacking) == (OTHER, ("model",))
    assert not swapper.look()  # the same refused bundle is not proved over and over
    roll_back(home, "Ada", "damaged")
    assert swapper.look()
    assert (swapper.serving.name, swapper.serving.lacking) == (OTHER, ())
    revoke(home, OTHER, "Ada", "poisoned", NOON)
    assert swapper.look()
    assert (swapper.serving.name, swapper.serving.lacking) == (MODEL_ID, ("model",))
    assert put == [OTHER, OTHER, OTHER, MODEL_ID]


def test_the_last_bundle_revoked_leaves_its_rules(home: Settings) -> None:
    put: list[str] = []
    swapper = Swapper(home, open_serving(home), lambda now: put.append(now.model.model_id))
    revoke(home, MODEL_ID, "Ada", "poisoned", NOON)
    assert swapper.look()
    assert (swapper.serving.name, swapper.serving.lacking, put) == (RULES, ("model",), ["rules-only"])
    desk = on_desk(open_desk_before(home), swapper.serving)
    assert target(message(declared(1)), desk).rows[0]["mode"] == "rules_only"


def open_desk_before(home: Settings) -> Desk:
    """A desk as it stood before the revocation."""
    mark = home.serving / "revoked.json"
    kept = mark.read_bytes()
    mark.unlink()
    desk = open_desk(home)
    mark.write_bytes(kept)
    return desk


def test_what_was_refused_is_tried_again_after_a_while(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that was too busy to prove a bundle in time refuses it for a minute, not for ever."""
    from service.serving import bundle_swap as swapping
    from service.serving import serving_bundle as bundles

    another(home)
    swapper = Swapper(home, open_serving(home), lambda _: None)
    serve(home, OTHER)

    def too_slow(folder: Path, keys: Path) -> Any:
        raise BundleRefused("not proved within 60 s")

    with monkeypatch.context() as busy:
        busy.setattr(bundles, "_open", too_slow)
        assert swapper.look()
        assert (swapper.serving.name, swapper.serving.lacking) == (MODEL_ID, ("model",))
    assert not swapper.look()
    monkeypatch.setattr(swapper, "_again", 0.0)
    assert swapper.look()
    assert (swapper.serving.name, swapper.serving.lacking) == (OTHER, ())
    assert swapping.AGAIN_SECONDS <= 60


def test_the_service_tells_what_was_refused(home: Settings) -> None:
    seal_rules(home, standard_policy())
    damage(home, MODEL_ID)
    with TestClient(create(home)) as client:
        ready = client.get("/readyz").json()
        assert (ready["mode"], ready["degraded_reasons"], ready["bundle"]) == ("rules_only", ["model"], RULES)
        assert "changed since it was signed" in ready["bundles_refused"][MODEL_ID]
        answer = client.post("/v1/consignments", json=body(declared(1))).json()["decisions"][0]
        assert (answer["mode"], answer["risk"]) == ("rules_only", None)
        assert client.get(f"/v1/consignments/{answer['consignment_id']}/dossier").status_code == 200
        assert 'tamis_lacking{what="model"} 1.0' in client.get("/metrics").text


def wait_for(condition: Any, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "did not come about in time"
        time.sleep(0.1)


def test_a_bundle_is_swapped_and_rolled_back_under_load_without_a_failed_call(home: Settings, tmp_path: Path) -> None:
    another(home)
    with serving(home, tmp_path / "serve.log") as (_, client):
        load = Load(str(client.base_url), 0)
        load.start()
        for turn in (OTHER, MODEL_ID):
            if turn == OTHER:
                serve(home, OTHER)
            else:
                roll_back(home, "Ada", "worse")
            wait_for(lambda turn=turn: load.decided and load.decided[-1]["model_id"] == turn)
        load.stop()
    assert load.failed == []
    models = [decision["model_id"] for decision in load.decided]
    changes = sum(a != b for a, b in pairwise(models))
    assert changes == 2
    print(f"{len(models)} calls through two swaps, the slowest {load.slowest * 1000:.0f} ms")


def test_two_workers_are_started_anew_one_after_the_other_under_load(home: Settings, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with serving(home, log, workers=2) as (process, client):
        wait_for(lambda: log.read_text().count("Application startup complete") == 2)
        load = Load(str(client.base_url), 0)
        load.start()
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: log.read_text().count("Finished server process") == 2, 120)
        time.sleep(1)
        load.stop()
        told = log.read_text()
        assert told.count("Application startup complete") == 4
        found = [client.get(f"/v1/consignments/{d['consignment_id']}").json()["decisions"] for d in load.decided]
    assert load.failed == []
    as_decided = [[{k: v for k, v in row.items() if k not in STANDING} for row in rows] for rows in found]
    assert as_decided == [[decision] for decision in load.decided]
    assert len(load.decided) > 20
    assert load.resent <= 2, "one for each worker that stopped"
    print(f"{len(load.decided)} calls through a rolling restart, the slowest {load.slowest * 1000:.0f} ms")


def test_the_command_revokes_and_the_chain_says_so(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from pipelines.cli import app
    from service.audit.verify import verify_record
    from service.store.database import open_store
    from service.store.tables import CHAIN

    monkeypatch.setenv("TAMIS_HOME", str(home.home))
    another(home)
    serve(home, OTHER)
    run = CliRunner()
    done = run.invoke(app, ["bundles", "roll-back", "--by", "Ada", "--reason", "worse"])
    assert done.exit_code == 0, done.output
    done = run.invoke(app, ["bundles", "revoke", OTHER, "--by", "Ada", "--reason", "poisoned"])
    assert done.exit_code == 0, done.output
    shown = run.invoke(app, ["bundles", "show"]).output
    assert "revoked" in shown
    assert "serves" in shown
    store = open_store(home)
    with store.reading() as connection:
        entries = connection.execute(CHAIN.select().order_by(CHAIN.c.number)).all()
    assert [entry.kind for entry in entries] == ["rollback", "revocation"]
    assert json.loads(entries[1].content)["by"] == "Ada"
    assert entries[1].at < (datetime.now(UTC) + timedelta(minutes=1)).timestamp() * 1e6
    assert verify_record(store, home.checkpoints, home.keys).holds
    store.close()
