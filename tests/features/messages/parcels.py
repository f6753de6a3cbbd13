"""Small messages of each kind, written out."""

from __future__ import annotations

from typing import Any

PARTIES = {
    "consignor_name": "Yiwu Bright", "consignor_address": "Futian Road 7", "consignor_city": "Yiwu",
    "consignor_country": "CN", "consignor_postcode": "322000", "consignor_phone": "+8657912345678",
    "consignee_name": "Marie Durand", "consignee_address": "3 rue de la Paix", "consignee_city": "Paris",
    "consignee_country": "FR", "consignee_postcode": "75002", "consignee_email": "m@durand.example",
}  # fmt: skip
SHOES = {"line_no": "1", "description": "running shoes", "hs_code": "640411", "quantity": "2", "value": "30.00",
         "currency": "EUR"}  # fmt: skip
HOUSE: dict[str, Any] = {
    "consignment_id": "HAWB1", "stream": "express", "lodged_at": "2026-03-01T08:15:00+01:00", "office": "CDG",
    "origin_airport": "PVG", "transport_id": "888-11111111", "gross_mass_kg": "1.5", "packages": "1",
    "goods": [SHOES], **PARTIES,
}  # fmt: skip


def house(**changes: Any) -> dict[str, Any]:
    return {**HOUSE, **changes}


FHL = """FHL/4
MBI/888-11111111FRAPVG/T4K245
HBS/FF100/FRAPVG/4/K245/4/SHOES
/NSC/EAW
TXT/RUNNING SHOES WITH A LONGER
/DESCRIPTION ON TWO LINES
HTS/640411/64041990
OCI/DE/SHP/T/DE123
/CN/CNE/CT/8613900000
SHP/MILLER GMBH
/MAIN STREET 1
/FRANKFURT/HE
/DE/60549/TE/49691234
CNE/SHANGHAI RUN LTD
/PUDONG ROAD 5
/SHANGHAI
/CN/200120
CVD/EUR/PP/NVD/420.50/XXX
HBS/FF101/FRAPVG/1/L10/1/BAG
TXT/BAG
CVD/USD//NVD/NCV/XXX
"""
ITEM = house(consignment_id="LX123456785CN", stream="postal", nature="gift", operator="CNBJSA")
PREDES = {
    "predes": {
        "messageId": "P1",
        "receptacles": [
            {"receptacleId": "CNPVGAFRCDGAAUN12345678901234", "items": [{"itemId": "LX123456785CN"}, {"itemId": "B"}]},
            {"receptacleId": "CNPVGAFRCDGAAUN12345678901235", "items": [{"itemId": "C"}]},
            {"items": [{"itemId": "D"}]},
        ],
    }
}
PREDES_XML = (
    "<predes><message-id>P1</message-id>"
    "<receptacle receptacle-id='CNPVGAFRCDGAAUN12345678901234'><item id='LX123456785CN'/><item id='B'/></receptacle>"
    "<receptacle receptacle-id='CNPVGAFRCDGAAUN12345678901235'><item><item-id>C</item-id></item></receptacle>"
    "<receptacle><item id='D'/></receptacle></predes>"
)
