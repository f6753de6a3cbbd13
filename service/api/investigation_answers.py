"""What the calls on investigations take and answer, as models: see `answer_models`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from service.api.answer_models import Answer
from service.api.bodies import STRICT
from service.officers.investigations import ITEMS, LONGEST_NAME, LONGEST_TEXT, LONGEST_TITLE, MOST_ITEMS

Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Name = Annotated[str, StringConstraints(max_length=LONGEST_NAME)]
Acts = Literal["add", "leave_out", "note", "task", "task_done", "close", "reopen"]


class ItemGiven(BaseModel):
    """What belongs to an investigation."""

    model_config = STRICT
    kind: Literal[ITEMS]  # type: ignore[valid-type]
    value: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)] = Field(
        description="number of the consignment, code of the party or network, name of the list, or key of a search"
    )


class InvestigationOpened(BaseModel):
    """A new investigation."""

    model_config = STRICT
    title: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TITLE)]
    items: Annotated[list[ItemGiven], Field(max_length=MOST_ITEMS)] = []


class EntryGiven(BaseModel):
    """What is noted in an investigation; which fields it needs depends on `step`."""

    model_config = STRICT
    step: Acts
    items: Annotated[list[ItemGiven], Field(max_length=MOST_ITEMS, description="of `add` and `leave_out`")] = []
    text: Annotated[Text, Field(description="of a note, a task, and of closing and opening again")] = ""
    who: Annotated[Name, Field(description="of a task: who does it")] = ""
    due: Annotated[Name, Field(description="of a task: a day as YYYY-MM-DD, or empty")] = ""
    task: Annotated[int, Field(ge=0, le=2**53, description="of `task_done`: its number")] = 0


class ItemHeld(Answer):
    """What belongs to an investigation."""

    kind: Literal[ITEMS]  # type: ignore[valid-type]
    value: str


class TaskGiven(Answer):
    """Who does what until when."""

    number: int
    text: str
    who: str
    due: str = Field(description="a day, or empty")
    done: str | None = Field(description="by whom; null while it is open")


class DocumentHeld(Answer):
    """A document that is attached."""

    name: str
    media_type: str
    size: int
    sha256: str
    officer: str
    at: datetime


class EntryHeld(Answer):
    """What was noted, and by whom."""

    at: datetime
    officer: str
    step: str
    consignment_id: str | None
    body: dict[str, Any]


class Inquiry(Answer):
    """An investigation of the caller's offices; of consignments that others have by now the number alone is counted."""

    number: str
    office: str = Field(description="whose it is; empty: of whoever sees every office")
    title: str
    open: bool
    hidden: int = Field(description="consignments that are of other offices by now")
    items: list[ItemHeld]
    tasks: list[TaskGiven]
    documents: list[DocumentHeld]
    entries: list[EntryHeld]


class Inquiries(Answer):
    """Every investigation of the caller's offices, open ones first."""

    investigations: list[Inquiry]
