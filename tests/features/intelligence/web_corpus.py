"""A generated corpus: pages and dossiers of owners under many identities, and honest shops beside them.

Owners show what is theirs in other words each time; honest shops share platforms, themes, codes, hosts, couriers and
common pseudonyms with them and with one another.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from Crypto.Hash import keccak

from features.intelligence.wallets import BASE58
from tests.features.intelligence.lists import bundle, entity, json_lines, page, relation

OWNERS, DOCUMENTS, HONEST = 40, 140, 60
THEMES = ("GTM-DAWN77", "UA-771200-1", "G-THEME8DAWN", "1772203344556677")
BUILDERS = ("support@shopbuilder.example", "+33 1 70 61 99 99", "https://www.facebook.com/shopbuilder.pro77")
COMMON = ("kicks_shop", "sneakers75", "luxe.paris", "marie59", "best_bags", "montres_pro")
Known = dict[str, str]


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes of a page or dossier, and who is behind it; honest shops are each their own owner."""

    content: bytes
    owner: str


def corpus(seed: int) -> list[Document]:
    """Return the documents in a mixed order."""
    rng = random.Random(seed)
    owners = [_identity(rng) for _ in range(OWNERS)]
    shares = [*range(OWNERS)] + [rng.randrange(OWNERS) for _ in range(DOCUMENTS - OWNERS)]
    documents = [Document(_shown(rng, owners[owner], number), f"owner {owner}") for number, owner in enumerate(shares)]
    documents += [Document(_honest(rng, number), f"honest {number}") for number in range(HONEST)]
    rng.shuffle(documents)
    return documents


def _word(rng: random.Random, letters: int) -> str:
    return "".join(rng.choice("bcdfgklmnprstvz" if place % 2 else "aeiouy") for place in range(letters))


def _identity(rng: random.Random) -> Known:
    """Draw what is one owner's: nothing of it is anybody else's."""
    name = _word(rng, 8)
    return {
        "email": f"{_word(rng, 7)}{rng.randrange(10, 99)}@proton.example",
        "phone": f"+336{rng.randrange(10**8):08d}",
        "whatsapp": f"+447{rng.choice((4, 5, 7, 8, 9))}{rng.randrange(10**8):08d}",
        "pseudonym": f"{name}{rng.randrange(100, 999)}",
        "telegram": f"{_word(rng, 8)}_{rng.randrange(10, 99)}",
        "iban": iban(rng),
        "bitcoin": bitcoin(rng),
        "ether": f"0x{rng.randrange(16**40):040x}",
        "tag": f"G-{''.join(rng.choice('ABCDEFGHJKLMNPQRSTUVWXYZ23456789') for _ in range(10))}",
        "universal": f"UA-{rng.randrange(10**7, 9 * 10**7)}",
        "wechat": f"wx{_word(rng, 6)}{rng.randrange(10, 99)}",
    }


def iban(rng: random.Random) -> str:
    """Draw a French IBAN with valid check digits."""
    account = f"{rng.randrange(10**10):010d}{rng.randrange(10**11):011d}"
    key = 97 - (89 * int(account[:5]) + 15 * int(account[5:10]) + 3 * int(account[10:])) % 97
    rest = f"{account}{key:02d}"
    return f"FR{98 - int(rest + '152700') % 97:02d}{rest}"


def bitcoin(rng: random.Random) -> str:
    """Draw a Bitcoin address with valid check digits."""
    raw = b"\x05" + rng.randbytes(20)
    number = int.from_bytes(raw + hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4], "big")
    signs = ""
    while number:
        number, sign = divmod(number, 58)
        signs = BASE58[sign] + signs
    return signs


def _capitals(wallet: str) -> str:
    """Return an Ether address with its check digits (EIP 55)."""
    checks = keccak.new(digest_bits=256, data=wallet[2:].encode()).hexdigest()
    return "0x" + "".join(s.upper() if int(c, 16) >= 8 else s for s, c in zip(wallet[2:], checks, strict=False))


def _shown(rng: random.Random, known: Known, number: int) -> bytes:
    """Write a document that shows some of an owner's identities; a few show nothing that another has."""
    kinds = [kind for kind in known if kind not in ("pseudonym",)]
    chosen = {kind: known[kind] for kind in rng.sample(kinds, rng.choice((4, 5, 6)))} | {
        "pseudonym": known["pseudonym"]
    }
    if rng.random() < 0.2:
        chosen.pop("pseudonym")
    if rng.random() < 0.02:
        chosen = {"email": f"{_word(rng, 9)}@mail.example"}
    return rng.choice(WRITERS)(rng, chosen, number)


def _page(rng: random.Random, shown: Known, number: int) -> bytes:
    words: dict[str, Callable[[str], str]] = {
        "email": lambda t: rng.choice((f"<a href='mailto:{t}'>write</a>", t.replace("@", " [at] "), f"<p>{t}</p>")),
        "phone": lambda t: rng.choice(
            (f"<p>Tél. 0{t[3]} {t[4:6]} {t[6:8]} {t[8:10]} {t[10:]}</p>", f"<a href='tel:{t}'>c</a>")
        ),
        "whatsapp": lambda t: f"<a href='https://wa.me/{t[1:]}'>chat</a>",
        "pseudonym": lambda t: f"<a href='https://www.instagram.com/{t}/'>insta</a>",
        "telegram": lambda t: rng.choice((f"<p>Telegram: @{t}</p>", f"<a href='https://t.me/{t}'>t</a>")),
        "iban": lambda t: f"<p>IBAN {' '.join(t[at : at + 4] for at in range(0, len(t), 4))}</p>",
        "bitcoin": lambda t: f"<p>BTC {t}</p>",
        "ether": lambda t: f"<p>{_capitals(t)}</p>",
        "tag": lambda t: f"<script>gtag('config', '{t}')</script>",
        "universal": lambda t: f"<script>ga('create', '{t}-{rng.randrange(1, 5)}')</script>",
        "wechat": lambda t: f"<p>WeChat: {t}</p>",
    }
    body = "".join(words[kind](text) for kind, text in shown.items()) + _common_parts(rng)
    return page(body, url=f"https://shop{number}-{_word(rng, 5)}.fr/", lang="fr")


def _common_parts(rng: random.Random) -> str:
    """Return what honest and other shops show alike."""
    theme = rng.choice(THEMES[:3])
    return (
        f"<script>load('{theme}'); fbq('init', '{THEMES[3]}')</script><p>EAN: 4006381333931</p>"
        f"<p>IBAN DE89 3704 0044 0532 0130 00</p><footer>{BUILDERS[0]} Tél. {BUILDERS[1]}</footer>"
        "<a href='https://www.facebook.com/sharer.php?u=x'>share</a>"
    )


def _ftm(rng: random.Random, shown: Known, number: int) -> bytes:
    party = entity(f"p{number}", name=f"{_word(rng, 6)} {_word(rng, 7)}".title(), country="fr")
    rows = [party]
    for kind, text in shown.items():
        place = f"{kind}{number}"
        if kind in ("email", "phone"):
            party["properties"][kind] = [text]
        elif kind == "iban":
            rows += [
                entity(place, "BankAccount", iban=text),
                entity(f"o{place}", "Ownership", owner=f"p{number}", asset=place),
            ]
        elif kind in ("bitcoin", "ether"):
            rows.append(
                entity(
                    place,
                    "CryptoWallet",
                    publicKey=text.upper().replace("0X", "0x") if kind == "ether" else text,
                    holder=f"p{number}",
                )
            )
        elif kind in ("tag", "universal"):
            rows.append(entity(place, "UserAccount", username=text, service="payment or analytics", owner=f"p{number}"))
        else:
            service = {
                "pseudonym": rng.choice(("eBay", "Vinted", "Snapchat", "Facebook")),
                "telegram": "Telegram",
                "wechat": "WeChat",
                "whatsapp": "WhatsApp",
            }[kind]
            rows.append(entity(place, "UserAccount", username=text, service=service, owner=f"p{number}"))
    return json_lines(*rows)


def _stix(rng: random.Random, shown: Known, number: int) -> bytes:
    actor = {"type": "threat-actor", "id": f"threat-actor--{number}", "name": f"Ring {_word(rng, 6)}"}
    types = {
        "email": "email-addr",
        "phone": "phone-number",
        "whatsapp": "phone-number",
        "bitcoin": "cryptocurrency-wallet",
        "ether": "cryptocurrency-wallet",
    }
    items = []
    for kind, text in shown.items():
        item_id = f"x--{kind}{number}"
        if kind in types:
            items.append({"type": types[kind], "id": item_id, "value": _capitals(text) if kind == "ether" else text})
        elif kind == "iban":
            items.append({"type": "bank-account", "id": item_id, "iban": text})
        elif kind in ("pseudonym", "telegram", "wechat"):
            service = {"pseudonym": rng.choice(("tiktok", "ebay")), "telegram": "telegram", "wechat": "wechat"}[kind]
            items.append({"type": "user-account", "id": item_id, "account_login": text, "account_type": service})
    return bundle(actor, *items, *(relation("uses", str(actor["id"]), str(item["id"])) for item in items))


def _misp(rng: random.Random, shown: Known, number: int) -> bytes:
    flat = {"email": "email", "phone": "phone-number", "whatsapp": "phone-number", "iban": "iban", "bitcoin": "btc"}
    person = [
        {"type": flat[kind], "object_relation": kind, "value": text, "uuid": f"{kind}{number}", "to_ids": True}
        for kind, text in shown.items()
        if kind in flat
    ]
    objects = [{"name": "person", "uuid": f"person{number}", "Attribute": person, "ObjectReference": []}]
    for kind, name in (
        ("pseudonym", rng.choice(("facebook-account", "snapchat-account"))),
        ("telegram", "telegram-account"),
    ):
        if kind in shown:
            account = {"type": "text", "object_relation": "username", "value": shown[kind], "uuid": f"a{kind}{number}"}
            objects.append(
                {"name": name, "uuid": f"{kind}-object{number}", "Attribute": [account], "ObjectReference": []}
            )
            reference = {"referenced_uuid": f"{kind}-object{number}", "relationship_type": "uses"}
            objects[0]["ObjectReference"].append(reference)  # type: ignore[attr-defined]
    return json.dumps({"Event": {"info": "case", "Object": objects}}).encode()


def _table(rng: random.Random, shown: Known, number: int) -> bytes:
    names = {
        "email": "courriel",
        "phone": "téléphone",
        "whatsapp": "whatsapp",
        "pseudonym": rng.choice(("pseudo snapchat", "vinted", "instagram")),
        "telegram": "telegram",
        "iban": "IBAN",
        "bitcoin": "wallet",
        "ether": "wallet 2",
        "tag": "analytics id",
        "universal": "google analytics",
        "wechat": "wechat",
    }
    cells = {"nom": f"{_word(rng, 5)} {_word(rng, 8)}"} | {names[kind]: text for kind, text in shown.items()}
    return f"{';'.join(cells)}\n{';'.join(cells.values())}\n".encode()


def _report(rng: random.Random, shown: Known, number: int) -> bytes:
    words = {
        "email": "Il répond depuis {}.",
        "phone": "Son numéro de téléphone est le {}.",
        "whatsapp": "On le joint sur WhatsApp : {}.",
        "pseudonym": rng.choice(("Il vend sur Vinted, pseudo {} sur Vinted.", "Voir le compte Snapchat {}.")),
        "telegram": "Son Telegram : @{} est public.",
        "iban": "Le virement part vers {}.",
        "bitcoin": "Il prend aussi les bitcoins, {}.",
        "ether": "Le portefeuille est {}.",
        "tag": "",
        "universal": "",
        "wechat": "WeChat: {}",
    }
    told = " ".join(words[kind].format(text) for kind, text in shown.items() if words[kind])
    author = f"Mon adresse mail est {_word(rng, 7)}@wanadoo.example"
    author += f" et mon téléphone est le 06 {rng.randrange(10, 99)} 11 22 33."
    return f'n° signalement;date;contenu\n{number};2026-10-01;"Des copies sont en vente. {told}\n{author}"\n'.encode()


WRITERS: tuple[Callable[[random.Random, Known, int], bytes], ...] = (_page, _page, _ftm, _stix, _misp, _table, _report)


def _honest(rng: random.Random, number: int) -> bytes:
    """Write an honest shop or seller: its own contacts, and what it shares with all."""
    own = f"{_word(rng, 8)}{number}"
    pseudonym = COMMON[number // 5 % len(COMMON)]
    kind = number % 5
    if kind == 0:  # on each platform a pseudonym is one person's; on Leboncoin it is a name for show
        platform = ("eBay", "Vinted", "Leboncoin")[number // 5 // len(COMMON)]
        account = entity("u", "UserAccount", username=pseudonym, service=platform, owner="p")
        return json_lines(entity("p", name=f"Firme {own}", email=f"contact@{own}.example", country="fr"), account)
    if kind == 1:
        platform = ("instagram", "facebook", "leboncoin")[number // 5 // len(COMMON)]
        cells = f"Boutique {own},hello@{own}.example,{platform},{pseudonym},{iban(rng)}"
        return f"name,email,platform,pseudonym,iban\n{cells}\n".encode()
    profile = f"<a href='https://www.instagram.com/{pseudonym}{number}x/'>insta</a>" if kind == 2 else ""
    brand = "<a href='https://www.solebrand.example/'>official</a><a href='https://www.facebook.com/solebrandparis'>brand</a>"
    body = f"<p>contact@{own}.fr</p><p>IBAN {iban(rng)}</p>{profile}{brand if kind == 3 else ''}{_common_parts(rng)}"
    return page(body, url=f"https://{own}.fr/", lang="fr")
