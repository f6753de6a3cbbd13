"""Chinese characters read in pinyin: the dictionaries, 50 MB of memory, are loaded with the first of them."""

from __future__ import annotations


def pinyin_of(text: str) -> list[str]:
    """Return the reading of each character or word, without tones; what is not Chinese as it stands."""
    from pypinyin import lazy_pinyin

    return lazy_pinyin(text)
