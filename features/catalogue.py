"""The ordered list of model inputs: an auditor reads it line by line, a data scientist adds one line."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from features import (
    comparable,
    consignment,
    declared,
    facts,
    goods,
    identifiers,
    money,
    norms,
    product_codes,
    rates,
    route,
    shipper,
    windows,
    wording,
)
from features.definition import DEFINITIONS, needed, plain_code
from features.messages.mapping import Extra
from features.parties import evidence, graph, linking
from features.windows import Since, reading_of

InputKind = Literal["number", "category"]
# importing them is what declares their features
DECLARING = (declared, goods, identifiers, product_codes, route, shipper)
# their code is part of what every input means
MEANINGFUL = (
    comparable,
    consignment,
    evidence,
    facts,
    graph,
    linking,
    money,
    norms,
    product_codes,
    rates,
    windows,
    wording,
)
LANGUAGES = ("en", "fr", "zh")
FLAG = "yes/no"  # units that are shown in words: 1 as yes, 0 as no
SHARE = "%"  # and shares of one as per cent


@dataclass(frozen=True, slots=True)
class Input:
    """One model input: the column's name, its type, its unit, and what a reason calls it in each language."""

    name: str
    kind: InputKind
    words: dict[str, str] = field(hash=False)
    unit: str = ""

    @property
    def meaning(self) -> str:
        """What an analyst reads about it: the docstring of its definition, or the words of its reading."""
        definition = DEFINITIONS.get(self.name)
        return definition.meaning if definition else f"{self.words['en']}."


def number(name: str, en: str, fr: str, zh: str, unit: str = "") -> Input:
    """A numeric input."""
    return Input(name, "number", {"en": en, "fr": fr, "zh": zh}, unit)


def category(name: str, en: str, fr: str, zh: str) -> Input:
    """An input of unordered levels."""
    return Input(name, "category", {"en": en, "fr": fr, "zh": zh})


# fmt: off
WHO = {
    "consignor": ("the sender", "l'expéditeur", "寄件人"),
    "consignee": ("the addressee", "le destinataire", "收件人"),
    "pair": ("this sender to this addressee", "cet expéditeur vers ce destinataire", "该寄件人至该收件人"),
    "name": ("the sender's name", "le nom de l'expéditeur", "寄件人名称"),
    "phone": ("the sender's telephone", "le téléphone de l'expéditeur", "寄件人电话"),
    "mailbox": ("the sender's mailbox", "la boîte aux lettres électronique de l'expéditeur", "寄件人邮箱"),
    "account": ("the seller account", "le compte vendeur", "卖家账号"),
    "shop": ("the web shop", "la boutique en ligne", "网店"),
    "address": ("the sender's address", "l'adresse de l'expéditeur", "寄件地址"),
    "article": ("the article code", "le code article", "货号"),
    "serial": ("the same serial number", "le même numéro de série", "同一序列号"),
    "gtin": ("the same article number", "le même numéro d'article", "同一商品条码"),
    "wording": ("this sender's wording", "cette désignation de l'expéditeur", "该寄件人的品名"),
    "way": ("this sender on this route", "cet expéditeur sur cet itinéraire", "该寄件人于该路线"),
    "operator": ("the operator", "l'opérateur", "承运人"),
    "office": ("the office", "le bureau", "海关"),
    "card": ("the sender at this address", "l'expéditeur à cette adresse", "该地址的寄件人"),
    "network": ("the network", "le réseau", "团伙"),
    "route": ("the route", "l'itinéraire", "运输路线"),
    "goods": ("the same goods and origin", "les mêmes marchandises et origine", "同类货物及原产地"),
}
WHAT = {
    "consignments": ("Consignments", "Envois", "货件数"),
    "lodged": ("Declarations and amendments", "Déclarations et modifications", "申报及更改次数"),
    "lines": ("Goods lines", "Lignes d'articles", "货物行数"),
    "value": ("Declared value in cents", "Valeur déclarée en centimes", "申报价值（分）"),
    "mass": ("Gross mass in grams", "Masse brute en grammes", "毛重（克）"),
    "pieces": ("Pieces", "Pièces", "件数"),
    "new_consignee": ("New addressees", "Nouveaux destinataires", "新收件人数"),
    "new_wording": ("New descriptions", "Nouvelles désignations", "新品名数"),
    "new_route": ("New routes", "Nouveaux itinéraires", "新路线数"),
    "inspected": ("Inspections", "Contrôles", "查验次数"),
    "hits": ("Non-compliant findings", "Constats non conformes", "查获次数"),
    "hits_counterfeit": ("Counterfeits found", "Contrefaçons constatées", "查获假冒次数"),
    "hits_undervalued": ("Undervaluations found", "Sous-évaluations constatées", "查获低报次数"),
    "hits_misdeclared": ("Misdeclarations found", "Fausses déclarations constatées", "查获伪报次数"),
    "hits_prohibited": ("Prohibited goods found", "Marchandises prohibées constatées", "查获禁限次数"),
    "registered": ("Entries of right holders", "Inscriptions de titulaires de droits", "权利人登记数"),
    "hits_grave": ("Dangerous or criminal findings", "Constats dangereux ou criminels", "危险或涉罪查获次数"),
    "hits_dangerous": ("Dangerous goods found", "Marchandises dangereuses constatées", "查获危险品次数"),
    "not_presented": ("Consignments not presented", "Envois non présentés", "未到验次数"),
}


def history(*names: str) -> tuple[Input, ...]:
    """Inputs read straight from history; their words are made of who and what."""
    return tuple(_reading(name) for name in names)


def _reading(name: str) -> Input:
    reading = reading_of(name)
    if reading is None:
        raise TypeError(f"{name}: not a reading of history; <key>_<fact>_<span>d is")
    en, fr, zh = WHO[reading.key]
    if isinstance(reading, Since):
        edge = {"first": ("first", "premier", "首次"), "last": ("last", "dernier", "最近一次")}[reading.edge]
        return number(name, f"Days since {en} was {edge[0]} seen", f"Jours depuis le {edge[1]} fait : {fr}",
                      f"{zh}距{edge[2]}出现天数", "d")
    what = WHAT[reading.fact]
    span = ("so far", "à ce jour", "至今") if reading.days is None else (
        f"in {reading.days} days", f"en {reading.days} jours", f"{reading.days}天内")
    return number(name, f"{what[0]}, {en}, {span[0]}", f"{what[1]}, {fr}, {span[1]}", f"{zh}{span[2]}{what[2]}")


INPUTS: tuple[Input, ...] = (
    # the declaration against itself and against what is usual
    number("value_eur", "Declared value", "Valeur déclarée", "申报价值", "€"),
    number("gross_mass_kg", "Gross mass", "Masse brute", "毛重", "kg"),
    number("pieces", "Pieces", "Nombre de pièces", "件数"),
    number("lines", "Goods lines", "Lignes d'articles", "货物行数"),
    number("value_per_kg", "Value per kilogram", "Valeur au kilogramme", "每公斤价值", "€/kg"),
    number("value_per_piece", "Value per piece", "Valeur par pièce", "每件价值", "€"),
    number("mass_per_piece", "Mass per piece", "Masse par pièce", "每件重量", "kg"),
    number("net_to_gross", "Net mass to gross mass", "Masse nette sur masse brute", "净重与毛重之比"),
    number("value_per_kg_deviation", "Value per kilogram against the norm for these goods",
           "Valeur au kilogramme par rapport à la norme de ces marchandises", "每公斤价值偏离同类货物常值", "σ"),
    number("value_per_piece_deviation", "Value per piece against the norm for these goods",
           "Valeur par pièce par rapport à la norme de ces marchandises", "每件价值偏离同类货物常值", "σ"),
    number("norm_lines", "Earlier lines of the same goods", "Lignes antérieures de mêmes marchandises", "同类货物既往行数"),
    number("short_of_low_value", "Just under the low-value limit", "Juste sous le seuil de faible valeur", "略低于低值限额", "€"),
    number("short_of_gift_relief", "Just under the gift relief", "Juste sous la franchise des cadeaux", "略低于礼品免税额", "€"),
    number("value_is_round", "Round value", "Valeur ronde", "价值为整数", FLAG),
    number("gift_pieces", "Pieces in a gift or sample", "Pièces d'un cadeau ou échantillon", "礼品或样品件数"),
    number("gift_from_shop", "A gift from a shop", "Cadeau envoyé par une boutique", "店铺寄出的“礼品”", FLAG),
    number("postage_to_value", "Postage to declared value", "Port rapporté à la valeur", "邮资与价值之比"),
    number("missing_elements", "Missing pre-loading elements", "Éléments préalables manquants", "缺失的装载前申报项"),
    number("missing_contacts", "Missing contacts of the sender", "Contacts manquants de l'expéditeur", "寄件人缺失的联系方式"),
    number("has_ioss", "IOSS number declared", "Numéro IOSS déclaré", "申报了IOSS号", FLAG),
    number("lines_without_value", "Lines without a value", "Lignes sans valeur", "无价值的货物行占比", SHARE),
    number("hs_digits_least", "Digits of the HS code", "Chiffres du code SH", "HS编码位数"),
    number("hs_chapters", "Different HS chapters", "Chapitres SH différents", "不同HS章数"),
    number("product_codes_share", "Lines with a product code", "Lignes avec code produit", "带产品编码的行占比", SHARE),
    number("serial_unregistered", "Serial number that the right holder does not know",
           "Numéro de série inconnu du titulaire du droit", "权利人未登记的序列号", FLAG),
    number("serial_elsewhere", "Earlier consignments with the same serial number",
           "Envois antérieurs portant le même numéro de série", "此前申报同一序列号的货件数"),
    # the wording
    number("wording_words", "Words of the description", "Mots de la désignation", "品名词数"),
    number("wording_vague_share", "Vague words in the description", "Mots vagues dans la désignation", "品名含糊词占比", SHARE),
    number("wording_digit_share", "Digits in the description", "Chiffres dans la désignation", "品名中数字占比", SHARE),
    number("wording_chinese_share", "Chinese characters in the description", "Caractères chinois dans la désignation",
           "品名中汉字占比", SHARE),
    number("wording_likeness", "Wording like that of non-compliant goods",
           "Désignation semblable à celle de marchandises non conformes", "品名与违规货物相似"),
    # the sender as declared
    number("sender_address_digits", "Digits in the sender's address", "Chiffres dans l'adresse de l'expéditeur",
           "寄件地址中的数字"),
    number("mailbox_name_fit", "The mailbox holds the sender's name", "La boîte aux lettres porte le nom de l'expéditeur",
           "邮箱包含寄件人名称", FLAG),
    # the route
    number("transits", "Countries of transit", "Pays de transit", "中转国数"),
    number("sender_elsewhere", "Sender not in the country of dispatch", "Expéditeur hors du pays d'envoi", "寄件人不在发运国", FLAG),
    number("origin_elsewhere", "Origin not the country of dispatch", "Origine autre que le pays d'envoi", "原产地与发运国不同", FLAG),
    number("origin_missing", "Country of origin missing", "Pays d'origine manquant", "未申报原产国", FLAG),
    number("lodged_hour", "Hour of lodging", "Heure de dépôt", "申报时刻", "h"),
    # the sender's past
    *history("consignor_consignments_1d", "consignor_consignments_7d", "consignor_consignments_90d",
             "consignor_days_since_first", "consignor_days_since_last", "consignor_inspected_ever",
             "consignor_hits_ever", "consignor_hits_30d", "consignor_not_presented_ever"),
    number("consignor_hit_rate", "Hit rate of the sender", "Taux de constats de l'expéditeur", "寄件人查获率", SHARE),
    number("consignor_burst", "Pace of the sender today", "Cadence de l'expéditeur ce jour", "寄件人当日频率"),
    # all by which the sender can be recognised
    number("identifiers_hit_rate", "Highest hit rate among the sender's identifiers",
           "Plus haut taux de constats parmi les identifiants de l'expéditeur", "寄件人各标识最高查获率", SHARE),
    number("identifiers_hits", "Findings with one of the sender's identifiers",
           "Constats liés à un identifiant de l'expéditeur", "寄件人标识关联查获数"),
    number("identifiers_hits_90d", "Findings with one of the sender's identifiers in 90 days",
           "Constats liés à un identifiant de l'expéditeur en 90 jours", "寄件人标识90天内关联查获数"),
    number("identifiers_grave_share", "Dangerous or criminal share of findings with the sender's identifiers",
           "Part dangereuse ou criminelle des constats liés aux identifiants de l'expéditeur",
           "寄件人标识关联查获中危险或涉罪占比", SHARE),
    number("identifiers_age", "Age of the sender's oldest identifier", "Âge du plus ancien identifiant de l'expéditeur",
           "寄件人最早标识的天数", "d"),
    number("identifiers_consignments_7d", "Consignments in 7 days with one of the sender's identifiers",
           "Envois en 7 jours avec un identifiant de l'expéditeur", "寄件人标识7天内货件数"),
    number("identifiers_new", "The sender's identifiers never seen", "Identifiants jamais vus de l'expéditeur", "寄件人未见过的标识数"),
    number("identifiers_shared", "Several names share a contact", "Plusieurs noms partagent un contact", "多个名称共用联系方式"),
    number("sender_house_number", "Largest number in the sender's address", "Plus grand nombre dans l'adresse de l'expéditeur",
           "寄件地址中最大的数字"),
    # who stands behind it, where linking is switched on
    *history("network_consignments_7d", "network_consignments_90d", "network_days_since_first",
             "network_inspected_ever", "network_hits_ever", "network_hits_90d"),
    number("network_hit_rate", "Hit rate of the network", "Taux de constats du réseau", "团伙查获率", SHARE),
    number("network_grave_share", "Dangerous or criminal share of the network's findings",
           "Part dangereuse ou criminelle des constats du réseau", "团伙查获中危险或涉罪占比", SHARE),
    number("network_cards", "Senders linked as one network", "Expéditeurs liés en un réseau", "团伙关联寄件人数"),
    number("network_listed", "Subjects of watch lists in the network", "Sujets de listes de surveillance dans le réseau",
           "团伙中的监控名单对象"),
    number("listed_matches", "Subjects of watch lists that share an identifier or a rare name",
           "Sujets de listes de surveillance partageant un identifiant ou un nom rare", "共享标识或罕见名称的监控名单对象"),
    number("network_reports", "Reports of consumers and platforms on the network",
           "Signalements de consommateurs et de plateformes sur le réseau", "消费者和平台对该团伙的举报"),
    number("report_matches", "Reports of consumers and platforms that share an identifier or a rare name",
           "Signalements partageant un identifiant ou un nom rare", "共享标识或罕见名称的消费者及平台举报"),
    number("network_cards_7d", "Senders of the network first seen in 7 days",
           "Expéditeurs du réseau apparus en 7 jours", "团伙7天内新增寄件人数"),
    number("lookalikes_7d", "New senders of 7 days that resemble this one",
           "Nouveaux expéditeurs de 7 jours ressemblant à celui-ci", "7天内相似新寄件人数"),
    number("cards_in_building", "Senders in one building", "Expéditeurs dans un même bâtiment", "同一楼址寄件人数"),
    number("cards_of_name", "Addresses of one name", "Adresses d'un même nom", "同名地址数"),
    number("cards_of_article", "Senders of one article code", "Expéditeurs d'un même code article", "同货号寄件人数"),
    # the addressee's and the pair's past
    *history("consignee_consignments_90d", "consignee_hits_ever", "pair_consignments_90d", "pair_days_since_last"),
    number("consignee_hit_rate", "Hit rate of the addressee", "Taux de constats du destinataire", "收件人查获率", SHARE),
    number("pair_share", "Share of the sender's parcels to this addressee", "Part des envois vers ce destinataire",
           "寄往该收件人的占比", SHARE),
    # the route's and the goods' past
    *history("route_consignments_7d", "goods_consignments_30d"),
    number("route_hit_rate", "Hit rate of the route", "Taux de constats de l'itinéraire", "运输路线查获率", SHARE),
    number("goods_hit_rate", "Hit rate of the same goods", "Taux de constats des mêmes marchandises", "同类货物查获率", SHARE),
    # few raw columns: they tempt a model to repeat the inspectors' past choices
    category("stream", "Stream", "Flux", "渠道"),
    category("nature", "Nature of the transaction", "Nature de la transaction", "交易性质"),
    category("hs_chapter", "HS chapter", "Chapitre SH", "HS章"),
)
# fmt: on

# What a sender moves by shipping more, and cheaply. The risk never falls as the first of these grow nor as the others
# shrink: a hundred clean decoys that nobody opens buy nothing. A clean record is earned by inspections alone.
NEVER_LOWERS = (
    *("consignor_consignments_1d", "consignor_consignments_7d", "consignor_consignments_90d", "consignor_burst"),
    *("identifiers_consignments_7d", "identifiers_shared", "network_consignments_7d", "network_consignments_90d"),
)
NEVER_RAISES = ("consignor_days_since_last", "identifiers_new", "pair_share")


def direction_of(name: str) -> int:
    """1 where the risk never falls as the input grows, -1 where it never rises, 0 where the trees decide."""
    return (name in NEVER_LOWERS) - (name in NEVER_RAISES)


def with_extras(extras: Sequence[Extra]) -> tuple[Input, ...]:
    """INPUTS and the foreign columns that a mapping offers to the model."""
    kinds: dict[str, InputKind] = {"number": "number", "category": "category"}
    offered = (Input(e.column, kinds[e.kind], dict.fromkeys(LANGUAGES, e.source)) for e in extras if e.kind in kinds)
    return (*INPUTS, *offered)


def as_json(inputs: Sequence[Input]) -> list[dict[str, object]]:
    """The inputs as a bundle keeps them."""
    return [{**asdict(item), "meaning": item.meaning} for item in inputs]


def from_json(written: Sequence[dict[str, object]]) -> tuple[Input, ...]:
    """The inputs as a bundle kept them."""
    fields = ("name", "kind", "words", "unit")
    return tuple(Input(**{name: item[name] for name in fields}) for item in written)  # type: ignore[arg-type]


def fingerprint(inputs: Sequence[Input]) -> str:
    """A hash of what the inputs mean: their names, types and definitions, and the code that all of them rest on."""
    definitions = needed(item.name for item in inputs)
    asked = {item.name for item in inputs} | {name for d in definitions.values() for name in d.inputs}
    told = {
        "inputs": [(item.name, item.kind) for item in inputs],
        "definitions": {name: (d.level, d.source()) for name, d in sorted(definitions.items())},
        "code": {module.__name__: plain_code(inspect.getsource(module)) for module in MEANINGFUL},
        "readings": sorted(repr(reading_of(name)) for name in asked if name not in DEFINITIONS),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
