"""E-mail addresses and telephones in free text, such as the contact field of a record."""

from __future__ import annotations

from collections.abc import Iterator

from features.intelligence.mailboxes import mailboxes_in
from features.intelligence.telephones import SHORTEST, telephones_in

PLAIN_SIGNS = frozenset("0123456789 +()-./")


def contacts_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield `email` and `phone` of a text; a text of a telephone's signs alone is one, whatever its country."""
    yield from (("email", mailbox) for mailbox in dict.fromkeys(mailboxes_in(text)))
    telephones = list(dict.fromkeys(telephones_in(text)))
    if not telephones and set(text) <= PLAIN_SIGNS and sum(map(str.isdigit, text)) >= SHORTEST:
        telephones = [text.strip()]
    yield from (("phone", telephone) for telephone in telephones)
