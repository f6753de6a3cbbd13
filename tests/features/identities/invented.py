"""Invented identities of twenty kinds, written before any feature that judges them; and plausible ones beside them.

`plausible.csv` holds 5,000 senders of forty countries: names, streets, towns, postcodes and mailboxes by Faker 40.63 in
the language of each country, telephones drawn from the number plan of each (phonenumbers 9.0); made 2026-11-29.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from pathlib import Path

Identity = dict[str, str]
COLUMNS = ("name", "address", "city", "postcode", "country", "phone", "email")
PLAUSIBLE = Path(__file__).with_name("plausible.csv")
HEROES = "Harry Potter|Darth Vader|Santa Claus|Bruce Wayne|Homer Simpson|Donald Duck|Lara Croft|Frodo Baggins|Peter Pan"
HEROES += "|James Bond|Indiana Jones|Obi Wan Kenobi|Captain Kirk|Winnie Pooh|Tintin Milou|Sherlock Holmes"
PLACES_OF_TALES = (
    "4 Privet Drive|12 Death Star Avenue|1 North Pole|Wayne Manor|742 Evergreen Terrace|Bag End|Neverland 1"
)
RULERS = "Barack Obama|Napoleon Bonaparte|Queen Elizabeth|Julius Caesar|Vladimir Lenin|Angela Merkel|George Washington"
SIGHTS = "Eiffel Tower|White House|Red Square 1|Buckingham Palace|Great Wall|Empire State Building|Colosseum"
GOODS = (
    "Blue Cotton Shirt|Phone Case Black|Shoes Men 42|Gift Sample|Leather Wallet|USB Cable|Toy Car Red|Ladies Handbag"
)
LOREM = "lorem|ipsum|dolor|sit|amet|consectetur|adipiscing|elit|sed|do|eiusmod|tempor|incididunt|ut|labore"
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
LOOK_ALIKE = dict(zip("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ", strict=True))
LEET = dict(zip("aeiost", "4310$7", strict=True))
HOUSE_TEXT = "No. {}, Renmin Road"


def plausible() -> list[Identity]:
    """Read the plausible identities, in their order."""
    with PLAUSIBLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Inventor:
    """Draws invented identities; each kind is a method that changes, mixes or makes up what a sender states."""

    def __init__(self, seed: int) -> None:
        self.draw, self.real = random.Random(seed), plausible()

    def one(self) -> Identity:
        """Return a plausible identity."""
        return dict(self.draw.choice(self.real))

    def elsewhere(self, country: str) -> Identity:
        """Return a plausible identity of another country."""
        while (other := self.one())["country"] == country:
            pass
        return other

    def of(self, words: str) -> str:
        """Return one of several."""
        return self.draw.choice(words.split("|"))

    def mashed(self, length: int) -> str:
        """Return letters as a hand leaves them that runs over one row of the keyboard."""
        row, at, letters = self.draw.choice(ROWS), 3, ""
        for _ in range(length):
            letters += row[at]
            at = min(max(at + self.draw.choice((-1, 1, 1, 2)), 0), len(row) - 1)
        return letters

    def hero(self) -> Identity:
        return self.one() | {"name": self.of(HEROES), "address": self.of(PLACES_OF_TALES)}

    def ruler(self) -> Identity:
        return self.one() | {"name": self.of(RULERS), "address": self.of(SIGHTS), "phone": ""}

    def mash(self) -> Identity:
        return self.one() | {"name": f"{self.mashed(5)} {self.mashed(6)}", "address": f"{self.mashed(7)} 12"}

    def letters(self) -> Identity:
        some = "".join(self.draw.choice("bcdfghjklmnpqrstvwxz") for _ in range(self.draw.randint(6, 11)))
        return self.one() | {"name": some[:5] + " " + some[5:], "address": some[::-1] + " street"}

    def moved(self) -> Identity:
        one = self.one()
        return one | {"country": self.elsewhere(one["country"])["country"]}

    def reached_elsewhere(self) -> Identity:
        one = self.one()
        other = self.elsewhere(one["country"])
        return one | {"phone": other["phone"], "email": other["email"]}

    def goods(self) -> Identity:
        return self.one() | {"name": self.of(GOODS), "address": self.of(GOODS)}

    def babble(self) -> Identity:
        syllable = self.draw.choice("bdlmnt") + self.draw.choice("aiou")
        return self.one() | {"name": f"{syllable * 2} {syllable * 3}".title(), "address": f"{syllable * 3} {syllable}"}

    def reversed(self) -> Identity:
        one = self.one()
        return one | {"name": one["name"][::-1], "address": one["address"][::-1], "city": one["city"][::-1]}

    def leet(self) -> Identity:
        one = self.one()
        name = "".join(LEET.get(letter, letter) for letter in one["name"].lower())
        return one | {"name": f"{name}{self.draw.randint(1, 99)}", "address": f"{self.draw.randint(1, 9)}"}

    def numbers(self) -> Identity:
        return self.one() | {
            "address": str(self.draw.choice((1, 11, 123, 12345, 1000))),
            "city": "x",
            "phone": "123456",
        }

    def one_word(self) -> Identity:
        word = self.mashed(4).title()
        return self.one() | {"name": word, "address": word, "city": word, "email": f"{word.lower()}@{word.lower()}.com"}

    def far_house(self) -> Identity:
        return self.one() | {"address": HOUSE_TEXT.format(self.draw.randint(60_000, 999_999))}

    def look_alikes(self) -> Identity:
        words = [self.draw.choice(("Anna Pope", "Peter Cox", "Tom Bax", "Cara Hope", "Oxana Beck")), "Park Avenue 7"]
        name, street = ("".join(LOOK_ALIKE.get(x, x) if self.draw.random() < 0.5 else x for x in w) for w in words)
        return self.one() | {"name": name, "address": street}

    def lorem(self) -> Identity:
        return self.one() | {
            "name": " ".join(self.draw.sample(LOREM.split("|"), 2)),
            "address": " ".join(self.draw.sample(LOREM.split("|"), 3)),
        }

    def postcode_elsewhere(self) -> Identity:
        one = self.one()
        other = self.elsewhere(one["country"])
        return one | {"postcode": other["postcode"], "city": other["city"]}

    def tried(self) -> Identity:
        word = self.draw.choice(("test", "aaa", "xxx", "abc", "none", "user", "customer", "sender"))
        return self.one() | {"name": f"{word} {word}", "address": f"{word} street 1", "email": f"{word}@{word}.com"}

    def stitched(self) -> Identity:
        one, second, third = self.one(), self.one(), self.one()
        return one | {key: second[key] for key in ("address", "city")} | {key: third[key] for key in ("phone", "email")}

    def cut(self) -> Identity:
        return self.one() | {"name": self.draw.choice(("X", "A B", "Mr", "Z", "--", "J. J.")), "address": "street"}

    def swapped(self) -> Identity:
        one = self.one()
        return one | {"name": one["postcode"] or one["city"], "postcode": one["phone"][-6:], "phone": one["postcode"]}


KINDS: tuple[Callable[[Inventor], Identity], ...] = (
    Inventor.hero, Inventor.ruler, Inventor.mash, Inventor.letters, Inventor.moved, Inventor.reached_elsewhere,
    Inventor.goods, Inventor.babble, Inventor.reversed, Inventor.leet, Inventor.numbers, Inventor.one_word,
    Inventor.far_house, Inventor.look_alikes, Inventor.lorem, Inventor.postcode_elsewhere, Inventor.tried,
    Inventor.stitched, Inventor.cut, Inventor.swapped,
)  # fmt: skip


def invented(count: int, seed: int = 20261129) -> Iterator[tuple[str, Identity]]:
    """Yield so many invented identities, the kinds in turn, each with the name of its kind."""
    inventor = Inventor(seed)
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        yield kind.__name__, kind(inventor)
