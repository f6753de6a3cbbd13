"""Who a provider says that somebody is: name, role and offices, in the forms in which providers state them.

Roles stand in a text, in a list, or in a list deep in the claims (`realm_access.roles`), beside those of other
applications; offices in a list or a text. What is there and is not understood is told as such, by the name of the claim
and never by what it holds.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from features.choices import OF_PEOPLE
from service.access.credentials import NAME, Denied

OURS = re.compile(r"^/?tamis[-_:./ ]+", re.IGNORECASE)  # before a role that is meant for us among those of others
BETWEEN = re.compile(r"[\s,;]+")
DEEPEST = 8  # names along the path of a claim
MAPPED = re.compile(r"[A-Za-z0-9._@|:/\\+=# ~!'-]{1,255}")  # as providers name users: auth0|5f7c, DOMAIN\\ana, a#EXT#@b
KEPT = 55  # characters of a mapped name before its mark


def claim_at(claims: Mapping[str, Any], path: str, depth: int = DEEPEST) -> Any:
    """Return the claim of that name, or the one that lies along its parts: `a.b` is b in a, where no claim is `a.b`."""
    if path in claims:
        return claims[path]
    parts = path.split(".")
    for count in range(min(len(parts), depth) - 1, 0, -1):
        inner = claims.get(".".join(parts[:count]))
        if isinstance(inner, Mapping):
            found = claim_at(inner, ".".join(parts[count:]), depth - count)
            if found is not None:
                return found
    return None


def role_of(claims: Mapping[str, Any], claim: str) -> str:
    """Return the one role that a claim states; raises Denied where it states none of ours, or several."""
    stated = _texts(claims, claim, "role")
    ours = [OURS.sub("", text) for text in stated if OURS.match(text)]
    roles = {role for text in ours or stated if (role := text.casefold().replace("-", "_")) in OF_PEOPLE}
    if len(roles) > 1:
        raise Denied(
            f"the provider states several roles in the claim {claim}: {', '.join(sorted(roles))}; "
            "ask who administers it to leave one, or to mark it as tamis-ROLE"
        )
    if not roles:
        raise Denied(f"the claim {claim} of the provider names no role here; it takes one of {', '.join(OF_PEOPLE)}")
    return roles.pop()


def offices_of(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """Return the offices that a claim states, in a list or a text; raises Denied where there are none."""
    offices = tuple(dict.fromkeys(_texts(claims, claim, "office")))
    if not offices:
        raise Denied(f"the claim {claim} of the provider is empty; it takes the codes of one or more offices")
    return offices


def name_of(claims: Mapping[str, Any]) -> str:
    """Return the name of an account here for whom the provider names; raises Denied for what no name can be made of.

    A name with signs that are not used here becomes one without them, and with a mark by which no two are alike.
    """
    name = str(claims.get("preferred_username") or claims["sub"]).strip()
    if NAME.fullmatch(name):
        return name
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    letters = re.sub(r"[^A-Za-z0-9._@-]+", "-", plain).strip("-._@")
    if not MAPPED.fullmatch(plain) or not letters:
        raise Denied(
            "the provider gives you a name that cannot be used here; ask who administers it for a preferred_username "
            "of letters, digits and . _ @ -"
        )
    return f"{letters[:KEPT]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _texts(claims: Mapping[str, Any], claim: str, what: str) -> list[str]:
    """Return the texts of a claim; raises Denied where it is not there, or neither a text nor a list of texts."""
    stated = claim_at(claims, claim)
    if stated is None:
        raise Denied(f"the provider states no {what}: there is no claim {claim}; ask who administers it")
    listed = [stated] if isinstance(stated, str) else stated
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise Denied(f"the claim {claim} of the provider is not understood: it is neither a text nor a list of texts")
    return [text for cell in listed for text in BETWEEN.split(cell) if text]
