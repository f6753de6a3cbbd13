"""Number plans of telephones, as libphonenumber describes them: codes of countries, and the numbers that there are."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumber,
    country_code_for_region,
    is_valid_number,
    national_significant_number,
    parse,
)
from phonenumbers.phonenumberutil import NumberParseException

LONGEST_CODE = 3  # digits of a country code


def code_of_region(country: str | None) -> str | None:
    """Return the country code of a region, ISO 3166 alpha-2; none for what is no region."""
    code = country_code_for_region(country.upper()) if country else 0
    return str(code) if code else None


def leading_code(digits: str) -> str | None:
    """Return the country code that the digits of an international number begin with."""
    heads = (digits[:length] for length in range(1, min(LONGEST_CODE, len(digits)) + 1))
    return next((head for head in heads if int(head) in COUNTRY_CODE_TO_REGION_CODE), None)


@lru_cache(maxsize=200_000)
def national_number(digits: str, code: str) -> str | None:
    """Return the number that digits are in the plan of a country code, without trunk prefix; none where it is none."""
    for national in dict.fromkeys((digits, _without_trunk(digits, code))):
        if _matches(national, code) and is_valid_number(_number(code, national)):
            return national
    return _parsed(digits, code) if _is_intricate(code) else None


def has_mobile_length(digits: str, code: str) -> bool:
    """Say whether there are mobile numbers of so many digits."""
    return len(digits) in _lengths(code, "mobile")


def has_length(digits: str, code: str) -> bool:
    """Say whether there are numbers of so many digits."""
    return len(digits) in _lengths(code, "general_desc")


def _number(code: str, national: str) -> PhoneNumber:
    zeros = len(national) - len(national.lstrip("0"))
    leading = True if zeros else None
    return PhoneNumber(int(code), int(national), italian_leading_zero=leading, number_of_leading_zeros=zeros or None)


def _without_trunk(digits: str, code: str) -> str:
    prefix = _plans(code)[0].national_prefix
    return digits.removeprefix(prefix) if prefix else digits


def _matches(national: str, code: str) -> bool:
    return len(national) > 1 and any(pattern.fullmatch(national) for pattern in _patterns(code))


def _parsed(digits: str, code: str) -> str | None:
    try:
        number = parse(digits, COUNTRY_CODE_TO_REGION_CODE[int(code)][0])
    except NumberParseException:
        return None
    known = str(number.country_code) == code and is_valid_number(number)
    return national_significant_number(number) if known else None


@cache
def _plans(code: str) -> tuple[PhoneMetadata, ...]:
    regions = COUNTRY_CODE_TO_REGION_CODE[int(code)]
    plans = (PhoneMetadata.metadata_for_region_or_calling_code(int(code), region) for region in regions)
    return tuple(plan for plan in plans if plan is not None)


@cache
def _patterns(code: str) -> tuple[re.Pattern[str], ...]:
    texts = (plan.general_desc.national_number_pattern for plan in _plans(code) if plan.general_desc)
    return tuple(re.compile(text) for text in dict.fromkeys(texts) if text)


@cache
def _lengths(code: str, part: str) -> frozenset[int]:
    descriptions = (getattr(plan, part) for plan in _plans(code))
    return frozenset(length for of in descriptions if of is not None for length in of.possible_length or ())


@cache
def _is_intricate(code: str) -> bool:
    """Say whether a plan has carrier codes or rewrites numbers, so that its trunk prefix alone is not enough."""
    plan = _plans(code)[0]
    return plan.national_prefix_transform_rule is not None or (
        plan.national_prefix_for_parsing not in (None, plan.national_prefix)
    )
