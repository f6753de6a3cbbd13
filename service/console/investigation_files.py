"""Files of an investigation, in the console and over the API: documents in and out, and the file for a prosecutor."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, StringConstraints
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from features.fault import Fault
from service.access.guard import principal_of
from service.api.answer_models import Answer
from service.api.bodies import STRICT
from service.api.body_reading import BoundedRoute
from service.api.error_responses import refused
from service.api.investigation_routes import UNNOTED, Number
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.investigation_pages import HERE, place_of_one, required, show_investigation
from service.console.rendering import (
    form_of,
    form_with_file,
    kinds_of,
    language_of,
    moment,
    now,
    text_of,
    to,
    zone_of,
)
from service.officers import investigations as inquiry
from service.officers.investigation_view import gathered

router = APIRouter(include_in_schema=False)
called = APIRouter()
noted = APIRouter(route_class=BoundedRoute)
Form = Annotated[FormData, Depends(form_of)]
FormWithFile = Annotated[FormData, Depends(form_with_file)]
Sha256 = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="hash of the document")]
Short = Annotated[str, StringConstraints(min_length=1, max_length=inquiry.LONGEST_NAME)]
ANY_FILE: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
A_ZIP: dict[str, Any] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


class HandedOver(BaseModel):
    """To whom an investigation is handed over."""

    model_config = STRICT
    to: Short = Field(description="stands in the investigation and on the audit log, with the hash of the file")


class DocumentAttached(Answer):
    """A document that was attached."""

    sha256: str = Field(description="of its content; the audit log has it")


@router.post(HERE + "/{number}/documents")
async def attach_document(request: Request, number: str, form: FormWithFile) -> Response:
    """Attach a file."""
    given = form.get("document")
    content = await given.read() if isinstance(given, UploadFile) else b""
    return await run_in_threadpool(_attach, request, number, form, content)


def _attach(request: Request, number: str, form: FormData, content: bytes) -> Response:
    given, me = form.get("document"), principal_of(request)
    try:
        if not isinstance(given, UploadFile):
            raise Fault("document: choose a file")
        inquiry.attach(
            desk_of(request).journal.store, number, given.filename or "", given.content_type or "", content, me.sender,
            me.name, now(),
        )  # fmt: skip
    except Fault as fault:
        return show_investigation(request, number, str(fault))
    return to(place_of_one(number, "documents"))


@router.get(HERE + "/{number}/documents/{sha256}")
def document_file(request: Request, number: str, sha256: str) -> Response:
    """A document as it was attached, to be kept: no browser shows it as a page."""
    return _document(request, number, sha256)


@router.post(HERE + "/{number}/hand-over")
def hand_over_investigation(request: Request, number: str, form: Form) -> Response:
    """One file of all that the reader sees of it; to whom it goes stands on the audit log, with its hash."""
    try:
        return _packed(request, number, text_of(form, "to"))
    except Fault as fault:
        return show_investigation(request, number, str(fault))


async def content_of(request: Request) -> bytes:
    """The body, whatever it is."""
    return await request.body()


@called.post(
    "/v1/investigations/{number}/documents",
    status_code=201,
    response_model=None,
    responses={201: {"model": DocumentAttached}},
    openapi_extra={"requestBody": {"required": True, "description": "the file as it is", "content": ANY_FILE}},
)
def post_document(
    request: Request,
    number: Number,
    name: Annotated[str, Query(min_length=1, max_length=inquiry.LONGEST_NAME, description="of the file")],
    content: Annotated[bytes, Depends(content_of)],
) -> dict[str, str]:
    """Attach a document of up to 6 MiB to an open investigation; its media type is that of the call."""
    me, media_type = principal_of(request), request.headers.get("content-type", "")
    required(request, number)
    try:
        store = desk_of(request).journal.store
        return {"sha256": inquiry.attach(store, number, name, media_type, content, me.sender, me.name, now())}
    except Fault as fault:
        raise refused(fault, UNNOTED) from None


@called.get(
    "/v1/investigations/{number}/documents/{sha256}",
    response_class=Response,
    responses={200: {"content": ANY_FILE, "description": "the document as it was attached"}},
)
def get_document(request: Request, number: Number, sha256: Sha256) -> Response:
    """A document as it was attached."""
    return _document(request, number, sha256)


@noted.post(
    "/v1/investigations/{number}/hand-over",
    response_class=Response,
    responses={200: {"content": A_ZIP, "description": "report, entities, declarations, documents and their hashes"}},
)
def post_hand_over(request: Request, number: Number, body: HandedOver) -> Response:
    """One file of all that the caller sees of an investigation, for a prosecutor, in the language that is accepted."""
    try:
        return _packed(request, number, body.to)
    except Fault as fault:
        raise refused(fault, UNNOTED) from None


def _document(request: Request, number: str, sha256: str) -> Response:
    document = next((one for one in required(request, number).documents if one.sha256 == sha256), None)
    content = None if document is None else inquiry.content_of(desk_of(request).journal.store, sha256)
    if document is None or content is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _file(content, document.name, "application/octet-stream")


def _packed(request: Request, number: str, to_whom: str) -> Response:
    """Pack an investigation as far as the reader sees it, and note to whom it goes; raises Fault for nobody."""
    from service.console.hand_over import hand_over  # with what writes a PDF: 10 MB that few workers ever need

    store, me = desk_of(request).journal.store, principal_of(request)
    investigation = required(request, number)
    found, language = gathered(store, investigation, me.sender), language_of(request)
    packed = hand_over(
        store,
        investigation,
        found,
        reading.results(store, list(found.bodies)),
        language,
        partial(moment, zone=zone_of(request)),
        partial(kinds_of(request).word_of, language=language),
    )
    inquiry.note_hand_over(store, number, inquiry.sha256_of(packed), to_whom, me.sender, me.name, now())
    return _file(packed, f"{number}.zip", "application/zip")


def _file(content: bytes, name: str, media_type: str) -> Response:
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "_" for sign in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type=media_type, headers={"Content-Disposition": disposition})
