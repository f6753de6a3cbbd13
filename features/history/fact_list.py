"""The list of facts that history is summed from: one line a fact, and all that follows from the list.

To add a fact, add a line to FACT_LIST and a migration that gives the table of running totals its column. Windows,
results handed on, words and what an erasure keeps follow from the line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Literal

import polars as pl

from features.algebra import Numbers
from features.choices import LANGUAGES
from features.consignment import BY_NAME, TIME, TOTALS
from features.history.keys import KEYS
from features.outcome import FINDINGS, KEPT_FOR_STATISTICS, LABELLED, NAMING_PERSONS, OUTCOME_COLUMNS

Source = Literal["lodging", "declaration", "novelty", "outcome", "registry"]
ONE = pl.lit(1, pl.Int64)
HIT = pl.col("result") == "non_compliant"
NAMED_FINDINGS = pl.col("findings").fill_null("").str.split(";").list.eval(pl.element().str.strip_chars())
GRAVE = NAMED_FINDINGS.list.contains("dangerous") | pl.col("criminal_link").eq("true").fill_null(False)


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """Something that happens to an entity, in integers that add up.

    of: what it comes from. `lodging` counts every version that named the entity, whatever became of it; an amendment
        takes `declaration` facts back; `novelty` is what a sender has of new; `outcome` is what a control found;
        `registry` is what right holders registered.
    amount: of a consignment version (`declaration`), as a function of columns of numbers, which are its arguments: it is
        rounded to an integer, and unknown is nothing. Of a control result (`outcome`), as an expression of its columns.
    words: what an analyst reads, in each of LANGUAGES.
    first_of: of a novelty, the key of which a new entity is counted, and of whom: it names one of the second key.
        Several where it is counted of several.
    """

    name: str
    of: Source
    amount: pl.Expr | Callable[..., Numbers | float] = ONE
    words: tuple[str, ...] = ()
    first_of: tuple[tuple[str, str], ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The columns that its amount is made of."""
        if isinstance(self.amount, pl.Expr):
            return tuple(dict.fromkeys(self.amount.meta.root_names()))
        return tuple(signature(self.amount).parameters)

    @property
    def expression(self) -> pl.Expr:
        """Its amount over the columns of a frame; raises TypeError for a declaration's."""
        if isinstance(self.amount, pl.Expr):
            return self.amount
        raise TypeError(f"the amount of {self.name} is made of columns of numbers")


def whole(amount: pl.Expr) -> pl.Expr:
    """Round an amount to an integer; unknown is nothing."""
    return amount.fill_null(0).round().cast(pl.Int64)


def hits_of(finding: str, words: tuple[str, ...]) -> Fact:
    """Count the results that name this finding."""
    return Fact(f"hits_{finding}", "outcome", HIT & NAMED_FINDINGS.list.contains(finding), words)


# fmt: off
FACT_LIST: tuple[Fact, ...] = (
    Fact("lodged", "lodging", words=("Declarations and amendments", "Déclarations et modifications", "申报及更改次数")),
    Fact("consignments", "declaration", lambda: 1, words=("Consignments", "Envois", "货件数")),
    Fact("lines", "declaration", lambda lines: lines, words=("Goods lines", "Lignes d'articles", "货物行数")),
    Fact("value", "declaration", lambda value_eur: value_eur * 100,
         words=("Declared value in cents", "Valeur déclarée en centimes", "申报价值（分）")),
    Fact("mass", "declaration", lambda gross_mass_kg: gross_mass_kg * 1000,
         words=("Gross mass in grams", "Masse brute en grammes", "毛重（克）")),
    Fact("pieces", "declaration", lambda pieces: pieces, words=("Pieces", "Pièces", "件数")),
    Fact("new_consignee", "novelty", first_of=(("pair", "consignor"),), words=("New addressees", "Nouveaux destinataires", "新收件人数")),
    Fact("new_wording", "novelty", first_of=(("wording", "consignor"),), words=("New descriptions", "Nouvelles désignations", "新品名数")),
    Fact("new_route", "novelty", first_of=(("way", "consignor"),), words=("New routes", "Nouveaux itinéraires", "新路线数")),
    Fact("inspected", "outcome", pl.col("result").is_in(LABELLED), words=("Inspections", "Contrôles", "查验次数")),
    Fact("hits", "outcome", HIT, words=("Non-compliant findings", "Constats non conformes", "查获次数")),
    hits_of("counterfeit", words=("Counterfeits found", "Contrefaçons constatées", "查获假冒次数")),
    hits_of("undervalued", words=("Undervaluations found", "Sous-évaluations constatées", "查获低报次数")),
    hits_of("misdeclared", words=("Misdeclarations found", "Fausses déclarations constatées", "查获伪报次数")),
    hits_of("prohibited", words=("Prohibited goods found", "Marchandises prohibées constatées", "查获禁限次数")),
    hits_of("dangerous", words=("Dangerous goods found", "Marchandises dangereuses constatées", "查获危险品次数")),
    Fact("hits_grave", "outcome", HIT & GRAVE,
         words=("Dangerous or criminal findings", "Constats dangereux ou criminels", "危险或涉罪查获次数")),
    Fact("not_presented", "outcome", pl.col("result") == "not_presented",
         words=("Consignments not presented", "Envois non présentés", "未到验次数")),
    Fact("registered", "registry",
         words=("Entries of right holders", "Inscriptions de titulaires de droits", "权利人登记数")),
    Fact("new_sender", "novelty", first_of=(("delivery", "home"),),
         words=("New senders", "Nouveaux expéditeurs", "新寄件人数")),
    Fact("new_name", "novelty", first_of=(("resident", "home"), ("caller", "recipient_phone")),
         words=("New names", "Nouveaux noms", "新名称数")),
)
# fmt: on

COLUMNS_OF: dict[str, tuple[str, ...]] = {  # what an amount can be made of
    "declaration": (*BY_NAME, *TOTALS),
    "outcome": tuple(column.name for column in OUTCOME_COLUMNS if column.name not in NAMING_PERSONS),
}
LIST_FILE = "features/history/fact_list.py"


def check_facts(facts: Sequence[Fact]) -> None:
    """Raise TypeError, which names the fact and what to add, where a line of the list is not complete."""
    names = [fact.name for fact in facts]
    for fact in facts:
        if names.count(fact.name) > 1:
            raise TypeError(f"fact {fact.name} is listed twice: leave one of its lines in {LIST_FILE}")
        if len(fact.words) != len(LANGUAGES) or not all(fact.words):
            raise TypeError(
                f"fact {fact.name} needs words in {', '.join(LANGUAGES)}: add words=(…, …, …) to its line in {LIST_FILE}"
            )
        named = {name for pair in fact.first_of for name in pair}
        if (fact.of == "novelty") != bool(named) or not named <= {key.name for key in KEYS}:
            raise TypeError(f"fact {fact.name}: first_of names keys for a novelty, and for no other; see {LIST_FILE}")
        if (fact.of == "declaration") == isinstance(fact.amount, pl.Expr):
            form = (
                "a function of columns, such as lambda pieces: pieces" if fact.of == "declaration" else "an expression"
            )
            raise TypeError(f"the amount of fact {fact.name} is to be {form}: change its line in {LIST_FILE}")
        for column in fact.needs:
            _check_column(fact, column)
    for finding in FINDINGS:
        if f"hits_{finding}" not in names:
            raise TypeError(f"finding {finding} has no fact: add hits_of({finding!r}, words=…) to {LIST_FILE}")


def _check_column(fact: Fact, column: str) -> None:
    if fact.of == "outcome" and column in NAMING_PERSONS:
        raise TypeError(f"fact {fact.name} needs {column}, which names a person and is erased: use another column")
    if column not in COLUMNS_OF.get(fact.of, ()):
        schema = "features/outcome.py" if fact.of == "outcome" else "features/consignment.py"
        raise TypeError(f"fact {fact.name} needs {column}, which a fact of {fact.of} lacks: add it to {schema} first")


check_facts(FACT_LIST)


def facts_from(source: Source) -> tuple[Fact, ...]:
    """Return the facts that come from one source, in their order."""
    return tuple(fact for fact in FACT_LIST if fact.of == source)


def _names(source: Source) -> tuple[str, ...]:
    return tuple(fact.name for fact in facts_from(source))


FACTS = tuple(fact.name for fact in FACT_LIST)
(LODGED,) = _names("lodging")  # by it an entity is first and last seen
DECLARATION_FACTS = _names("declaration")
NOVELTY_FACTS = tuple(fact.name for fact in facts_from("novelty"))
SIGHTS = tuple((fact.name, first, of) for fact in facts_from("novelty") for first, of in fact.first_of)
OUTCOME_FACTS = _names("outcome")
REGISTRY_FACTS = _names("registry")
FACT_SCHEMA = pl.Schema([("entity", pl.Int64()), ("known_at", TIME), *((fact, pl.Int64()) for fact in FACTS)])

_needed = {column for fact in facts_from("outcome") for column in fact.needs}
RESULT_COLUMNS = tuple(column for column in OUTCOME_COLUMNS if column.name in _needed)  # what a result hands on
KEPT_OF_OUTCOMES = tuple(  # what an erasure leaves of a result: names go, sums of history can be made again
    column.name for column in OUTCOME_COLUMNS if column.name in {*KEPT_FOR_STATISTICS, *_needed}
)
