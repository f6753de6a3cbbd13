"""The pages of oversight show what the commands wrote: burden with its gaps, and operators worth an audit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from fastapi.testclient import TestClient

from service.access.guard import COOKIE
from service.app import create
from service.oversight.burden import ORIGINS, SEEN, burden_of
from service.oversight.burden_report import Burden, write
from service.oversight.feature_gaps import Explained, FeatureGap
from service.oversight.operators import Operator
from service.oversight.operators_report import Ranking
from service.oversight.operators_report import write as write_operators
from service.settings import Settings
from tests.service.access.closed import PASSWORD, access, now

DAY = date(2026, 2, 3)


def burden() -> Burden:
    """Parcels from one country are opened by a rule five times as often, and nothing more is found there."""
    rows = [
        {"consignment_id": f"C{n}", **dict.fromkeys(ORIGINS, "one"), "stream": "express", "ioss": "with",
         "dispatch_country": "IN" if n % 5 == 0 else "CN", "looked_at": n % 25 == 0 or n % 97 == 0,
         "by": "rule" if n % 25 == 0 else "random" if n % 97 == 0 else None, "rules": ["gifts"], "hit": None}
        for n in range(3_000)
    ]  # fmt: skip
    seen = pl.DataFrame(rows, schema=SEEN)
    inputs: dict[str, dict[str, Explained]] = {origin: {} for origin in ORIGINS}
    inputs["dispatch_country"]["IN"] = Explained((FeatureGap("pieces", "Pieces", 0.5, 7),), 12, 2_000)
    return Burden(DAY, DAY, seen.height, int(seen["looked_at"].sum()), seen.height, burden_of(seen), inputs)


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("burden") / "home"
    shutil.copytree(quick_home, home)
    with TestClient(create(Settings(home=home, access="keys")), follow_redirects=False) as opened:
        yield opened


def shown(client: TestClient, language: str, place: str = "/console/burden") -> str:
    """A page, as an auditor sees it."""
    known, name = access(client), f"auditor-{language}"
    if name not in {one["name"] for one in known.accounts()}:
        known.accept(known.invite(name, "auditor", ["*"], "tests", now()), "", PASSWORD, language, now())
    cookie = f"{COOKIE}={known.log_in(name, PASSWORD, 'audit', now())}"
    answer = client.get(place, headers={"Cookie": cookie})
    assert answer.status_code == 200
    return str(answer.text)


def test_before_any_report_the_page_names_the_command(client: TestClient) -> None:
    assert "tamis report --burden" in shown(client, "en")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Burdened more, without showing that more is found", "rule: gifts", "Dispatched from", "7 / 12"]),
        ("fr", ["sans qu&#39;on y trouve plus", "règle: gifts", "Pays d&#39;expédition"]),
        ("zh", ["负担较重，且未显示查获更多", "规则: gifts", "发运国"]),
    ],
)
def test_the_report_is_shown_in_three_languages(client: TestClient, language: str, words: list[str]) -> None:
    settings: Settings = client.app.state.settings  # type: ignore[attr-defined]
    write(burden(), settings.reports / "burden" / DAY.isoformat())
    text = shown(client, language)
    assert [word for word in words if word not in text] == []
    assert "600" in text
    assert "+0.50" in text


def test_operators_are_listed_with_the_consignments_behind_them_and_as_csv(client: TestClient) -> None:
    assert "tamis report --operators" in shown(client, "en", "/console/operators")
    assert shown(client, "en", "/console/operators.csv").splitlines()[1:] == []
    operator = Operator("importer", "=FR1", 40, 55, 9_000.0, 0.4, 1_234.0, 3, 2, 1, ("HAWB1", "HAWB2"))
    settings: Settings = client.app.state.settings  # type: ignore[attr-defined]
    ranking = Ranking(DAY, DAY, 900, neutral=True, operators={"importer": [operator], "consignee": [operator]})
    write_operators(ranking, settings.reports / "operators" / DAY.isoformat())
    pages = {language: shown(client, language, "/console/operators") for language in ("en", "fr", "zh")}
    assert all("1,234" in text and "/console/consignments/HAWB1" in text for text in pages.values())
    assert "Importateurs" in pages["fr"]
    assert "进口商" in pages["zh"]
    assert "Addressees" not in pages["en"]
    line = shown(client, "en", "/console/operators.csv").splitlines()[1]
    assert line.startswith("importer,'=FR1,40,55,9000.0")
    assert line.endswith("HAWB1 HAWB2")


def test_an_operator_that_cannot_be_audited_says_why_and_only_analysts_are_offered_it(client: TestClient) -> None:
    operator = Operator("importer", "FR7", 40, 55, 9_000.0, 0.4, 1_234.0, 3, 2, 1, ("NEVER-LODGED",))
    settings: Settings = client.app.state.settings  # type: ignore[attr-defined]
    ranking = Ranking(DAY, DAY, 900, neutral=True, operators={"importer": [operator]})
    write_operators(ranking, settings.reports / "operators" / DAY.isoformat())
    assert "<form" not in shown(client, "en", "/console/operators").split("<main", 1)[1].split("</main", 1)[0]
    known = access(client)
    known.accept(known.invite("analyst-fr", "analyst", ["*"], "tests", now()), "", PASSWORD, "fr", now())
    secret = known.log_in("analyst-fr", PASSWORD, "audit", now())
    header, principal = {"Cookie": f"{COOKIE}={secret}"}, known.person(secret, now())
    assert principal is not None
    assert "Ouvrir un audit" in client.get("/console/operators", headers=header).text
    form = {"csrf": principal.csrf, "kind": "importer", "name": "FR7"}
    refused = client.post("/console/operators", data=form, headers=header)
    assert refused.status_code == 422
    assert "aucun des envois en cause" in refused.text
