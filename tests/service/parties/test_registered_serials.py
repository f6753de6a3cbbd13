"""Serial numbers: the same one in two consignments, one that its maker does not know, and what is registered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from features.fault import Fault
from features.history.facts import REGISTRY, facts_of, facts_registered
from features.history.totals import FactTable
from features.history.windows import Window, read_windows
from features.messages import read
from pipelines.batch.archive import Archive
from pipelines.cli import app
from pipelines.training.standard_policy import standard_policy
from service.orientation import load_policy
from service.parties.registered_serials import holders, register, registered, serials_in
from service.store.database import Store
from service.store.tables import CHAIN
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message

GTIN, RULE = "09506000134352", "rule.serial-number-declared-before"


def with_serial(number: int, serial: str, **more: object) -> dict[str, object]:
    goods = [{"description": "sports shoes", "product_code": f"(01){GTIN}(21){serial}", "value": 40, "currency": "EUR"}]
    lodged_at = NOON + timedelta(minutes=number)
    return declared(number, goods=goods, lodged_at=lodged_at, **more)


def test_the_same_serial_number_in_a_second_consignment_asks_for_a_check(desk: Desk) -> None:
    desk = replace(desk, policy=load_policy(standard_policy()))
    first = target(message(with_serial(1, "A1"), message_id="M1"), desk).rows[0]
    other = target(message(with_serial(2, "B2"), message_id="M2"), desk).rows[0]
    copy = target(message(with_serial(3, "a-1"), message_id="M3"), desk).rows[0]
    codes = [[reason["code"] for reason in row["reasons"]] for row in (first, other, copy)]
    assert [RULE in own for own in codes] == [False, False, True]
    assert copy["clearance"] in ("red", "yellow")
    again = with_serial(2, "B2") | {"version": 2, "lodged_at": (NOON + timedelta(hours=1)).isoformat()}
    amended = target(message(again, message_id="M4"), desk).rows[0]
    assert RULE not in [reason["code"] for reason in amended["reasons"]], "its own earlier version"


UNKNOWN = "rule.serial-number-unknown-to-its-maker"
AT = int(NOON.timestamp() * 1_000_000)


def listed(*serials: str) -> bytes:
    return "\n".join(["gtin,serial", *(f"{GTIN},{serial}" for serial in serials)]).encode()


def test_a_serial_that_its_maker_does_not_know_asks_for_a_check_from_the_registration_on(desk: Desk) -> None:
    desk = replace(desk, policy=load_policy(standard_policy()))
    store = desk.journal.store
    before = target(message(with_serial(1, "Z1"), message_id="M1"), desk).rows[0]
    done = register(store, serials_in(listed("A1", "A2", "a-1")), holder="Sole Brands", by="Ada", at=AT + 90_000_000)
    assert (done.new, done.known, done.problems) == (2, 0, [])
    genuine = target(message(with_serial(2, "A2"), message_id="M2"), desk).rows[0]
    false = target(message(with_serial(3, "Z3"), message_id="M3"), desk).rows[0]
    goods = [{"description": "sports shoes", "product_code": "SN 777123", "value": 40, "currency": "EUR"}]
    others = target(message(declared(4, goods=goods, lodged_at=NOON + timedelta(minutes=4))), desk).rows[0]
    codes = [[reason["code"] for reason in row["reasons"]] for row in (before, genuine, false, others)]
    assert [UNKNOWN in own for own in codes] == [False, False, True, False]
    assert false["clearance"] == "red"


@pytest.mark.parametrize("store_kind", ["sqlite", "postgresql"])
def test_what_is_registered_twice_counts_once_and_bad_lines_are_named(
    store_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    address = f"sqlite:///{tmp_path / 's.db'}" if store_kind == "sqlite" else request.getfixturevalue("postgresql")
    store = Store(address, folder=tmp_path / "history")
    content = b"product_code\n(01)09506000134352(21)A1\n(01)09506000134353(21)A2\n9506000134352\n"
    done = register(store, serials_in(content), holder="Sole Brands", by="Ada", at=AT)
    assert (done.new, done.known) == (1, 0)
    assert [(problem["line"], problem["reason"]) for problem in done.problems] == [
        (3, "the check digit of the GTIN is wrong"),
        (4, "names no serial number with its GTIN"),
    ]
    again = register(store, serials_in(listed("A1", "B1")), holder="Sole Brands", by="Ada", at=AT + 1)
    assert (again.new, again.known) == (1, 1)
    assert registered(store)["known_at"].dt.epoch("us").to_list() == [AT, AT, AT + 1], "two serials and their article"
    assert holders(store) == [("Sole Brands", 3)]
    with store.reading() as connection:
        entries = connection.execute(sa.select(CHAIN.c.kind, CHAIN.c.content)).all()
    assert [kind for kind, _ in entries] == ["registry", "registry"]
    assert not any("A1" in content or "B1" in content for _, content in entries)
    store.close()


@pytest.mark.parametrize(
    ("content", "holder", "by", "words"),
    [
        (b"", "X", "Ada", "CSV"),
        (b"name\nA1\n", "X", "Ada", "product_code"),
        (listed("A1"), " ", "Ada", "right holder"),
        (listed("A1"), "X", "", "right holder"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(store: Store, content: bytes, holder: str, by: str, words: str) -> None:
    with pytest.raises(Fault, match=words):
        register(store, serials_in(content), holder=holder, by=by, at=AT)
    assert registered(store).is_empty()


def test_an_article_belongs_to_who_registered_it_first(store: Store) -> None:
    register(store, serials_in(listed("A1")), holder="Sole Brands", by="Ada", at=AT)
    with pytest.raises(Fault, match="another right holder"):
        register(store, serials_in(listed("B1")), holder="Rival", by="Bob", at=AT)
    assert holders(store) == [("Sole Brands", 2)]


def test_a_model_learns_what_was_registered_at_its_time(tmp_path: Path) -> None:
    """Training, from the archive, sees an entry from the moment after it was made on: as a call does."""
    archive = Archive(tmp_path / "archive")
    rows = [with_serial(number, "A1") for number in (1, 3)]
    archive.keep_manifest(read(message(*rows))[0].flat())
    consignments = archive.consignments()
    entity = consignments.frame["gtin_entity"].unique().item()
    archive.keep_registered(pl.DataFrame([(entity, NOON + timedelta(minutes=2))], schema=REGISTRY, orient="row"))
    history = FactTable(pl.concat([facts_of(consignments), facts_registered(archive.registered())]), holds_all=True)
    told = read_windows([Window("gtin", "registered", None)], consignments.frame, history)
    assert told["gtin_registered_ever"].to_list() == [0, 1]


def test_the_command_registers_and_shows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    (tmp_path / "serials.csv").write_bytes(listed("A1", "A2") + b"\n12,Q\n")
    run = CliRunner()
    done = run.invoke(
        app, ["genuine", "import", str(tmp_path / "serials.csv"), "--holder", "Sole Brands", "--by", "Ada"]
    )
    assert done.exit_code == 0, done.output
    assert "2 serial numbers of Sole Brands registered" in done.output
    assert "line 4: names no serial number" in done.output
    assert (
        "Sole Brands: 3 entries (serial numbers, and articles as a whole)"
        in run.invoke(app, ["genuine", "show"]).output
    )
