"""Features of what a sender states of himself: whether it can be, each with a reason that can be said to his face.

One is no proof: honest senders err, move, and write as they can. Several together are rare among them.
"""

from __future__ import annotations

from features.algebra import Numbers, Text, count, most, numbers_of
from features.definition import of_consignment
from features.plausibility.place import (
    house_beyond,
    mailbox_elsewhere,
    place_elsewhere,
    postcode_unfit,
    script_elsewhere,
    telephone_elsewhere,
)
from features.plausibility.words import name_oddity, oddity


@of_consignment
def sender_name_odd(consignor_name: Text) -> Numbers:
    """Whether the sender's name cannot be one (1), hardly can (0.5) or can (0): keys in a row, a figure of tales."""
    return consignor_name.number(name_oddity)


@of_consignment
def sender_address_odd(consignor_address: Text) -> Numbers:
    """Whether the sender's street cannot be one (1), hardly can (0.5) or can (0): keys in a row, a filler."""
    return consignor_address.number(oddity)


@of_consignment
def sender_place_elsewhere(consignor_city: Text, consignor_country: Text) -> Numbers:
    """Whether the sender's town is known in other countries alone (1) or in its own (0); unknown for small ones."""
    return numbers_of(place_elsewhere, consignor_city, consignor_country)


@of_consignment
def sender_postcode_unfit(consignor_postcode: Text, consignor_country: Text) -> Numbers:
    """Whether the sender's postcode has not the form of those of its country (1) or has it (0)."""
    return numbers_of(postcode_unfit, consignor_postcode, consignor_country)


@of_consignment
def sender_phone_elsewhere(consignor_phone: Text, consignor_country: Text) -> Numbers:
    """Whether the sender's telephone is one of its country (0), of another (0.5), or none that any plan knows (1)."""
    return numbers_of(telephone_elsewhere, consignor_phone, consignor_country)


@of_consignment
def sender_script_elsewhere(consignor_name: Text, consignor_address: Text, consignor_country: Text) -> Numbers:
    """Whether name or street are in letters that the stated country does not write (1) or not (0)."""
    names = numbers_of(script_elsewhere, consignor_name, consignor_country)
    return most([names, numbers_of(script_elsewhere, consignor_address, consignor_country)])


@of_consignment
def sender_house_beyond(consignor_address: Text, consignor_country: Text) -> Numbers:
    """Whether the largest number in the sender's address is beyond any house of its country (1) or not (0)."""
    return numbers_of(house_beyond, consignor_address, consignor_country)


@of_consignment
def sender_mailbox_elsewhere(consignor_email: Text, consignor_country: Text) -> Numbers:
    """Whether the sender's mailbox is under another country's domain (1) or not (0)."""
    return numbers_of(mailbox_elsewhere, consignor_email, consignor_country)


@of_consignment
def sender_oddities(
    sender_name_odd: Numbers,
    sender_address_odd: Numbers,
    sender_place_elsewhere: Numbers,
    sender_postcode_unfit: Numbers,
    sender_phone_elsewhere: Numbers,
    sender_script_elsewhere: Numbers,
    sender_house_beyond: Numbers,
    sender_mailbox_elsewhere: Numbers,
) -> Numbers:
    """How many of the sender's name, street, town, postcode, telephone, letters, house and mailbox cannot be."""
    stated = (
        sender_name_odd, sender_address_odd, sender_place_elsewhere, sender_postcode_unfit, sender_phone_elsewhere,
        sender_script_elsewhere, sender_house_beyond, sender_mailbox_elsewhere,
    )  # fmt: skip
    return count([part > 0 for part in stated]) - 0.5 * count([part == 0.5 for part in stated])
