"""Disguise of texts: typing slips, look-alike letters, reordered words."""

from __future__ import annotations

import numpy as np

LOOKALIKES = {
    "a": "а",
    "e": "е",
    "o": "о",
    "c": "с",
    "p": "р",
    "x": "х",
    "i": "і",
    "A": "А",
    "O": "О",
    "B": "В",
    "H": "Н",
    "T": "Т",
}
_SHORT = {
    "Trading": "Trade",
    "International": "Intl",
    "Technology": "Tech",
    "Electronic": "Elec",
    "Import and Export": "Imp&Exp",
}


def slip(text: str, rng: np.random.Generator) -> str:
    """Make a typing slip: two letters swapped, one lost, or one doubled."""
    if len(text) < 4:
        return text
    at = int(rng.integers(1, len(text) - 1))
    way = int(rng.integers(3))
    if way == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at + 1 :] if way == 1 else text[:at] + text[at] + text[at:]


def lookalike(text: str, rng: np.random.Generator) -> str:
    """Replace one or two letters by their Cyrillic twins."""
    spots = [place for place, letter in enumerate(text) if letter in LOOKALIKES]
    if not spots:
        return text
    chosen = set(rng.choice(spots, size=min(len(spots), 1 + int(rng.integers(2))), replace=False).tolist())
    return "".join(LOOKALIKES[letter] if place in chosen else letter for place, letter in enumerate(text))


def reword(text: str, rng: np.random.Generator) -> str:
    """Reorder the words, or shorten them as a clerk would."""
    for long, short in _SHORT.items():
        if long in text and rng.random() < 0.7:
            return text.replace(long, short)
    words = text.split(" ")
    turn = 1 + int(rng.integers(max(len(words) - 1, 1)))
    return " ".join(words[turn:] + words[:turn])


def name_variant(text: str, rng: np.random.Generator) -> str:
    """Return another spelling of a name, meant not to be recognised."""
    way = rng.random()
    if way < 0.4:
        return slip(text, rng)
    if way < 0.6:
        return lookalike(text, rng)
    return reword(text, rng) if way < 0.85 else slip(reword(text, rng), rng)


def mailbox_variant(mailbox: str, rng: np.random.Generator) -> str:
    """Return the same mailbox, or a neighbour with another number, dot or tag."""
    stem, _, domain = mailbox.partition("@")
    way = int(rng.integers(4))
    number = int(rng.integers(10, 99))
    return [mailbox, f"{stem}{number}@{domain}", f"{stem}+{number}@{domain}", f"{stem[:2]}.{stem[2:]}@{domain}"][way]


def shop_variant(url: str, rng: np.random.Generator) -> str:
    """Return the same storefront, or a mirror under a similar name."""
    stem = url.removeprefix("https://").removesuffix(".example")
    way = int(rng.integers(4))
    near = [stem, f"{stem}-shop", f"{stem[:-1]}{int(rng.integers(10))}", f"{stem.rstrip('0123456789')}-fr"][way]
    return f"https://{near}.example"


def invented_address(address: str, rng: np.random.Generator) -> str:
    """Return an address with an impossible house number."""
    number = int(rng.integers(1200, 9999))
    words = address.split(" ")
    marked = [word for word in words if any(letter.isdigit() for letter in word)]
    if not marked:
        return f"{number} {address}"
    old = "".join(letter for letter in marked[0] if letter.isdigit())
    return address.replace(old, str(number), 1)
