"""What a form says of goods that are detained."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import FormData

from features.fault import Fault
from service.access.guard import principal_of
from service.console.rendering import kinds_of, now, text_of
from service.officers.cases import Detained
from service.officers.working_days import is_working_day

OF_INSTALLATION = "FR"


def detained_by(request: Request, consignment_id: str, form: FormData) -> Detained:
    """What an officer says who detains a consignment."""
    findings = tuple(str(one) for one in form.getlist("findings"))
    kinds = kinds_of(request)
    if not findings or not set(findings) <= set(kinds.codes):
        raise Fault(f"findings: one of {', '.join(kinds.codes)}")
    units = text_of(form, "units").replace(",", ".")
    try:
        pieces = float(units) if units else None
    except ValueError:
        raise Fault("items_found: a number") from None
    country = text_of(form, "country").upper() or OF_INSTALLATION
    is_working_day(now().date(), country)  # refuses a country whose holidays are not known
    return Detained(
        consignment_id, now(), principal_of(request).name, country, text_of(form, "right_holder")[:200] or None,
        kinds.with_wider(findings), bool(form.get("criminal_link")), pieces,
    )  # fmt: skip
