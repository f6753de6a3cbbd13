"""Pseudonyms, bank accounts, wallets and numbers of services: verified, in one spelling, each in its tier."""

from __future__ import annotations

import io
import zipfile

import pytest

from features.intelligence import Tie, as_ftm, delivery_of, payments_between, read_list, subjects_of
from features.intelligence.bank_accounts import iban
from features.intelligence.statements import Unreadable
from features.intelligence.tags import tag
from features.intelligence.wallets import is_miswritten, wallet
from features.intelligence.web_identities import identities_on, is_rare_pseudonym, platform_named
from features.parties.evidence import level_of, sender_values
from features.parties.graph import Graph
from tests.features.intelligence.lists import entity, json_lines, read, stated, texts

IBAN = "FR7630006000011234567890189"


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa?amount=1", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
         "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"),
        ("0X5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
        ("LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1", "LM2WMpR1Rp6j3Sa59cMXMs1SPzj9eXpGc1"),
        ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"),
        ("44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
         "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A"),
    ],
)  # fmt: skip
def test_a_wallet_has_one_spelling_and_its_check_digits_are_verified(written: str, spelled: str) -> None:
    assert wallet(written) == spelled
    other = spelled.replace("5", "6", 1) if "5" in spelled else spelled.replace("4", "5", 1)
    if spelled.startswith("0x"):
        other = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee"
    assert wallet(other) is None
    assert is_miswritten(other)


def test_what_fails_its_check_is_left_out_and_counted() -> None:
    content = b"name,wallet,iban\nA,1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb,FR7630006000011234567890188\n"
    listed = read(content)
    assert set(listed.statements["property"]) == {"name"}
    assert {kind for kind, _ in listed.left_out} == {"wallet", "iban"}
    assert texts(b"name,wallet\nA,addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3\n", "wallet"), (
        "a chain not known"
    )


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("fr76 3000 6000 0112 3456 7890 189", IBAN), (f"IBAN {IBAN}", IBAN), (IBAN[:-1] + "8", None),
        ("GB82 WEST 1234 5698 7654 32", "GB82WEST12345698765432"), ("13800138000", None),
    ],
)  # fmt: skip
def test_an_iban_has_one_spelling(written: str, spelled: str | None) -> None:
    assert iban(written) == spelled


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("UA-4711001-2", "UA-4711001"), ("ua-4711001-1", "UA-4711001"), ("UA-12345678-1", None),
        ("G-XXXXXXXXXX", None), ("g-abcdef1234", "G-ABCDEF1234"), ("pub-4711001200300400", "ca-pub-4711001200300400"),
        ("Facebook Pixel: 4711001200300", "4711001200300"), ("n/a", None),
    ],
)  # fmt: skip
def test_a_number_of_a_service_has_one_spelling(written: str, spelled: str | None) -> None:
    assert tag(written) == spelled


@pytest.mark.parametrize(
    ("word", "pseudonym", "expected"),
    [
        ("Insta", "@zorglub.bags", {("url", "https://www.instagram.com/zorglub.bags"), ("pseudonym", "zorglubbags")}),
        ("eBay.fr", "kicks88", {("url", "https://www.ebay.com/usr/kicks88")}),
        ("Vinted", "zorglub75",
         {("account", "vinted zorglub75"), ("account", "zorglub75"), ("pseudonym", "zorglub75")}),
        ("WhatsApp", "+33 6 12 34 56 78", {("phone", "+33612345678")}),
        ("微信", "kicks88", {("account", "wechat kicks88")}), ("Leboncoin", "Marie D.", {("name", "Marie D.")}),
        ("facebook", "unknown", set()),
    ],
)  # fmt: skip
def test_a_pseudonym_is_compared_by_what_it_is_on_its_platform(
    word: str, pseudonym: str, expected: set[tuple[str, str]]
) -> None:
    platform = platform_named(word)
    assert platform is not None
    assert set(identities_on(platform, pseudonym)) == expected


@pytest.mark.parametrize("common", ["kicks88", "marie59100", "sneaker_shop", "luxe.paris75", "nike_outlet", "Marie D."])
def test_a_pseudonym_that_anybody_may_choose_ties_no_two_platforms(common: str) -> None:
    assert not is_rare_pseudonym(common)
    for one, other in (("eBay", "Vinted"), ("Leboncoin", "Facebook"), ("Instagram", "Leboncoin")):
        contents = (f"name,platform,pseudonym\n{who},{where},{common}\n" for who, where in (("A", one), ("B", other)))
        assert not tied(*contents)


def tied(*contents: str) -> bool:
    """Whether the first subjects of lists are in one network."""
    graph, cards = Graph(), []
    for number, content in enumerate(contents):
        row = subjects_of(f"list {number}", read_list(content.encode(), "tests").statements).row(0, named=True)
        graph.add(row["entity"], row["values"], number, listed=True)
        cards.append(row["entity"])
    return len({graph.network_of[card] for card in cards}) == 1


def test_a_rare_pseudonym_and_an_iban_tie_dossiers_and_no_parcel() -> None:
    for column, text in (("snapchat", "zorglubkix"), ("iban", IBAN)):
        assert tied(f"name,{column}\nA,{text}\n", f"nom,{column.replace('snapchat', 'tiktok')}\nB,{text}\n")
        values = subjects_of("l", read(f"name,{column}\nA,{text}\n".encode()).statements)["values"][0]
        parcel = sender_values(None, text, None, None, None, None, None, None, None, None)
        assert not {value for value in values if level_of(value) in {level_of(v) for v in parcel}} & set(parcel)


FREE = """Je signale le compte Snapchat zorglub_75, qui vend des copies. Son WhatsApp : +33 6 12 34 56 78.
Mon adresse mail est victime@fournisseur.example, mon numéro de téléphone est le 06 98 76 54 32.
J'ai payé sur FR76 3000 6000 0112 3456 7890 189.
Le site est http://zorglub-bags.shop/promo, le vrai site https://www.maisonbag.com
Il répond aussi au tél. 07 61 22 33 44."""


def test_what_a_report_says_of_the_seller_is_taken_and_the_authors_own_is_not() -> None:
    listed = read(FREE.encode())
    assert set(listed.statements.select("property", "text").rows()) == {
        ("url", "https://www.snapchat.com/add/zorglub_75"), ("pseudonym", "zorglub75"), ("phone", "+33 6 12 34 56 78"),
        ("iban", IBAN), ("url", "http://zorglub-bags.shop/promo"), ("phone", "+33761223344"),
    }  # fmt: skip
    assert listed.format == "text"
    assert {kind for kind, _ in listed.left_out} == {"email", "phone", "url"}


def test_an_export_of_number_date_and_words_is_one_subject_a_line() -> None:
    table = 'n° signalement;date;contenu\n17;2026-10-01;"pseudo zorglub75 sur Vinted"\n18;2026-10-02;"rien"\n'
    assert set(stated(table.encode())) == {"17"}


def test_a_text_that_names_several_shops_ties_none_of_them() -> None:
    listed = read(b"Two shops sell copies to us all, http://one-copy.shop and http://other-copy.shop were seen today.")
    assert listed.statements["subject_id"].n_unique() == 2


MAPPING = """platform = "Snapchat"
[holder]
file = "account*.csv"
columns = { account = "Username", email = "Email", phone = "Phone" }
[logins]
file = "ip*.csv"
columns = { account = "Username", ip = "IP" }
[transactions]
file = "pay*.csv"
columns = { account = "User", counterparty = "To", iban = "To IBAN" }
outgoing = { column = "Way", words = ["out"] }
"""


def packed(**tables: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in tables.items():
            archive.writestr(f"{name}.csv", text)
    return written.getvalue()


def test_what_a_platform_delivers_is_read_by_a_mapping() -> None:
    content = packed(
        account_1="Username,Email,Phone\nzorglub_75,z@x.example,+33612345678\n",
        ip_1="Username,IP\nzorglub_75,5.6.7.8\n",
        pay_1=f"User,To,To IBAN,Way\nzorglub_75,Imprimerie Lu,{IBAN},out\nzorglub_75,Anne Buyer,,in\n",
    )  # fmt: skip
    listed = read_list(content, "tests", delivery_of(MAPPING))
    assert set(listed.statements["subject_id"]) == {"snapchat zorglub_75"}
    assert {("ip", "5.6.7.8"), ("counterparty", "Imprimerie Lu"), ("email", "z@x.example")} <= set(
        listed.statements.select("property", "text").rows()
    )
    assert "Anne Buyer" not in listed.statements["text"].to_list(), "who pays may be a buyer"


@pytest.mark.parametrize(
    "wrong", ["x = [", "[holder]\n", 'platform = "nowhere"', 'platform = "eBay"\n[holder]\ncolumns = {}']
)
def test_a_mapping_that_is_wrong_names_section_and_key(wrong: str) -> None:
    with pytest.raises(Unreadable):
        delivery_of(wrong)


def test_payments_are_ties_for_which_neither_answers_and_survive_writing() -> None:
    one = entity("p1", name="Seller")
    other = [
        entity("p2", name="Printer"),
        entity("b2", "BankAccount", iban=IBAN),
        entity("o", "Ownership", owner="p2", asset="b2"),
    ]
    account = entity("b3", "BankAccount", iban=IBAN)
    payment = entity("pay", "Payment", payer="p1", beneficiaryAccount="b3")
    statements = read(json_lines(one, *other, account, payment)).statements
    assert payments_between(statements) == [Tie("p1", "p2", "a payment into an account of the other", conclusive=False)]
    again = read("\n".join(as_ftm(statements)).encode()).statements
    assert set(again.select("subject_id", "property", "text").rows()) == set(
        statements.select("subject_id", "property", "text").rows()
    )
