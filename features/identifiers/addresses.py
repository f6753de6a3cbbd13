"""Addresses as keys: the house in its town, in one spelling; what is no house, and a house without a town, is less."""

from __future__ import annotations

import csv
import re
import tomllib
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from features.identifiers.letters import REMEMBERED, comparable, composed, folded, latin_readings, spaced
from features.identifiers.pinyin import pinyin_of

_FOLDER = Path(__file__).parent
_WORDS = tomllib.loads((_FOLDER / "address_words.toml").read_text(encoding="utf-8"))
_LINES = (_FOLDER / "chinese_towns.csv").read_text(encoding="utf-8").splitlines()
TOWNS = list(csv.DictReader(line for line in _LINES if not line.startswith("#")))
ONE_TOWN = frozenset(_WORDS["one_town"]["countries"])
BESIDE_A_TOWN = frozenset(_WORDS["beside_a_town"]["words"])
PROVINCES = frozenset(_WORDS["beside_a_town"]["provinces"])
# a county-level town before the prefecture that it lies in
RANK = {"county": 0, "prefecture": 1}
TOWN_RANK = {town["pinyin"]: RANK[town["level"]] for town in TOWNS}
TOWN_OF_HAN = {town["name"]: town["pinyin"] for town in sorted(TOWNS, key=lambda town: RANK[town["level"]])}
TOWN_OF_POSTCODE = {digits: town["pinyin"] for town in TOWNS for digits in town["postcodes"].split()}
LONGEST_PREFIX = 4  # digits of a Chinese postcode that tell a town

HAN = re.compile(r"[\u4e00-\u9fff]")
UNSPACED_SCRIPT = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
DIVISION = re.compile(r"([\u4e00-\u9fff]{1,8}?)(特别行政区|自治区|自治州|省|市|区|區|县|縣)")
HAN_PROVINCE = re.compile(r"省|自治区")
HAN_NUMBER = re.compile(r"(?:大道|路|街|巷|道|弄)(\d+)[号號]")
HAN_DIVISION_END = re.compile(r".*[市省区區县縣镇鎮]", re.DOTALL)
LONGEST_HAN_STREET = 6  # characters
LATIN_HOUSE = re.compile(
    r"\bno\W*(?P<number>\d+)\W+(?P<street>[a-z][a-z ]{1,30}?) (?:road|rd|street|st|avenue|ave|lu|jie|dadao)\b"
)
_UNIT_WORDS = "|".join(_WORDS["units"]["words"])
UNIT = re.compile(rf"\b(?:{_UNIT_WORDS})\b\.?\s*(?:no\b\.?\s*)?[a-z]?\d+\w*(?:[-/&]\d+\w*)*")
FLOOR = re.compile(r"\b\d+(?:st|nd|rd|th)?\s?(?:floor\b|/f\b)")
BEHIND_SIGN, BRACKETED = re.compile("#.*", re.DOTALL), re.compile(r"\([^()]*\)")
DIGIT, LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")
POSTCODE = re.compile(r"\d{4,6}")
HOUSE_NUMBER = re.compile(r"\b\d{1,3}\b")


def _phrases(words: list[str]) -> tuple[list[str], list[str]]:
    """Divide phrases into those of letters, compared word by word, and those of Chinese characters and the like."""
    unspaced = [composed(word) for word in words if re.search("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]", word)]
    worded = [
        reading for word in words if composed(word) not in unspaced if (reading := spaced(latin_readings(word)[0]))
    ]
    return worded, unspaced


_NO_HOUSE = _WORDS["no_house"]
_SAYS_NOTHING, _SAYS_NOTHING_UNSPACED = _phrases([*_NO_HOUSE["says_nothing"], *_NO_HOUSE["refers_elsewhere"]])
WHOLLY_NOTHING = frozenset([*_SAYS_NOTHING, *_SAYS_NOTHING_UNSPACED])
_WORDED, _UNSPACED = _phrases([word for name, words in _NO_HOUSE.items() if name != "says_nothing" for word in words])
_NUMBERED = "|".join(_WORDS["no_house_before_a_number"]["words"])
NO_HOUSE = re.compile(rf"\b(?:(?:{'|'.join(map(re.escape, _WORDED))})\b|(?:{_NUMBERED}) \d)")
NO_HOUSE_UNSPACED = re.compile("|".join(map(re.escape, _UNSPACED)))


@lru_cache(maxsize=REMEMBERED)
def building(address: str | None, city: str | None, postcode: str | None, country: str | None) -> str | None:
    """Return the building of an address in its town and country; None where either is unknown, or where it is no house.

    A street is found in every town: without the town, or else the postcode, the address names no building.
    """
    house, place = house_of(address, city, postcode, country), place_of(address, city, postcode, country)
    return None if house is None or place is None else f"{house}|{place}|{country or '?'}"


def street(address: str | None, city: str | None, postcode: str | None, country: str | None) -> str | None:
    """Return the same without the town: weak evidence, as strangers in other towns share it."""
    house = house_of(address, city, postcode, country)
    return None if house is None else f"{house}|{country or '?'}"


def address_to_unit(address: str | None, city: str | None, postcode: str | None, country: str | None) -> str | None:
    """Return the whole address with its unit, in its town and country; None where `building` is."""
    if address is None or building(address, city, postcode, country) is None:
        return None
    return f"{comparable(address)}|{place_of(address, city, postcode, country)}|{country or '?'}"


@lru_cache(maxsize=REMEMBERED)
def house_of(address: str | None, city: str | None, postcode: str | None, country: str | None) -> str | None:
    """Return street and number where they can be read, in pinyin if Chinese, or else the words of the address.

    Units, what follows a number sign, and the town and postcode at the end are left out. None where it is no house.
    """
    if address is None or is_no_house(address):
        return None
    outside = BRACKETED.sub(" ", BEHIND_SIGN.sub("", composed(address)))
    if HAN.search(outside) and (han := _han_house(outside)) is not None:
        return han
    text = latin_readings(outside)[0]
    if match := LATIN_HOUSE.search(text):
        return f"{match['street'].replace(' ', '')} {match['number']}"
    words = (spaced(FLOOR.sub(" ", UNIT.sub(" ", text))) or "").split()
    town = city or _last_part(outside, country)
    left = _without_town(words, [part for part in (town, postcode) if part])
    return " ".join(left) if _names_a_house(left, words) else None


def _without_town(words: list[str], town: list[str]) -> list[str]:
    """Leave out the town and the postcode that stand behind a street."""
    beside = {word for text in town for word in (spaced(latin_readings(text)[0]) or "").split()}
    left = list(words)
    while left and (left[-1] in beside | BESIDE_A_TOWN or (len(left) < len(words) and POSTCODE.fullmatch(left[-1]))):
        left.pop()
    return left


def _names_a_house(left: list[str], words: list[str]) -> bool:
    """Return true unless there is nothing but a town: a house has a number, or else a name of two words."""
    if any(DIGIT.search(word) for word in left):
        return len(left) > 1 or any(HAN.search(word) for word in left)
    named = [word for word in left if word not in BESIDE_A_TOWN | PROVINCES and word not in TOWN_RANK]
    return len(named) > 1 and not any(HAN.search(word) for word in words)


def _han_house(address: str) -> str | None:
    """Return street and number of an address in Chinese characters, such as `dongfeng 34`."""
    match = HAN_NUMBER.search(address)
    if match is None:
        return None
    before = HAN_DIVISION_END.sub("", address[: match.start()])[-LONGEST_HAN_STREET:]
    han = before[len(before) - _han_at_end(before) :]
    return f"{''.join(pinyin_of(han))} {match[1]}" if han else None


def _han_at_end(text: str) -> int:
    count = 0
    while count < len(text) and HAN.match(text[-1 - count]):
        count += 1
    return count


@lru_cache(maxsize=REMEMBERED)
def is_no_house(address: str) -> bool:
    """Return true for what is no house of a sender's: a box, a collection point, a reference, nothing at all."""
    shown = composed(address)
    words = spaced(latin_readings(shown)[0])
    if words is None or words in WHOLLY_NOTHING or shown.strip() in WHOLLY_NOTHING:
        return True
    return NO_HOUSE.search(words) is not None or NO_HOUSE_UNSPACED.search(shown) is not None


@lru_cache(maxsize=REMEMBERED)
def place_of(address: str | None, city: str | None, postcode: str | None, country: str | None) -> str | None:
    """Return the town of an address in one spelling, or else its postcode; None where neither is stated.

    The city comes first, then a town within the address, then the postcode: of mainland China the town that it tells.
    """
    if country in ONE_TOWN:
        return country
    town = town_of(city, country) if city else None
    if town is None and address:
        town = _town_within(address, country)
    return town or _of_postcode(postcode, country)


def town_of(city: str, country: str | None) -> str | None:
    """Return a town in one spelling: in pinyin without its kind if Chinese, in Latin letters without spaces."""
    shown = composed(city)
    if HAN.search(shown):
        return _han_town(shown) or _unless_province("".join(pinyin_of(HAN_PROVINCE.sub("", comparable(shown) or ""))))
    reading = (spaced(latin_readings(shown.split(",")[0])[0]) or "").split()
    if country == "CN":
        if (known := _known_town((spaced(latin_readings(shown)[0]) or "").split())) is not None:
            return known
        reading = [word for word in reading if word not in PROVINCES]
    named = [word for word in reading if not DIGIT.search(word)]
    bare = [word for word in named if word not in BESIDE_A_TOWN]
    town = "".join(bare)
    return town if len(town) > 1 and " ".join(named) not in WHOLLY_NOTHING else None


def _unless_province(town: str) -> str | None:
    return None if town in PROVINCES else town or None


def _known_town(words: list[str]) -> str | None:
    """Find a town of China that words name, in one word or in syllables; one of a county before its prefecture."""
    named = [*words, *(first + second for first, second in pairwise(words))]
    known = [word for word in named if word in TOWN_RANK]
    return min(known, key=lambda word: TOWN_RANK[word], default=None)


def _han_town(text: str) -> str | None:
    """Find the town in a Chinese text: the innermost that is called one, or else a known one."""
    divisions = DIVISION.findall(text)
    towns = [name for name, kind in divisions if kind in ("市", "县", "縣")]
    if towns:
        return TOWN_OF_HAN.get(towns[-1]) or "".join(pinyin_of(towns[-1]))
    return next((pinyin for name, pinyin in TOWN_OF_HAN.items() if name in text), None)


def _town_within(address: str, country: str | None) -> str | None:
    """Find the town that an address ends with, or in Chinese begins with."""
    shown = composed(address)
    if HAN.search(shown):
        return _han_town(shown)
    if country == "CN":
        return _known_town((spaced(latin_readings(shown)[0]) or "").split())
    last = _last_part(shown, country)
    return None if last is None else town_of(last, country)


def _last_part(address: str, country: str | None) -> str | None:
    """Return what stands behind the last comma, where it can be a town: no unit, and the house stands before it."""
    before, comma, last = address.rpartition(",")
    if not comma or country == "CN" or country in ONE_TOWN or not DIGIT.search(UNIT.sub("", latin_readings(before)[0])):
        return None
    reading = latin_readings(last)[0]
    numbered = HOUSE_NUMBER.search(reading) or UNIT.search(reading) or FLOOR.search(reading)
    return last if LETTER.search(reading) and not numbered else None


def _of_postcode(postcode: str | None, country: str | None) -> str | None:
    """Return a postcode without signs; of mainland China the town that its first digits tell, where that is known."""
    code = folded(postcode or "")
    compact = "".join(letter for letter in code if letter.isalnum())
    if len(set(compact)) < 2 or not DIGIT.search(compact):
        return None
    if country == "CN" and len(compact) == 6 and compact.isdecimal():
        prefixes = (compact[:digits] for digits in range(LONGEST_PREFIX, 1, -1))
        return next((TOWN_OF_POSTCODE[prefix] for prefix in prefixes if prefix in TOWN_OF_POSTCODE), compact)
    return compact
