"""What a caller is told of the calls that are left, and when to come again."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.access.rate_limit import Limit
from service.app import create
from service.settings import Settings
from tests.service.api.as_described import described

LEFT = re.compile(r'"calls";r=(\d+);t=(\d+)')


def test_calls_come_back_by_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1_000.0]
    monkeypatch.setattr("service.access.rate_limit.time.monotonic", lambda: moment[0])
    limit = Limit(calls_a_minute=30)
    taken = [limit.take("one") for _ in range(6)]
    assert [quota.allowed for quota in taken] == [True] * 5 + [False]
    assert taken[0].headers() == ((b"ratelimit-policy", b'"calls";q=5;w=10'), (b"ratelimit", b'"calls";r=4;t=2'))
    assert (taken[5].headers()[1][1], taken[5].wait) == (b'"calls";r=0;t=10', 2)
    moment[0] += taken[5].wait
    assert limit.lets("one")
    rare = Limit(calls_a_minute=1)
    assert rare.lets("one")
    refused = rare.take("one")
    assert (refused.allowed, refused.wait, refused.headers()[0][1]) == (False, 60, b'"calls";q=1;w=60')


def test_every_answer_says_what_is_left_and_a_refusal_when_to_come_again(quick_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(quick_home, home)
    with TestClient(create(Settings(home=home, access="open", calls_a_minute=24))) as client:
        hook = described(client)
        answers = [
            client.get("/v1/decisions"),
            client.get("/v1/consignments/NONE"),
            client.get("/v1/decisions?since=x"),
        ]
        answers += [client.post("/v1/outcomes", json={}), client.get("/v1/decisions")]
        assert [answer.status_code for answer in answers] == [200, 404, 422, 422, 429]
        left = [LEFT.fullmatch(answer.headers["ratelimit"]) for answer in answers]
        assert [int(found[1]) for found in left if found] == [3, 2, 1, 0, 0]
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"calls";q=4;w=10'}
        assert answers[-1].json()["code"] == "rate-limit-exceeded"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 3
        assert answers[-1].headers["retry-after"] in answers[-1].json()["detail"]
        for path in ("/healthz", "/console/log-in"):
            assert "ratelimit" not in client.get(path).headers
        assert ("get_decisions", 429) in hook.seen
