"""The page of errors, from the catalogue of problems."""

from __future__ import annotations

import re

from docs.generator.markdown import code, page, table
from service.problems.catalogue import KINDS, PAGE

INTRODUCTION = f"""
Errors are `application/problem+json` (RFC 9457) with `type`, `code`, `title`, `status` and `detail`. Programs tell them
by `code`, which stays as it is; words may change. `type` leads to the same catalogue on the machine that answered
(`{PAGE}`). A body that was refused also has `errors`, all of them at once: a `pointer` to each field, the `reason` and
the `remedy`; `more_errors` counts those that are not listed. What was sent is never repeated. `…` stands for what
depends on the call. Where `Retry-After` is named, the same call may succeed after so many seconds.
"""
NAMED = re.compile(r"{\w+}")


def errors_page() -> str:
    """Return the page of every kind of problem that the service answers with."""
    rows = [
        [kind.status.value, code(kind.code), NAMED.sub("…", kind.detail), kind.remedy, kind.retry_after or ""]
        for kind in sorted(KINDS, key=lambda kind: kind.status)
    ]
    return page("Error details", INTRODUCTION, table(["status", "code", "detail", "what to do", "Retry-After"], rows))
