"""Features of the declaration as a whole, and of its missing elements."""

from __future__ import annotations

import polars as pl

from tests.oracle.frames.comparable import LETTERS
from tests.oracle.frames.definition import of_consignment

LOW_VALUE_EUR = 150.0  # intrinsic value up to which a consignment is of low value
GIFT_EUR = 45.0  # relief of gifts between private persons
SEVEN = (
    "hs_digits_least",
    "packages",
    "gross_mass_kg",
    "consignor_name",
    "consignor_address",
    "consignee_name",
    "consignee_address",
)


@of_consignment
def value_per_kg(value_eur: pl.Expr, gross_mass_kg: pl.Expr) -> pl.Expr:
    """Declared value in euro for each kilogram of gross mass."""
    return pl.when(gross_mass_kg > 0).then(value_eur / gross_mass_kg)


@of_consignment
def value_per_piece(value_eur: pl.Expr, pieces: pl.Expr) -> pl.Expr:
    """Declared value in euro for each piece."""
    return value_eur / pieces.clip(1.0)


@of_consignment
def mass_per_piece(gross_mass_kg: pl.Expr, pieces: pl.Expr) -> pl.Expr:
    """Gross mass in kilograms for each piece."""
    return gross_mass_kg / pieces.clip(1.0)


@of_consignment
def net_to_gross(net_mass_total_kg: pl.Expr, gross_mass_kg: pl.Expr) -> pl.Expr:
    """Net mass of the goods as a share of gross mass; above one, the declaration contradicts itself."""
    return pl.when(gross_mass_kg > 0).then(net_mass_total_kg / gross_mass_kg)


@of_consignment
def short_of_low_value(value_eur: pl.Expr) -> pl.Expr:
    """Euro by which the value stays under the €150 of low-value consignments; missing above it."""
    return pl.when(value_eur <= LOW_VALUE_EUR).then(LOW_VALUE_EUR - value_eur)


@of_consignment
def short_of_gift_relief(value_eur: pl.Expr, nature: pl.Expr) -> pl.Expr:
    """Euro by which a gift stays under the €45 relief; missing above it and for anything but a gift."""
    return pl.when((nature == "gift") & (value_eur <= GIFT_EUR)).then(GIFT_EUR - value_eur)


@of_consignment
def value_is_round(value_eur: pl.Expr, value_declared: pl.Expr) -> pl.Expr:
    """Whether the declared total is a whole number of its currency (1) or not (0)."""
    return pl.when(value_eur.is_not_null()).then((value_declared % 1 == 0).cast(pl.Float64))


@of_consignment
def gift_pieces(nature: pl.Expr, pieces: pl.Expr) -> pl.Expr:
    """Pieces in a consignment declared as a gift or sample; zero for sales."""
    return pl.when(nature.is_in(["gift", "sample"])).then(pieces).otherwise(0.0)


@of_consignment
def gift_from_shop(nature: pl.Expr, seller_account: pl.Expr, seller_url: pl.Expr, platform: pl.Expr) -> pl.Expr:
    """Whether a gift comes from a shop, a seller account or a marketplace (1) or not (0)."""
    shop = seller_account.is_not_null() | seller_url.is_not_null() | platform.is_not_null()
    return ((nature == "gift") & shop).cast(pl.Float64).fill_null(0.0)


@of_consignment
def postage_to_value(postage: pl.Expr, value_declared: pl.Expr) -> pl.Expr:
    """Postage as a multiple of the declared value."""
    return pl.when(value_declared > 0).then(postage / value_declared)


@of_consignment
def missing_elements(
    hs_digits_least: pl.Expr,
    packages: pl.Expr,
    gross_mass_kg: pl.Expr,
    consignor_name: pl.Expr,
    consignor_address: pl.Expr,
    consignee_name: pl.Expr,
    consignee_address: pl.Expr,
) -> pl.Expr:
    """Number of the seven pre-loading elements that are missing: HS code, pieces, mass, names and addresses."""
    absent = (packages, gross_mass_kg, consignor_name, consignor_address, consignee_name, consignee_address)
    return pl.sum_horizontal(hs_digits_least < 6, *(a.is_null() for a in absent)).cast(pl.Float64)


@of_consignment
def missing_contacts(consignor_phone: pl.Expr, consignor_email: pl.Expr) -> pl.Expr:
    """Number of the sender's contacts (telephone, e-mail) that are missing."""
    return pl.sum_horizontal(consignor_phone.is_null(), consignor_email.is_null()).cast(pl.Float64)


@of_consignment
def has_ioss(ioss: pl.Expr) -> pl.Expr:
    """Whether an import one-stop shop number is declared (1) or not (0)."""
    return ioss.is_not_null().cast(pl.Float64)


@of_consignment
def hs_chapter(main_hs6: pl.Expr) -> pl.Expr:
    """HS chapter of the line of the highest value."""
    return main_hs6.str.slice(0, 2)


@of_consignment
def sender_address_digits(consignor_address: pl.Expr) -> pl.Expr:
    """Digits of the sender's address."""
    return consignor_address.str.count_matches(r"\d").cast(pl.Float64)


@of_consignment
def mailbox_name_fit(consignor_email: pl.Expr, consignor_name: pl.Expr) -> pl.Expr:
    """Whether the mailbox holds the first word of the sender's name (1) or not (0)."""
    mailbox = consignor_email.str.to_lowercase().str.split("@").list.first()
    words = consignor_name.str.to_lowercase().str.extract_all(LETTERS)
    word = words.list.eval(pl.element().filter(pl.element().str.len_chars() >= 3)).list.first()
    return mailbox.str.contains(word, literal=True).cast(pl.Float64)
