"""The kinds of goods in the world and the words for them, as arrays indexed by kind."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import polars as pl

from pipelines.synthetic.draws import Floats, Ints

LANGUAGES = ("en", "fr", "zh", "pinyin")


@dataclass(frozen=True)
class Goods:
    """One entry for each kind of goods; `words[language]` holds every phrase, kind by kind."""

    key: list[str]
    hs6: pl.Series
    family: Ints
    families: list[str]
    unit_eur: Floats
    unit_kg: Floats
    quantity: Floats
    share: Floats
    ipr: Floats
    danger: Floats
    words: pl.Series
    first_word: Ints
    word_count: Ints

    def __len__(self) -> int:
        return len(self.key)

    @property
    def document(self) -> int:
        """Return the kind that is no goods at all."""
        return self.key.index("document")

    def appeal(self, aim: str) -> Floats:
        """Return how strongly a seller with this aim, or of this family of goods, is drawn to each kind."""
        dear = self.share * (self.unit_eur > 8.0) * self.unit_eur
        return {
            "ipr": self.share * self.ipr**2,
            "danger": self.share * self.danger**2,
            "dear": dear,
            "any": self.share,
        }.get(aim, self._of_family(aim))

    def _of_family(self, name: str) -> Floats:
        at_home = self.family == self.families.index(name) if name in self.families else np.zeros(len(self))
        return self.share * at_home * (0.05 + np.maximum(self.ipr, self.danger))

    def phrase(self, kind: Ints, language: Ints, turn: Ints) -> pl.Series:
        """Return the words for each kind in a language; `turn` chooses among synonyms."""
        cell = kind * len(LANGUAGES) + language
        return self.words.gather(self.first_word[cell] + turn % self.word_count[cell])


@cache
def load_goods() -> Goods:
    """Read the shipped table `goods.csv`."""
    text = files(__package__).joinpath("goods.csv").read_bytes()
    table = pl.read_csv(text, schema_overrides={"hs6": pl.String})
    families = table["family"].unique(maintain_order=True).to_list()
    cells = [str(cell).split("|") for row in table.select(LANGUAGES).iter_rows() for cell in row]
    counts = np.array([len(cell) for cell in cells], dtype=np.int64)
    numbers = {name: table[name].cast(pl.Float64).to_numpy() for name in _NUMBERS}
    return Goods(
        key=table["key"].to_list(),
        hs6=table["hs6"],
        family=np.array([families.index(name) for name in table["family"]], dtype=np.int64),
        families=families,
        words=pl.Series([word for cell in cells for word in cell]),
        first_word=np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64),
        word_count=counts,
        **numbers,
    )


_NUMBERS = ("unit_eur", "unit_kg", "quantity", "share", "ipr", "danger")
