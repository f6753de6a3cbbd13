"""Innocent senders in groups: strangers who have one thing in common, for which nobody answers for another.

`KINDS` lists the things. A group of a pair shares a value of its own; a group of a crowd shares what many strangers
state, such as the telephone of a forwarder, of which only their number tells.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

Sender = dict[str, str]  # columns of a manifest, and `article`
CROWD = 12  # strangers that state what many do
COUNTRIES = {"CN": "Shenzhen", "GB": "Leeds", "FR": "Lyon", "DE": "Bonn", "TR": "Izmir", "US": "Austin"}
TOWNS = ("Leeds", "Truro", "Derby", "Hull", "York", "Dover", "Ely", "Wells", "Bath", "Luton", "Ripon", "Poole")
HAN_TOWNS = (
    "北京市",
    "广州市",
    "深圳市",
    "杭州市",
    "宁波市",
    "厦门市",
    "成都市",
    "武汉市",
    "青岛市",
    "长沙市",
    "福州市",
    "合肥市",
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that strangers have in common.

    given: what the members of a group state beside what is their own, one for each; drawn anew for each group.
    """

    name: str
    given: Callable[[random.Random], Sequence[Sender]]

    def groups(self, rng: random.Random, pairs: int) -> Iterator[list[Sender]]:
        """Yield groups until they make up so many pairs."""
        while pairs > 0:
            group = [stranger(rng) | given for given in self.given(rng)]
            pairs -= len(list(combinations(group, 2)))
            yield group


def word(rng: random.Random, letters: int) -> str:
    """Return letters that make no word, so that two draws are not alike."""
    return "".join(rng.choice("bcdfghjklmnpqrstvwxz" if place % 2 else "aeiouy") for place in range(letters))


def digits(rng: random.Random, count: int) -> str:
    """Return digits in no order."""
    return "".join(rng.choice("123456789") for _ in range(count))


def stranger(rng: random.Random) -> Sender:
    """Return a sender all of whose identifiers are his own."""
    country = rng.choice(list(COUNTRIES))
    return {
        "consignor_name": f"{word(rng, 8).title()} {word(rng, 9).title()}",
        "consignor_address": f"{rng.randrange(2, 190)} {word(rng, 8).title()} Road",
        "consignor_city": COUNTRIES[country],
        "consignor_postcode": "",
        "consignor_country": country,
        "consignor_phone": f"+8613{digits(rng, 9)}",
        "consignor_email": f"{word(rng, 10)}@{word(rng, 9)}.com",
        "consignor_id": f"CN{digits(rng, 12)}",
        "seller_account": f"{word(rng, 11)}",
        "seller_url": f"https://{word(rng, 12)}.com",
        "article": "",
    }


def one_of(column: str, *values: str, **beside: str) -> Callable[[random.Random], Sequence[Sender]]:
    """Two strangers state the same of these values."""

    def given(rng: random.Random) -> Sequence[Sender]:
        value = rng.choice(values)
        return [{column: value, **beside}] * 2

    return given


def any_of(column: str, *values: str) -> Callable[[random.Random], Sequence[Sender]]:
    """Two strangers state any two of these values."""
    return lambda rng: [{column: rng.choice(values)} for _ in range(2)]


def pages(*patterns: str) -> Callable[[random.Random], Sequence[Sender]]:
    """Two strangers have pages of their own below one host."""

    def given(rng: random.Random) -> Sequence[Sender]:
        pattern = rng.choice(patterns)
        return [{"seller_url": pattern.format(name=word(rng, 9), number=digits(rng, 8))} for _ in range(2)]

    return given


def neighbours(rng: random.Random) -> Sequence[Sender]:
    """Two numeric mailboxes of a provider that differ in their last digits."""
    stem, host = digits(rng, 7), rng.choice(("qq.com", "163.com", "126.com", "139.com", "sina.com"))
    first, second = rng.sample(range(10, 99), 2)
    return [{"consignor_email": f"{stem}{end}@{host}"} for end in (first, second)]


def namesakes_mailboxes(rng: random.Random) -> Sequence[Sender]:
    """Mailboxes of one common name with numbers of their own."""
    name = rng.choice(
        ("wangwei", "john.smith", "maria.garcia", "li.na", "ivan.ivanov", "mohamed.ali", "zhang.wei", "annaschmidt")
    )
    host = rng.choice(("gmail.com", "163.com", "outlook.com", "yahoo.com"))
    first, second = rng.sample(range(100, 999), 2)
    return [{"consignor_email": f"{name}{end}@{host}"} for end in (first, second)]


def street_of_every_town(rng: random.Random) -> Sequence[Sender]:
    """One street and number in two towns."""
    if rng.random() < 0.4:
        address = f"{rng.choice(('人民路', '中山路', '解放路', '建设路'))}{rng.randrange(1, 99)}号"
        return [
            {"consignor_address": address, "consignor_city": town, "consignor_country": "CN"}
            for town in rng.sample(HAN_TOWNS, 2)
        ]
    address = f"{rng.randrange(1, 99)} {rng.choice(('High Street', 'Church Lane', 'Station Road', 'Main Street'))}"
    return [
        {"consignor_address": address, "consignor_city": town, "consignor_country": "GB"}
        for town in rng.sample(TOWNS, 2)
    ]


def street_of_no_town(rng: random.Random) -> Sequence[Sender]:
    """One street and number, and nobody says in which town."""
    street = rng.choice(("High Street", "Rue de la Paix", "Hauptstraße", "Calle Mayor", "Via Roma", "Atatürk Caddesi"))
    address = f"{street} {rng.randrange(1, 99)}"
    return [{"consignor_address": address, "consignor_city": "", "consignor_country": "FR"}] * 2


def one_building(rng: random.Random) -> Sequence[Sender]:
    """Two rooms of a tower, a dormitory, a logistics park or a forwarder's warehouse."""
    kind, street = rng.choice(("Room {}, ", "Dormitory Room {}, ", "Unit {}, ", "Flat {}, ")), word(rng, 9).title()
    number = rng.randrange(1, 99)
    beside = {"consignor_city": "Leeds", "consignor_country": "GB"}
    return [
        {"consignor_address": f"{kind.format(room)}{number} {street} Street", **beside}
        for room in rng.sample(range(1, 900), 2)
    ]


def collection_point(rng: random.Random) -> Sequence[Sender]:
    """One parcel locker, collection point or box."""
    number = rng.randrange(100, 999)
    address = rng.choice(
        (
            f"Packstation {number}",
            f"Relais Colis {number}",
            f"PO Box {number}",
            f"深圳市宝安区菜鸟驿站{number}号",
            f"Paczkomat {number}",
            f"Parcel locker {number}, Mall",
            f"BP {number}",
            f"Poste restante {number}",
            f"c/o Fast Forward, {number} Quay",
            f"InPost Locker {number}",
            f"丰巢快递柜{number}号",
            f"постамат {number}",
        )
    )
    return [{"consignor_address": address, "consignor_city": "Leeds", "consignor_country": "GB"}] * 2


def resellers(rng: random.Random) -> Sequence[Sender]:
    """Two honest resellers of one brand: the same article code."""
    return [{"article": f"{rng.choice(('NK', 'AD', 'PM', 'CW'))}{digits(rng, 4)}"}] * 2


def rare_namesakes(rng: random.Random) -> Sequence[Sender]:
    """Two firms of one rare name in two towns of a country."""
    name = f"{word(rng, 9).title()} {word(rng, 8).title()}"
    return [
        {"consignor_name": name, "consignor_city": town, "consignor_country": "GB"} for town in rng.sample(TOWNS, 2)
    ]


def siblings(rng: random.Random) -> Sequence[Sender]:
    """Two names that one letter tells apart."""
    stem, given = word(rng, 9).title(), word(rng, 7).title()
    return [{"consignor_name": f"{stem}{end} {given}", "consignor_country": "GB"} for end in ("v", "va")]


def crowd(column: str, value: Callable[[random.Random], str]) -> Callable[[random.Random], Sequence[Sender]]:
    """Many strangers state one value that nobody could know for a shared one by its look."""

    def given(rng: random.Random) -> Sequence[Sender]:
        stated = value(rng)
        return [{column: stated}] * CROWD

    return given


KINDS: tuple[Kind, ...] = (
    Kind(
        "telephone that is none",
        any_of(
            "consignor_phone",
            "0000000000",
            "0",
            "000-000-0000",
            "1111111111",
            "123456789",
            "N/A",
            "+86 00000000000",
            "9999999999",
            "unknown",
            "1234567890",
            "无",
            "+33 0 00 00 00 00",
        ),
    ),
    Kind(
        "number that is none",
        any_of(
            "consignor_id",
            "N/A",
            "n/a",
            "0",
            "000000000",
            "TBA",
            "NOT PROVIDED",
            "123456789",
            "none",
            "unbekannt",
            "inconnu",
            "GB000000000",
            "未知",
        ),
    ),
    Kind(
        "account that is none",
        any_of(
            "seller_account", "none", "UNKNOWN", "n/a", "null", "-", "not provided", "test", "guest", "sans objet", "无"
        ),
    ),
    Kind(
        "mailbox that is none",
        any_of(
            "consignor_email",
            "none@none.com",
            "n/a",
            "no@no.com",
            "test@test.com",
            "noreply@noreply.com",
            "noemail@noemail.com",
            "na@na.com",
            "unknown@unknown.com",
            "123@123.com",
            "a@a.com",
        ),
    ),
    Kind(
        "shop that is none",
        any_of("seller_url", "n/a", "none", "http://", "www", "https://example.com", "test.com", "无"),
    ),
    Kind(
        "mailbox of a carrier",
        one_of(
            "consignor_email",
            "noreply@dhl.com",
            "customerservice@fedex.com",
            "support@ups.com",
            "service@ems.com.cn",
            "info@dhl.com",
            "no-reply@aliexpress.com",
        ),
    ),
    Kind(
        "marketplace",
        pages(
            "https://www.amazon.de/sp?seller=A{name}",
            "https://www.aliexpress.com/store/{number}",
            "https://www.ebay.com/usr/{name}",
            "https://www.etsy.com/shop/{name}",
            "https://www.wish.com/merchant/{name}",
            "https://shopee.sg/{name}",
            "https://www.temu.com/mall.html?mall_id={number}",
            "https://{name}.myshopify.com",
            "https://www.vinted.fr/member/{number}-{name}",
            "https://www.alibaba.com/company/{name}.html",
        ),
    ),
    Kind(
        "social network",
        pages(
            "https://www.facebook.com/{name}",
            "https://instagram.com/{name}",
            "https://t.me/{name}",
            "https://wa.me/8613{number}1",
            "https://www.tiktok.com/@{name}",
            "https://vk.com/{name}",
            "https://weibo.com/u/{number}",
            "https://linktr.ee/{name}",
        ),
    ),
    Kind(
        "link shortener",
        pages("https://bit.ly/{name}", "https://tinyurl.com/{name}", "https://t.co/{name}", "https://is.gd/{name}"),
    ),
    Kind(
        "shop builder",
        pages(
            "https://{name}.wixsite.com/shop",
            "https://{name}.wordpress.com",
            "https://{name}.blogspot.com",
            "https://sites.google.com/view/{name}",
            "https://{name}.weebly.com",
        ),
    ),
    Kind("numeric mailbox", neighbours),
    Kind("mailbox of a common name", namesakes_mailboxes),
    Kind("street of every town", street_of_every_town),
    Kind("street of no town", street_of_no_town),
    Kind("building", one_building),
    Kind("collection point", collection_point),
    Kind(
        "address that is none",
        any_of(
            "consignor_address",
            "same as above",
            "see invoice",
            "N/A",
            "同上",
            "General Delivery",
            "unknown",
            "as per invoice",
            "Shenzhen",
            "Guangdong",
            "China",
            "idem",
            "siehe Rechnung",
        ),
    ),
    Kind(
        "common name",
        one_of(
            "consignor_name",
            "Wang Wei",
            "王伟",
            "Nguyễn Văn Anh",
            "Иван Иванов",
            "محمد علي",
            "김민수",
            "José García",
            "John Smith",
            "佐藤 健",
            "משה כהן",
            "สมชาย ใจดี",
            "Γιώργος Παπαδόπουλος",
            "Anna Müller",
            consignor_country="CN",
        ),
    ),
    Kind(
        "common name without a number",
        one_of(
            "consignor_name",
            "Wang Wei",
            "王伟",
            "John Smith",
            "Иван Иванов",
            "José García",
            "محمد علي",
            "Li Na",
            "Anna Müller",
            consignor_country="CN",
            consignor_id="",
        ),
    ),
    Kind(
        "name that only sounds alike",
        any_of("consignor_name", "王伟", "Wang Wei", "汪伟", "WANG, WEI", "Wei Wang Ltd", "王维 Trading"),
    ),
    Kind("rare name in two towns", rare_namesakes),
    Kind("names of siblings", siblings),
    Kind("brand", resellers),
    Kind("telephone of a forwarder", crowd("consignor_phone", lambda rng: f"+8613{digits(rng, 9)}")),
    Kind("shared computer", crowd("consignor_email", lambda rng: f"{word(rng, 12)}@{word(rng, 10)}.com")),
    Kind("agency's web site", crowd("seller_url", lambda rng: f"https://{word(rng, 13)}.com")),
    Kind("number of a fiscal representative", crowd("consignor_id", lambda rng: f"CN{digits(rng, 12)}")),
    Kind("account of an agency", crowd("seller_account", lambda rng: word(rng, 12))),
)
