"""A case of a consignment in the console: detaining, its steps, and the right holder's answer by a one-time link."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from features.fault import Fault
from service.access.guard import principal_of
from service.access.hosts import address_of_service
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.analyst_pages import require_visible, show_consignment
from service.console.consignment_view import goods_lines
from service.console.detaining import detained_by
from service.console.rendering import address_of, form_of, now, page, text_of, to
from service.officers.cases import RESULTS, detain, note
from service.officers.holder_answers import Question, answer_question, ask_holder, question_of
from service.record.numbers_meant import number_meant

router = APIRouter(include_in_schema=False)
Form = Annotated[FormData, Depends(form_of)]


@router.post("/console/consignments/{consignment_id:path}/case")
def act_on_case(request: Request, consignment_id: str, form: Form) -> Response:
    """Detain, note a step, or make a link for the right holder, which is shown once."""
    desk, me = desk_of(request), principal_of(request)
    store = desk.journal.store
    consignment_id = number_meant(store, consignment_id)
    require_visible(request, store, consignment_id)
    what, link = text_of(form, "what"), ""
    try:
        if what == "detain":
            detain(desk.journal, detained_by(request, consignment_id, form), desk.policy.tracks)
        elif what == "ask":
            token = ask_holder(store, consignment_id, me.name, now())
            link = f"{address_of_service(request)}{request.app.url_path_for('holder_page', token=token)}"
        else:
            note(desk.journal, consignment_id, text_of(form, "step"), now(), me.name)
    except Fault as fault:
        return show_consignment(request, consignment_id, fault=str(fault), typed=form)
    return show_consignment(request, consignment_id, link=link) if link else to(f"{address_of(consignment_id)}#case")


@router.get("/console/answer/{token}")
def holder_page(request: Request, token: str) -> Response:
    """The goods of a case, for the right holder who was asked; nothing of the persons."""
    return _ask(request, _asked(request, token))


@router.post("/console/answer/{token}")
def answer_as_holder(request: Request, token: str, form: Form) -> Response:
    """What a right holder says of the goods, once."""
    question = _asked(request, token)
    answer, name = text_of(form, "answer"), text_of(form, "name")
    try:
        answer_question(desk_of(request).journal, token, answer, name, now())
    except Fault as fault:
        return _ask(request, question, str(fault))
    return page(request, "holder", done=True, question=question, fault="", goods=[], answers=())


def _asked(request: Request, token: str) -> Question:
    question = question_of(desk_of(request).journal.store, token, now())
    if question is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return question


def _ask(request: Request, question: Question, fault: str = "") -> Response:
    number = question.case.consignment_id
    body = reading.declared(desk_of(request).journal.store, [number]).get(number) or {}
    return page(
        request, "holder", HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK, done=False, question=question,
        fault=fault, goods=goods_lines(body), answers=tuple(RESULTS),
    )  # fmt: skip
