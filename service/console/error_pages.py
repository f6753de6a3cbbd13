"""Problems as people read them: in the console a problem document becomes a page."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access.guard import CONSOLE
from service.console.phrases import fault_in, said
from service.console.rendering import language_of, page
from service.console.translations import in_language
from service.scoring.explanation import Language

KEPT = (b"retry-after",)  # of the headers of a problem: when to come again is told to people's browsers too

WORDED = (403, 404, 405, 413, 422, 429, 500, 503)  # statuses that have a sentence of their own


class ErrorPages:
    """Turns every problem document that the console would answer into a page of the same status."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(CONSOLE):
            await self.app(scope, receive, send)
            return
        problem: dict[str, Any] = {}

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                kept = {n.decode(): v.decode("latin-1") for n, v in message["headers"] if n.lower() in KEPT}
                problem.update(status=message["status"], body=b"", headers=kept)
            elif not problem:
                await send(message)
            else:
                problem["body"] += message.get("body", b"")
                if not message.get("more_body"):
                    await _answer(problem, scope, receive, send)

        await self.app(scope, receive, sending)


def _is_problem(message: Message) -> bool:
    return any(name.lower() == b"content-type" and b"problem+json" in value for name, value in message["headers"])


async def _answer(problem: dict[str, Any], scope: Scope, receive: Receive, send: Send) -> None:
    details = json.loads(problem["body"])
    request = Request(scope, receive)
    language = language_of(request)
    say = in_language(language, "say")
    status = problem["status"]
    detail = said(details["detail"], language) or say(f"status_{status}" if status in WORDED else "status_other")
    errors = [_in_words(error, language) for error in details.get("errors", [])]
    answer = page(request, "error", status, detail=detail, errors=list(dict.fromkeys(errors)))
    answer.headers.update(problem["headers"])
    await answer(scope, receive, send)


def _in_words(error: dict[str, Any], language: Language) -> str:
    """A fault of one field as a person reads it: which field, and what to do."""
    field = str(error.get("pointer", "")).rpartition("/")[2]
    reason, remedy = said(error["reason"], language), said(error["remedy"], language)
    rest = f"{reason}; {remedy}" if reason and remedy else in_language(language, "say")("check_value")
    return fault_in(f"{field}: {rest}", language) if field else rest
