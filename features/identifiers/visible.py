"""The visible part of a text: what nobody can see distinguishes no two identifiers."""

from __future__ import annotations

from features.algebra.characters import Agreed

FORMATS = (  # Unicode 16, category Cf: zero-width characters, soft hyphen, direction marks, annotations, tags
    (0x00AD, 0x00AD), (0x0600, 0x0605), (0x061C, 0x061C), (0x06DD, 0x06DD), (0x070F, 0x070F), (0x0890, 0x0891),
    (0x08E2, 0x08E2), (0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064), (0x2066, 0x206F),
    (0xFEFF, 0xFEFF), (0xFFF9, 0xFFFB), (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F),
    (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0001, 0xE0001), (0xE0020, 0xE007F),
)  # fmt: skip
SELECTORS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF), (0x180B, 0x180D), (0x180F, 0x180F), (0x034F, 0x034F))  # marks
FILLERS = ((0x115F, 0x1160), (0x17B4, 0x17B5), (0x3164, 0x3164), (0xFFA0, 0xFFA0))  # letters that show nothing
CONTROLS = ((0x00, 0x1F), (0x7F, 0x9F))
SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85"  # the control characters that part words
UNSEEN = Agreed(
    {
        code: " " if chr(code) in SPACES else None
        for first, last in (*FORMATS, *SELECTORS, *FILLERS, *CONTROLS)
        for code in range(first, last + 1)
    }
)


def visible(text: str) -> str:
    """Return a text without zero-width characters, soft hyphens, direction marks, selectors and fillers.

    Tabs and line ends become spaces. A character that not every supported Python knows, of a Unicode newer than 14,
    becomes U+FFFD: else the same text would be another identifier on another Python. Idempotent.
    """
    return text if text.isascii() and text.isprintable() else text.translate(UNSEEN)
