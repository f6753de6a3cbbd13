"""The catalogue of problems: each kind has a code that programs may rely on; its words may change, its code never."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

PAGE = "/docs/problems"  # where the service itself shows this catalogue
SOON, LATER = 5, 10  # seconds after which a caller may come again


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem.

    code: what programs tell it by. status: of the answer. title: what it is, the same each time. detail: what it says
    of one call, with names in braces for what depends on it. remedy: what a caller does. retry_after: seconds after
    which the same call may succeed; none where it must be changed first.
    """

    code: str
    status: HTTPStatus
    title: str
    detail: str
    remedy: str
    retry_after: int | None = None

    @property
    def type(self) -> str:
        """The reference (RFC 9457) that identifies it, and leads to its words on the machine that answered."""
        return f"{PAGE}#{self.code}"


UNREADABLE_BODY = Kind(
    "unreadable-body", HTTPStatus.BAD_REQUEST, "The body cannot be parsed",
    "The body cannot be parsed; send valid JSON in UTF-8.", "Send valid JSON in UTF-8, or a form as browsers do.",
)  # fmt: skip
NO_KEY = Kind(
    "no-valid-key", HTTPStatus.UNAUTHORIZED, "Authentication required",
    "Authentication required: send `Authorization: Bearer KEY`; an administrator creates keys in the console or with "
    "`tamis keys`.", "Send a key that is neither revoked nor past its day.",
)  # fmt: skip
ROLE = Kind(
    "role-not-allowed", HTTPStatus.FORBIDDEN, "The role may not do this", "The role {role} may not do this.",
    "Use a key of one of the roles that the operation names.",
)  # fmt: skip
CROSS_SITE = Kind(
    "cross-site", HTTPStatus.FORBIDDEN, "Sent from another site", "Cross-site requests are refused.",
    "Send forms of the console from its own pages.",
)  # fmt: skip
NOT_ALLOWED = Kind(
    "not-allowed", HTTPStatus.FORBIDDEN, "Not for this caller",
    "This is of another office than the caller's, or was sent by a form of another session.",
    "Use a key or an account for that office; load the page of a form again.",
)  # fmt: skip
NOT_FOUND = Kind(
    "not-found", HTTPStatus.NOT_FOUND, "Not found", "Not found.",
    "See the path and the number; what belongs to another office is not found either.",
)  # fmt: skip
UNKNOWN_OFFICE = Kind(
    "unknown-office", HTTPStatus.NOT_FOUND, "Unknown office", "no such office is known here",
    "Name an office that decisions are on record for, or that the policy names.",
)  # fmt: skip
METHOD = Kind(
    "method-not-allowed", HTTPStatus.METHOD_NOT_ALLOWED, "No such method here",
    "The path takes other methods; `Allow` names them.", "Send it with a method that `Allow` names.",
)  # fmt: skip
CHANGED_CONTENT = Kind(
    "version-on-record", HTTPStatus.CONFLICT, "On record with another content",
    "{count} consignments were sent before under the same message and version with another content; send an amendment "
    "with the next version", "Send an amendment with the next `version`.",
)  # fmt: skip
OF_ANOTHER = Kind(
    "of-another-sender", HTTPStatus.CONFLICT, "Of another office or key",
    "consignment_id, message_id: {count} consignments, or the message that they came in, belong to another office or "
    "caller; nothing was recorded. Use identifiers of your own, or have the consignment transferred first",
    "Use identifiers of your own, or have the consignment transferred first.",
)  # fmt: skip
ERASED = Kind(
    "erased", HTTPStatus.GONE, "Erased since", "{what}; send it as a new version to have it decided again",
    "Send it with the next `version`.",
)  # fmt: skip
TOO_LARGE = Kind(
    "body-too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large", "at most {limit} bytes a request",
    "Send it in several calls, or a day's manifest with `tamis score`.",
)  # fmt: skip
UNKNOWN_HOST = Kind(
    "unknown-host", HTTPStatus.MISDIRECTED_REQUEST, "Not known by this host name",
    "The service is not known by this host name; its operator sets TAMIS_PUBLIC_URL, and TAMIS_HOSTS for further "
    "names.",
    "Call it by a name that its operator has set.",
)  # fmt: skip
MALFORMED_BODY = Kind(
    "malformed-body", HTTPStatus.UNPROCESSABLE_ENTITY, "The body does not match the schema",
    "The body does not match the schema; nothing was recorded.",
    "Mend every field that `errors` names, and send it again.",
)  # fmt: skip
INVALID_FIELDS = Kind(
    "invalid-fields", HTTPStatus.UNPROCESSABLE_ENTITY, "Some fields are invalid",
    "Some fields are invalid; nothing was recorded.", "Mend every field that `errors` names, and send it again.",
)  # fmt: skip
TOO_OFTEN = Kind(
    "rate-limit-exceeded", HTTPStatus.TOO_MANY_REQUESTS, "Rate limit exceeded",
    "Rate limit exceeded; retry after {seconds} s.",
    "Wait for `Retry-After`; send up to 1,000 consignments in one call.", LATER,
)  # fmt: skip
INTERNAL = Kind(
    "internal-error", HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error", "Internal error; it has been logged.",
    "Retry once, unchanged; then ask the operator, who finds it in the log.",
)  # fmt: skip
NOT_REACHED = Kind(
    "record-not-reached", HTTPStatus.SERVICE_UNAVAILABLE, "The record cannot be reached",
    "The record cannot be reached at the moment; retry after 5 s.", "Retry unchanged after `Retry-After`.", SOON,
)  # fmt: skip
NOT_WRITTEN = Kind(
    "record-not-written", HTTPStatus.SERVICE_UNAVAILABLE, "The record cannot be written",
    "The record cannot be written at the moment; retry after 5 s.", "Retry unchanged after `Retry-After`.", SOON,
)  # fmt: skip
NOT_READY = Kind(
    "not-ready", HTTPStatus.SERVICE_UNAVAILABLE, "Not ready", "The service is not ready; retry after 5 s.",
    "Retry unchanged after `Retry-After`.", SOON,
)  # fmt: skip
STARTING = Kind(
    "starting", HTTPStatus.SERVICE_UNAVAILABLE, "Starting", "The service is starting; retry after 5 s.",
    "Retry unchanged after `Retry-After`.", SOON,
)  # fmt: skip
BUSY = Kind(
    "busy", HTTPStatus.SERVICE_UNAVAILABLE, "Too many calls at once",
    "Too many concurrent requests; nothing was processed. Retry after 5 s.",
    "Retry unchanged after `Retry-After`; keep fewer calls open at once.", SOON,
)  # fmt: skip
LATE = Kind(
    "timed-out", HTTPStatus.SERVICE_UNAVAILABLE, "Not answered in time",
    "Timed out. The request may have been recorded; retry it unchanged (it is idempotent).",
    "Retry unchanged after `Retry-After`: what was recorded is answered then.", SOON,
)  # fmt: skip

KINDS: tuple[Kind, ...] = (
    UNREADABLE_BODY, NO_KEY, ROLE, CROSS_SITE, NOT_ALLOWED, NOT_FOUND, UNKNOWN_OFFICE, METHOD, CHANGED_CONTENT,
    OF_ANOTHER, ERASED, TOO_LARGE, UNKNOWN_HOST, MALFORMED_BODY, INVALID_FIELDS, TOO_OFTEN, INTERNAL, NOT_REACHED,
    NOT_WRITTEN, NOT_READY, STARTING, BUSY, LATE,
)  # fmt: skip
OF_STATUS = {  # what a status alone means, where the framework or a page of the console refuses by it
    HTTPStatus.BAD_REQUEST: UNREADABLE_BODY,
    HTTPStatus.FORBIDDEN: NOT_ALLOWED,
    HTTPStatus.NOT_FOUND: NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: METHOD,
    HTTPStatus.UNPROCESSABLE_ENTITY: INVALID_FIELDS,
    HTTPStatus.SERVICE_UNAVAILABLE: NOT_READY,
}
