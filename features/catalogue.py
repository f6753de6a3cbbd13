"""The ordered list of model inputs: an auditor reads it line by line, a data scientist adds one line.

A line names the function that defines the input, or the column that is declared, linked or read from history.
"""

from __future__ import annotations

from collections.abc import Sequence

from features.choices import LANGUAGES
from features.columns import (
    declared,
    goods,
    habitual,
    identifiers,
    plausible,
    receiving,
    route,
    serials,
    shipper,
    worded,
)
from features.inputs import FLAG, NEVER_LOWERS, NEVER_RAISES, SHARE, Input, InputKind, category, history, number
from features.messages.mapping import Extra
from features.plugins import plugged_in

__all__ = [
    "EVERY_INPUT", "FORMER", "INPUTS", "NAMED_ONLY", "OF_TAMIS", "Input", "category", "direction_of", "history", "number",
    "with_extras",
]  # fmt: skip

# What a sender moves by shipping more, and cheaply, has a direction: a hundred clean decoys that nobody opens buy
# nothing. A clean record is earned by inspections alone.
# fmt: off
OF_TAMIS: tuple[Input, ...] = (
    # the declaration against itself and against what is usual
    number("value_eur", "Declared value", "Valeur déclarée", "申报价值", "€"),
    number("gross_mass_kg", "Gross mass", "Masse brute", "毛重", "kg"),
    number("pieces", "Pieces", "Nombre de pièces", "件数"),
    number("lines", "Goods lines", "Lignes d'articles", "货物行数"),
    number(declared.value_per_kg, "Value per kilogram", "Valeur au kilogramme", "每公斤价值", "€/kg"),
    number(declared.value_per_piece, "Value per piece", "Valeur par pièce", "每件价值", "€"),
    number(declared.mass_per_piece, "Mass per piece", "Masse par pièce", "每件重量", "kg"),
    number(declared.net_to_gross, "Net mass to gross mass", "Masse nette sur masse brute", "净重与毛重之比"),
    number(goods.value_per_kg_deviation, "Value per kilogram against the norm for these goods",
           "Valeur au kilogramme par rapport à la norme de ces marchandises", "每公斤价值偏离同类货物常值", "σ"),
    number(goods.value_per_piece_deviation, "Value per piece against the norm for these goods",
           "Valeur par pièce par rapport à la norme de ces marchandises", "每件价值偏离同类货物常值", "σ"),
    number(goods.norm_lines, "Earlier lines of the same goods", "Lignes antérieures de mêmes marchandises", "同类货物既往行数"),
    number(declared.short_of_low_value, "Just under the low-value limit", "Juste sous le seuil de faible valeur", "略低于低值限额", "€"),
    number(declared.short_of_gift_relief, "Just under the gift relief", "Juste sous la franchise des cadeaux", "略低于礼品免税额", "€"),
    number(declared.value_is_round, "Round value", "Valeur ronde", "价值为整数", FLAG),
    number(declared.gift_pieces, "Pieces in a gift or sample", "Pièces d'un cadeau ou échantillon", "礼品或样品件数"),
    number(declared.gift_from_shop, "A gift from a shop", "Cadeau envoyé par une boutique", "店铺寄出的“礼品”", FLAG),
    number(declared.postage_to_value, "Postage to declared value", "Port rapporté à la valeur", "邮资与价值之比"),
    number(declared.missing_elements, "Missing pre-loading elements", "Éléments préalables manquants", "缺失的装载前申报项"),
    number(declared.missing_contacts, "Missing contacts of the sender", "Contacts manquants de l'expéditeur", "寄件人缺失的联系方式"),
    number(declared.has_ioss, "IOSS number declared", "Numéro IOSS déclaré", "申报了IOSS号", FLAG),
    number(goods.lines_without_value, "Lines without a value", "Lignes sans valeur", "无价值的货物行占比", SHARE),
    number(goods.hs_digits_least, "Digits of the HS code", "Chiffres du code SH", "HS编码位数"),
    number(goods.hs_chapters, "Different HS chapters", "Chapitres SH différents", "不同HS章数"),
    number(goods.product_codes_share, "Lines with a product code", "Lignes avec code produit", "带产品编码的行占比", SHARE),
    number(serials.serial_unregistered, "Serial number that the right holder does not know",
           "Numéro de série inconnu du titulaire du droit", "权利人未登记的序列号", FLAG),
    number(serials.serial_elsewhere, "Earlier consignments with the same serial number",
           "Envois antérieurs portant le même numéro de série", "此前申报同一序列号的货件数"),
    # the wording
    number(goods.wording_words, "Words of the description", "Mots de la désignation", "品名词数"),
    number(goods.wording_vague_share, "Vague words in the description", "Mots vagues dans la désignation", "品名含糊词占比", SHARE),
    number(goods.wording_digit_share, "Digits in the description", "Chiffres dans la désignation", "品名中数字占比", SHARE),
    number(goods.wording_chinese_share, "Chinese characters in the description", "Caractères chinois dans la désignation",
           "品名中汉字占比", SHARE),
    number(goods.wording_likeness, "Wording like that of non-compliant goods",
           "Désignation semblable à celle de marchandises non conformes", "品名与违规货物相似"),
    number(worded.wording_heading_odds, "Wording of another heading than the declared one",
           "Désignation d'une autre position que celle déclarée", "品名更符合其他品目"),
    category(worded.wording_heading, "Heading under which goods so worded are declared",
             "Position sous laquelle de telles désignations sont déclarées", "此类品名通常申报的品目"),
    number(worded.value_as_worded, "Value per kilogram against the norm for goods so worded",
           "Valeur au kilogramme par rapport à la norme des marchandises ainsi désignées", "每公斤价值偏离此类品名常值", "σ"),
    number(worded.mass_deviation, "Mass of a piece against the norm for these goods",
           "Masse d'une pièce par rapport à la norme de ces marchandises", "单件重量偏离同类货物常值", "σ"),
    # the sender as declared
    number(declared.sender_address_digits, "Digits in the sender's address", "Chiffres dans l'adresse de l'expéditeur",
           "寄件地址中的数字"),
    number(declared.mailbox_name_fit, "The mailbox holds the sender's name", "La boîte aux lettres porte le nom de l'expéditeur",
           "邮箱包含寄件人名称", FLAG),
    # whether what it states of itself can be
    number(plausible.sender_name_odd, "Name of the sender that cannot be", "Nom de l'expéditeur invraisemblable", "寄件人名称不合情理"),
    number(plausible.sender_address_odd, "Street of the sender that cannot be", "Rue de l'expéditeur invraisemblable",
           "寄件人街道不合情理"),
    number(plausible.sender_place_elsewhere, "Town of the sender in another country", "Ville de l'expéditeur dans un autre pays",
           "寄件城市属于他国", FLAG),
    number(plausible.sender_postcode_unfit, "Postcode of the sender without its country's form",
           "Code postal de l'expéditeur sans la forme de son pays", "寄件邮编不符合该国格式", FLAG),
    number(plausible.sender_phone_elsewhere, "Telephone of the sender outside its country's plan",
           "Téléphone de l'expéditeur hors du plan de son pays", "寄件电话不属于该国号码规划"),
    number(plausible.sender_script_elsewhere, "Letters that the sender's country does not write",
           "Lettres que le pays de l'expéditeur n'écrit pas", "寄件信息使用该国不用的文字", FLAG),
    number(plausible.sender_house_beyond, "House number beyond any of the sender's country",
           "Numéro de maison au-delà de ceux du pays de l'expéditeur", "门牌号超出该国范围", FLAG),
    number(plausible.sender_mailbox_elsewhere, "Mailbox of the sender under another country's domain",
           "Boîte aux lettres de l'expéditeur dans le domaine d'un autre pays", "寄件邮箱属于他国域名", FLAG),
    number(plausible.sender_oddities, "Statements of the sender that cannot be", "Indications invraisemblables de l'expéditeur",
           "寄件人不合情理的申报项"),
    # how it states itself beside the others of its country
    number(habitual.sender_form_missing, "Company without the form that firms of its country state",
           "Société sans la forme que les sociétés de son pays indiquent", "公司名称缺少该国公司均注明的组织形式", FLAG),
    number(habitual.sender_number_beyond, "House or room number far beyond those of its country's other senders",
           "Numéro de maison ou de pièce bien au-delà de ceux des autres expéditeurs de son pays",
           "门牌或房间号远超该国其他寄件人", FLAG),
    # the route
    number(route.transits, "Countries of transit", "Pays de transit", "中转国数"),
    number(route.sender_elsewhere, "Sender not in the country of dispatch", "Expéditeur hors du pays d'envoi", "寄件人不在发运国", FLAG),
    number(route.origin_elsewhere, "Origin not the country of dispatch", "Origine autre que le pays d'envoi", "原产地与发运国不同", FLAG),
    number(route.origin_missing, "Country of origin missing", "Pays d'origine manquant", "未申报原产国", FLAG),
    number(route.lodged_hour, "Hour of lodging", "Heure de dépôt", "申报时刻", "h"),
    # the sender's past
    *history("consignor_consignments_1d", "consignor_consignments_7d", "consignor_consignments_90d",
             direction=NEVER_LOWERS),
    *history("consignor_days_since_first"),
    *history("consignor_days_since_last", direction=NEVER_RAISES),
    *history("consignor_inspected_ever", "consignor_hits_ever", "consignor_hits_30d", "consignor_not_presented_ever"),
    number(shipper.consignor_hit_rate, "Hit rate of the sender", "Taux de constats de l'expéditeur", "寄件人查获率", SHARE),
    number(shipper.consignor_burst, "Pace of the sender today", "Cadence de l'expéditeur ce jour", "寄件人当日频率",
           direction=NEVER_LOWERS),
    # all by which the sender can be recognised
    number(identifiers.identifiers_hit_rate, "Highest hit rate among the sender's identifiers",
           "Plus haut taux de constats parmi les identifiants de l'expéditeur", "寄件人各标识最高查获率", SHARE),
    number(identifiers.identifiers_hits, "Findings with one of the sender's identifiers",
           "Constats liés à un identifiant de l'expéditeur", "寄件人标识关联查获数"),
    number(identifiers.identifiers_hits_90d, "Findings with one of the sender's identifiers in 90 days",
           "Constats liés à un identifiant de l'expéditeur en 90 jours", "寄件人标识90天内关联查获数"),
    number(identifiers.identifiers_grave_share, "Dangerous or criminal share of findings with the sender's identifiers",
           "Part dangereuse ou criminelle des constats liés aux identifiants de l'expéditeur",
           "寄件人标识关联查获中危险或涉罪占比", SHARE),
    number(identifiers.identifiers_age, "Age of the sender's oldest identifier", "Âge du plus ancien identifiant de l'expéditeur",
           "寄件人最早标识的天数", "d"),
    number(identifiers.age, "Age of the sender's telephone", "Âge du téléphone de l'expéditeur", "寄件人电话出现天数", "d",
           key="phone"),
    number(identifiers.age, "Age of the sender's mailbox", "Âge de la boîte aux lettres électronique de l'expéditeur",
           "寄件人邮箱出现天数", "d", key="mailbox"),
    number(identifiers.age, "Age of the seller account", "Âge du compte vendeur", "卖家账号出现天数", "d", key="account"),
    number(identifiers.age, "Age of the web shop", "Âge de la boutique en ligne", "网店出现天数", "d", key="shop"),
    number(identifiers.age, "Age of the sender's address", "Âge de l'adresse de l'expéditeur", "寄件地址出现天数", "d",
           key="address"),
    number(identifiers.age, "Age of the article code", "Âge du code article", "货号出现天数", "d", key="article"),
    number(identifiers.identifiers_consignments_7d, "Consignments in 7 days with one of the sender's identifiers",
           "Envois en 7 jours avec un identifiant de l'expéditeur", "寄件人标识7天内货件数", direction=NEVER_LOWERS),
    number(identifiers.identifiers_new, "The sender's identifiers never seen", "Identifiants jamais vus de l'expéditeur", "寄件人未见过的标识数",
           direction=NEVER_RAISES),
    number(identifiers.identifiers_shared, "Several names share a contact", "Plusieurs noms partagent un contact", "多个名称共用联系方式",
           direction=NEVER_LOWERS),
    # who stands behind it, where linking is switched on
    *history("network_consignments_7d", "network_consignments_90d", direction=NEVER_LOWERS),
    *history("network_days_since_first", "network_inspected_ever", "network_hits_ever", "network_hits_90d"),
    number(identifiers.hit_rate, "Hit rate of the network", "Taux de constats du réseau", "团伙查获率", SHARE, key="network"),
    number(identifiers.grave_share, "Dangerous or criminal share of the network's findings",
           "Part dangereuse ou criminelle des constats du réseau", "团伙查获中危险或涉罪占比", SHARE, key="network"),
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
    number(shipper.consignee_hit_rate, "Hit rate of the addressee", "Taux de constats du destinataire", "收件人查获率", SHARE),
    number(shipper.pair_share, "Share of the sender's parcels to this addressee", "Part des envois vers ce destinataire",
           "寄往该收件人的占比", SHARE, direction=NEVER_RAISES),
    # what comes to the addressee's home and telephone, whoever sends it
    number(receiving.consignee_age, "Age of the addressee", "Ancienneté du destinataire", "收件人出现天数", "d"),
    number(receiving.parcels, "Consignments to the addressee's home in 30 days",
           "Envois au domicile du destinataire en 30 jours", "收件住址30天内货件数", key="home", direction=NEVER_LOWERS),
    number(receiving.items, "Pieces to the addressee's home in 30 days", "Pièces au domicile du destinataire en 30 jours",
           "收件住址30天内件数", key="home", direction=NEVER_LOWERS),
    number(receiving.worth, "Value to the addressee's home in 30 days", "Valeur au domicile du destinataire en 30 jours",
           "收件住址30天内申报价值", "€", key="home", direction=NEVER_LOWERS),
    number(receiving.home_senders, "New senders to the addressee's home in 30 days",
           "Nouveaux expéditeurs au domicile du destinataire en 30 jours", "收件住址30天内新寄件人数", direction=NEVER_LOWERS),
    number(receiving.names, "New names at the addressee's home in 90 days",
           "Nouveaux noms au domicile du destinataire en 90 jours", "收件住址90天内新名称数", key="home",
           direction=NEVER_LOWERS),
    number(receiving.parcels, "Consignments with the addressee's telephone in 30 days",
           "Envois au téléphone du destinataire en 30 jours", "收件人电话30天内货件数", key="recipient_phone",
           direction=NEVER_LOWERS),
    number(receiving.items, "Pieces with the addressee's telephone in 30 days",
           "Pièces au téléphone du destinataire en 30 jours", "收件人电话30天内件数", key="recipient_phone",
           direction=NEVER_LOWERS),
    number(receiving.worth, "Value with the addressee's telephone in 30 days",
           "Valeur au téléphone du destinataire en 30 jours", "收件人电话30天内申报价值", "€", key="recipient_phone",
           direction=NEVER_LOWERS),
    number(receiving.names, "New names with the addressee's telephone in 90 days",
           "Nouveaux noms avec le téléphone du destinataire en 90 jours", "收件人电话90天内新名称数", key="recipient_phone",
           direction=NEVER_LOWERS),
    number(receiving.recipient_phone_found, "Findings with the addressee's telephone",
           "Constats avec le téléphone du destinataire", "收件人电话关联查获数"),
    number(receiving.recipient_phone_rate, "Hit rate of the addressee's telephone",
           "Taux de constats du téléphone du destinataire", "收件人电话查获率", SHARE),
    # the route's and the goods' past
    *history("route_consignments_7d", "goods_consignments_30d"),
    number(shipper.route_hit_rate, "Hit rate of the route", "Taux de constats de l'itinéraire", "运输路线查获率", SHARE),
    number(shipper.goods_hit_rate, "Hit rate of the same goods", "Taux de constats des mêmes marchandises", "同类货物查获率", SHARE),
    # few raw columns: they tempt a model to repeat the inspectors' past choices
    category("stream", "Stream", "Flux", "渠道"),
    category("nature", "Nature of the transaction", "Nature de la transaction", "交易性质"),
    category(declared.hs_chapter, "HS chapter", "Chapitre SH", "HS章"),
)
# Inputs that no model learns any more, in the words of before: those that learned of them go on, and are explained.
# A large number by itself is no reason that an officer can give: what is odd is one beyond the country's other houses,
# which sender_house_beyond and sender_number_beyond tell.
FORMER: tuple[Input, ...] = (
    number(identifiers.sender_house_number, "Largest number in the sender's address", "Plus grand nombre dans l'adresse de l'expéditeur",
           "寄件地址中最大的数字"),
)
# fmt: on
# those that models learn, and those of packages that are installed beside it
INPUTS: tuple[Input, ...] = (*OF_TAMIS, *plugged_in((*OF_TAMIS, *FORMER)))
EVERY_INPUT = (*INPUTS, *FORMER)
NAMED_ONLY = ("wording_heading",)  # for reasons: trees that split on it rank worse, as it has hundreds of levels
DIRECTIONS = {item.name: item.direction for item in INPUTS}


def direction_of(name: str) -> int:
    """Return 1 where the risk never falls as the input grows, -1 where it never rises, 0 where the trees decide."""
    return DIRECTIONS.get(name, 0)


def with_extras(extras: Sequence[Extra]) -> tuple[Input, ...]:
    """Return INPUTS and the foreign columns that a mapping offers to the model."""
    kinds: dict[str, InputKind] = {"number": "number", "category": "category"}
    offered = (Input(e.column, kinds[e.kind], dict.fromkeys(LANGUAGES, e.source)) for e in extras if e.kind in kinds)
    return (*INPUTS, *offered)
