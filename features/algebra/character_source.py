"""Write characters.json, the tables of patterns and lower case: `python -m features.algebra.character_source`.

Every Python knows another version of Unicode, and a feature that asked Python for letters would depend on it. So the
tables are made once, from the engine that computed features before (polars: the Rust crates `regex` and
`unicode-normalization`, and Rust's own lower case), and ship with the project. A newer version of Unicode changes what
features mean: run this again, name it in CLASSES_OF and LOWER_CASE_OF, and models learn anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import polars as pl

TABLES = Path(__file__).with_name("characters.json")
CLASSES_OF, LOWER_CASE_OF = "16.0", "17.0"  # versions of Unicode that polars 2.1 knows
KNOWN = ("\U00011f04", "\U0002ebf0", "\U00010d4a")  # letters that came with Unicode 15.0, 15.1 and 16.0
UNKNOWN, CAPITAL = "\U00016ea0", "\U00016ea0"  # a letter that came with 17.0: no letter yet, but a capital already
CLASSES = {  # as patterns write them: what the engine calls them
    "d": r"\d",
    "s": r"\s",
    "w": r"\w",
    "L": r"\p{L}",
    "Lu": r"\p{Lu}",
    "N": r"\p{N}",
    "M": r"\p{M}",
    "Han": r"\p{Han}",
    "agreed": r"\p{age=14.0}",  # known to the oldest Python that is supported, 3.11: a newer one knows them alike
}
PLAIN_DIGIT = re.compile("[0-9]")


def all_characters() -> pl.Series:
    """Return every character; the halves of surrogate pairs are none."""
    return pl.Series([chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000])


def tables() -> dict[str, object]:
    """Return the versions, the classes as ranges of code points, and the mappings."""
    characters = all_characters()
    check_versions()
    sigma = _context_of_sigma(characters)
    return {
        "unicode": {"classes": CLASSES_OF, "lower case": LOWER_CASE_OF},
        "source": f"polars {pl.__version__}, written by features/algebra/character_source.py",
        "classes": {
            **{name: as_ranges(characters.filter(characters.str.contains(of))) for name, of in CLASSES.items()},
            **{name: as_ranges(members) for name, members in sigma.items()},
        },
        "lower": _mapped(characters, characters.str.to_lowercase()),
        "plain digits": {
            one: plain
            for one, plain in _mapped(characters, characters.str.normalize("NFKC")).items()
            if PLAIN_DIGIT.search(plain)
        },
    }


def check_versions() -> None:
    """Raise ValueError where the engine knows another version of Unicode than the tables are named after."""
    letters = pl.Series([*KNOWN, UNKNOWN]).str.contains(r"\p{L}").to_list()
    if letters != [True] * len(KNOWN) + [False]:
        raise ValueError(f"polars {pl.__version__} has classes of another Unicode than {CLASSES_OF}")
    if pl.Series([CAPITAL]).str.to_lowercase()[0] == CAPITAL:
        raise ValueError(f"polars {pl.__version__} has a lower case of another Unicode than {LOWER_CASE_OF}")


def as_ranges(characters: Iterable[str]) -> str:
    """Return characters, ascending, as hexadecimal ranges: `30-39 b2-b3`."""
    codes = [ord(one) for one in characters]
    starts = [codes[0], *(after for before, after in pairwise(codes) if after != before + 1)]
    ends = [*(before for before, after in pairwise(codes) if after != before + 1), codes[-1]]
    return " ".join(f"{start:x}-{end:x}" for start, end in zip(starts, ends, strict=True))


def _mapped(characters: pl.Series, changed: pl.Series) -> dict[str, str]:
    pairs = zip(characters.to_list(), changed.to_list(), strict=True)
    return {one: other for one, other in pairs if one != other}


def _context_of_sigma(characters: pl.Series) -> dict[str, pl.Series]:
    """Find which characters decide whether a capital sigma is the last letter of its word, by asking the engine.

    It is the last letter (ς) where a cased letter stands before it and none after it; ignorable characters between do
    not count.
    """
    after = characters.to_frame("c").select(pl.concat_str(pl.lit("aΣ"), "c").str.to_lowercase().str.slice(1, 1))
    beyond = characters.to_frame("c").select(
        pl.concat_str(pl.lit("aΣ"), "c", pl.lit("a")).str.to_lowercase().str.slice(1, 1)
    )
    ends_word, passed_over = after.to_series() == "ς", beyond.to_series() == "σ"
    return {"cased": characters.filter(~ends_word), "ignorable": characters.filter(ends_word & passed_over)}


def written(of: dict[str, object]) -> str:
    """Return the tables as their file holds them."""
    return json.dumps(of, indent=1) + "\n"


def main() -> None:
    """Write the tables."""
    TABLES.write_text(written(tables()), encoding="ascii")


if __name__ == "__main__":
    main()
