"""Files that are no manifest, and what must never be shown of them."""

from __future__ import annotations

import io
import zipfile

from tests.features.conftest import GOOD, csv_of

SECRET = "Sunrise Trading"
RESULTS = b"consignment_id,known_at,result\nC1,2026-03-05T10:00:00Z,compliant\n"


def archive_of(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, "x" * 100)
    return packed.getvalue()


def without(*names: str) -> bytes:
    return csv_of({name: value for name, value in GOOD.items() if name not in names})


def renamed(name: str, new: str) -> bytes:
    return csv_of({new if column == name else column: value for column, value in GOOD.items()})


NO_MANIFEST: dict[str, tuple[bytes, list[str]]] = {
    "a workbook": (archive_of("[Content_Types].xml", "xl/workbook.xml"), ["an Excel workbook", "save it as CSV UTF-8"]),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, ["an Excel workbook"]),
    "a zip archive": (archive_of("day.csv"), ["a zip archive is not accepted"]),
    "EDIFACT": (b"UNB+UNOC:3+CNPVGA+FRCDGA+260302:0800+1'\nUNH+1+ITMATT:1:912:UN'\n", ["EDIFACT", "send"]),
    "FWB": (b"FWB/16\n888-11111111PVGCDG/T1K2\nRTG/CDGAF\nSHP\n/YIWU BRIGHT\n", ["Cargo-IMP", "FHL is read"]),
    "a program": (b'"""Duty."""\n\nimport os\nprint(os.name, 1, 2)\n', ["no manifest", "consignment_id"]),
    "results": (RESULTS, ["inspection results", "tamis outcomes"]),
    "a name in other words": (
        renamed("consignment_id", "N° de suivi"),
        ['did you mean "N° de suivi"', "manifest.rename"],
    ),
    "a name with a slip": (renamed("lodged_at", "lodgd_at"), ['did you mean "lodgd_at"', "--preview"]),
    "no lodged_at": (without("lodged_at"), ["no column lodged_at", "manifest.default"]),
    "no stream and description": (without("stream", "description"), ["no columns stream, description"]),
    "a header alone": (without().splitlines()[0] + b"\n", ["a header and no rows"]),
}
