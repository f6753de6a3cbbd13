"""Features of the declaration as a whole, and of its missing elements."""

from __future__ import annotations

from features.algebra import (
    Numbers,
    Pattern,
    Text,
    at_least,
    count,
    known,
    lower,
    missing,
    numbers_of,
    where,
    yes_no,
)
from features.definition import of_consignment

LOW_VALUE_EUR = 150.0  # intrinsic value up to which a consignment is of low value
GIFT_EUR = 45.0  # relief of gifts between private persons
HS_DIGITS = 6  # of a Harmonized System code, without national ones
LETTERS, DIGIT = Pattern(r"\p{L}+"), Pattern(r"\d")
SHORTEST_WORD = 3  # letters of a word by which a mailbox is named


@of_consignment
def value_per_kg(value_eur: Numbers, gross_mass_kg: Numbers) -> Numbers:
    """Declared value in euro for each kilogram of gross mass."""
    return where(gross_mass_kg > 0, value_eur / gross_mass_kg)


@of_consignment
def value_per_piece(value_eur: Numbers, pieces: Numbers) -> Numbers:
    """Declared value in euro for each piece."""
    return value_eur / at_least(pieces, 1.0)


@of_consignment
def mass_per_piece(gross_mass_kg: Numbers, pieces: Numbers) -> Numbers:
    """Gross mass in kilograms for each piece."""
    return gross_mass_kg / at_least(pieces, 1.0)


@of_consignment
def net_to_gross(net_mass_total_kg: Numbers, gross_mass_kg: Numbers) -> Numbers:
    """Net mass of the goods as a share of gross mass; above one, the declaration contradicts itself."""
    return where(gross_mass_kg > 0, net_mass_total_kg / gross_mass_kg)


@of_consignment
def short_of_low_value(value_eur: Numbers) -> Numbers:
    """Euro by which the value stays under the €150 of low-value consignments; missing above it."""
    return where(value_eur <= LOW_VALUE_EUR, LOW_VALUE_EUR - value_eur)


@of_consignment
def short_of_gift_relief(value_eur: Numbers, nature: Text) -> Numbers:
    """Euro by which a gift stays under the €45 relief; missing above it and for anything but a gift."""
    return where(nature.is_one_of("gift") & (value_eur <= GIFT_EUR), GIFT_EUR - value_eur)


@of_consignment
def value_is_round(value_eur: Numbers, value_declared: Numbers) -> Numbers:
    """Whether the declared total is a whole number of its currency (1) or not (0)."""
    return yes_no(value_declared % 1 == 0, known(value_eur) & known(value_declared))


@of_consignment
def gift_pieces(nature: Text, pieces: Numbers) -> Numbers:
    """Pieces in a consignment declared as a gift or sample; zero for sales."""
    return where(nature.is_one_of("gift", "sample"), pieces, 0.0)


@of_consignment
def gift_from_shop(nature: Text, seller_account: Text, seller_url: Text, platform: Text) -> Numbers:
    """Whether a gift comes from a shop, a seller account or a marketplace (1) or not (0)."""
    return yes_no(nature.is_one_of("gift") & (known(seller_account) | known(seller_url) | known(platform)))


@of_consignment
def postage_to_value(postage: Numbers, value_declared: Numbers) -> Numbers:
    """Postage as a multiple of the declared value."""
    return where(value_declared > 0, postage / value_declared)


@of_consignment
def missing_elements(
    hs_digits_least: Numbers,
    packages: Numbers,
    gross_mass_kg: Numbers,
    consignor_name: Text,
    consignor_address: Text,
    consignee_name: Text,
    consignee_address: Text,
) -> Numbers:
    """Number of the seven pre-loading elements that are missing: HS code, pieces, mass, names and addresses."""
    measures = missing(packages), missing(gross_mass_kg)
    parties = (consignor_name, consignor_address, consignee_name, consignee_address)
    return count([hs_digits_least < HS_DIGITS, *measures, *map(missing, parties)])


@of_consignment
def missing_contacts(consignor_phone: Text, consignor_email: Text) -> Numbers:
    """Number of the sender's contacts (telephone, e-mail) that are missing."""
    return count([missing(consignor_phone), missing(consignor_email)])


@of_consignment
def has_ioss(ioss: Text) -> Numbers:
    """Whether an import one-stop shop number is declared (1) or not (0)."""
    return yes_no(known(ioss))


@of_consignment
def hs_chapter(main_hs6: Text) -> Text:
    """HS chapter of the line of the highest value."""
    return main_hs6.each(lambda code: code[:2])


@of_consignment
def sender_address_digits(consignor_address: Text) -> Numbers:
    """Digits of the sender's address."""
    return consignor_address.number(DIGIT.count)


def first_word(name: str) -> str | None:
    """Return the first word of a name that is long enough to name a mailbox, in lower case."""
    return next((word for word in LETTERS.all(lower(name)) if len(word) >= SHORTEST_WORD), None)


@of_consignment
def mailbox_name_fit(consignor_email: Text, consignor_name: Text) -> Numbers:
    """Whether the mailbox holds the first word of the sender's name (1) or not (0)."""
    mailbox = consignor_email.each(lambda address: lower(address).split("@")[0])
    return numbers_of(lambda word, box: float(word in box), consignor_name.each(first_word), mailbox)
