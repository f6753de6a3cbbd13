"""JSON bodies read within bounds: strictly, part by part, large ones one at a time and away from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from email.message import Message as Header
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from features.consignment import EXTRA
from features.messages.bounds import OF_A_CALL
from features.messages.formats import PACKED
from features.messages.parquet_footer import PARQUET
from features.messages.raw import UnreadableFile
from features.messages.strict_json import read_json
from service.api.bodies import KNOWN
from service.api.body_faults import of_values
from service.api.body_parts import LISTED, WIDTH, goods_lines
from service.api.error_responses import Malformed, Unprocessable
from service.api.live_desk import desk_of
from service.problems import field_problem
from service.runtime.process_tuning import give_memory_back

T = TypeVar("T")
Handle = Callable[[Request], Coroutine[Any, Any, Response]]
LARGE = 32 * 1024  # bytes: reading more takes the event loop, on which every other call waits, over ten milliseconds
MUCH = 1024**2  # bytes of a body after which memory is given back, which takes some tens of milliseconds
ENOUGH = 100  # faults of a body that are listed: whoever is told so many corrects their program; others are counted
PACKINGS = (*PACKED, PARQUET)  # how a body begins that can be any length once it is read


class OneAtATime:
    """Lets one large body in: what it takes in memory is bounded, and so is that of all of them."""

    def __init__(self) -> None:
        self.turn = asyncio.Semaphore(1)


class BoundedRoute(APIRoute):
    """A route whose body is read within bounds before FastAPI sees it; a large one is handled alone."""

    def get_route_handler(self) -> Handle:
        """Read the body, then do what a route does."""
        handle = super().get_route_handler()
        if not self.methods or "POST" not in self.methods:
            return handle
        model = getattr(getattr(self.body_field, "field_info", None), "annotation", None)

        async def read_and_handle(request: Request) -> Response:
            try:
                content = await request.body()
            except ClientDisconnect:  # nobody waits for an answer
                return Response(status_code=HTTPStatus.BAD_REQUEST)
            request.state.large = is_large(content)
            if not request.state.large:
                return await handle(_read(request, content, model))
            async with request.app.state.one_at_a_time.turn:
                try:
                    return await handle(await run_in_threadpool(_read, request, content, model))
                finally:
                    if takes_much(content):
                        await run_in_threadpool(give_memory_back)

        return read_and_handle


def is_large(content: bytes) -> bool:
    """Whether a body takes long to read: by its length, or because it is packed."""
    return len(content) > LARGE or content.startswith(PACKINGS)


def takes_much(content: bytes) -> bool:
    """Whether reading a body takes memory that is worth the time to give it back."""
    return len(content) > MUCH or content.startswith(PACKINGS)


async def apart(request: Request, work: Callable[..., T], *given: Any) -> T:
    """Do what takes long with a large body in a thread, and with a small one at once."""
    return await run_in_threadpool(work, *given) if request.state.large else work(*given)


def extras_offered(request: Request) -> frozenset[str]:
    """Name the foreign columns that a call may send: those that the mapping offers, or that the model asks for."""
    mapped = (extra.name for extra in request.app.state.dialects.mapping.extras)
    asked = (item.name for item in desk_of(request).model.inputs if item.name.startswith(EXTRA))
    return frozenset((*mapped, *(name.removeprefix(EXTRA) for name in asked)))


class _Read(Request):
    """A request whose body was read already, to bytes and to a model or to nothing but bytes."""

    def __init__(self, request: Request, content: bytes, read: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._content, self._read = content, read

    async def body(self) -> bytes:
        """Return the bytes."""
        return self._content

    async def json(self) -> Any:
        """Return the model."""
        return self._read


def _read(request: Request, content: bytes, model: Any) -> _Read:
    """Read a body of JSON to the model of its route; raises Unprocessable and Malformed."""
    if not (isinstance(model, type) and issubclass(model, BaseModel) and content and _says_json(request)):
        return _Read(request, content, None)
    try:
        extras = request.state.extras = extras_offered(request)
        sent = _from_json(content, extras)
        OF_A_CALL.check_rows(goods_lines(sent), WIDTH + len(extras), "the body")
    except UnreadableFile as fault:
        raise Unprocessable([field_problem("/", "unreadable", str(fault))]) from None
    try:
        return _Read(request, content, validated(model, sent))
    except Malformed as fault:
        if fault.unlisted or _too_long(fault):
            raise
        again = _from_json(content, extras)  # what was validated is not kept
        here = request.app.state.dialects
        raise Malformed(fault.errors(), of_values(model, again, here.offices, here.kinds)) from None


def _from_json(content: bytes, extras: Collection[str]) -> Any:
    return read_json(content, "the body", OF_A_CALL, as_written=False, known=KNOWN | frozenset(extras))


def _too_long(fault: Malformed) -> bool:
    """Whether a list is longer than any that is taken."""
    return any(one["type"] == "too_long" for one in fault.errors())


def _says_json(request: Request) -> bool:
    stated = request.headers.get("content-type", "")
    if stated == "application/json":  # nearly every one
        return True
    header = Header()
    header["content-type"] = stated
    kind = header.get_content_subtype()
    return header.get_content_maintype() == "application" and (kind == "json" or kind.endswith("+json"))


def validated(model: type[BaseModel], sent: Any) -> BaseModel:
    """Validate a body part by part, so that other threads get their turn; raises Malformed.

    Faults beyond ENOUGH are counted, not listed.
    """
    listed = LISTED.get(model)
    parts = sent.get(listed.name) if listed is not None and isinstance(sent, dict) else None
    if listed is None or not isinstance(parts, list) or len(parts) < 2:
        return _one(model, sent, ())
    if len(parts) > listed.longest:
        raise Malformed([{"type": "too_long", "loc": ("body", listed.name)}])
    faults = _Faults()
    done: list[Any] = []
    whole = _attempt(model, {**sent, listed.name: parts[:1]}, (), faults)
    for place in range(1, len(parts)):
        part, parts[place] = parts[place], None  # what is validated need not be kept twice
        done.append(_attempt(listed.part, part, (listed.name, place), faults))
    if whole is None or faults.listed:
        raise faults.as_malformed()
    getattr(whole, listed.name).extend(done)
    return whole


def _one(model: type[BaseModel], sent: Any, where: tuple[str | int, ...]) -> BaseModel:
    faults = _Faults()
    found = _attempt(model, sent, where, faults)
    if found is None:
        raise faults.as_malformed()
    return found


class _Faults:
    """The faults of a body: the first ones by their place, and how many there are beyond."""

    def __init__(self) -> None:
        self.listed: list[Any] = []
        self.unlisted = 0

    def add(self, fault: ValidationError, where: Collection[str | int]) -> None:
        """Add what is wrong with a part that stands at a place, without what was sent."""
        room = max(0, ENOUGH - len(self.listed))
        found = fault.errors(include_url=False, include_context=False, include_input=False)[:room] if room else []
        self.listed += [{"type": one["type"], "loc": ("body", *where, *one["loc"])} for one in found]
        self.unlisted += fault.error_count() - len(found)

    def as_malformed(self) -> Malformed:
        """Return what the route raises."""
        return Malformed(self.listed, unlisted=self.unlisted)


def _attempt(model: type[BaseModel], sent: Any, where: Collection[str | int], faults: _Faults) -> BaseModel | None:
    """Validate one part; its faults are added, with the place where it stands."""
    try:
        return model.model_validate(sent)
    except ValidationError as fault:
        faults.add(fault, where)
        return None
