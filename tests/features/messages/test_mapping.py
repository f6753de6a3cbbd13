"""Mapping files: a foreign file made to speak the manifest's columns, and every fault named by section and key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from features.contract import gate_manifest, gate_outcomes
from features.messages.flat import read_csv
from features.messages.mapping import UNMAPPED, Mapping, MappingFault, keep_unknown
from features.messages.mapping_file import load_mapping
from tests.features.conftest import frame_of, row

Load = Callable[[str], Mapping]

KOREA = Path(__file__).parents[3] / "pipelines" / "mappings" / "korea.toml"


@pytest.fixture
def written(tmp_path: Path) -> Load:
    """A mapping file of the given TOML, loaded."""

    def load(text: str) -> Mapping:
        path = tmp_path / "mapping.toml"
        path.write_text(text, encoding="utf-8")
        return load_mapping(path)

    return load


def test_columns_are_renamed_and_one_source_may_serve_two(written: Load) -> None:
    mapping = written('[manifest.rename]\nconsignment_id = "No"\nhs_code = "Code"\ndescription = "Code"\n')
    mapped = mapping.to_manifest(frame_of({"No": "C1", "Code": "420231"}))
    assert mapped.rows(named=True) == [
        {"line": 2, "consignment_id": "C1", "hs_code": "420231", "description": "420231"}
    ]


@pytest.mark.parametrize(
    ("rule", "given", "got"),
    [
        ('words = { "1" = "gift", "2" = "sale" }', [" 2 ", "1", "9", None], ["sale", "gift", "9", None]),
        ("pad = 6", ["90290", "123456", "1234567", None], ["090290", "123456", "1234567", None]),
        ("times = 0.001", ["1500", "none", None], ["1.5", "none", None]),
        (
            'format = "%d.%m.%Y %H:%M", zone = "Europe/Berlin"',
            ["28.03.2026 12:00", "29.03.2026 02:30", "soon", None],  # the second moment was skipped by summer time
            ["2026-03-28T11:00:00.000000+00:00", "2026-03-29T02:30:00.000000[Europe/Berlin]", "soon", None],
        ),
        (
            'decimal = ","',
            ["12,50", "1.234,5", "7", "1 234,5", "x,y", "1.50", None],
            ["12.50", "1234.5", "7", "1234.5", "x,y", "1.50", None],
        ),
        ('decimal = ",", times = 0.001', ["1.500,5"], ["1.5005"]),
        ('format = "%Y-%m-%d", add_days = 1', ["2026-02-28"], ["2026-03-01T00:00:00.000000+00:00"]),
        ('format = "%Y%m%d", zone = "Asia/Seoul"', ["20200101"], ["2019-12-31T15:00:00.000000+00:00"]),
    ],
)
def test_values_are_converted_and_the_rest_left_for_the_gate(
    written: Load, rule: str, given: list[object], got: list[str | None]
) -> None:
    mapping = written(f'[manifest.rename]\noffice = "X"\n[manifest.convert]\noffice = {{ {rule} }}\n')
    assert mapping.to_manifest(frame_of(*({"X": value} for value in given)))["office"].to_list() == got


def test_numbers_of_a_parquet_file_are_converted_alike(written: Load) -> None:
    mapping = written('[manifest.rename]\nvalue = "V"\n[manifest.convert]\nvalue = { times = 0.5 }\n')
    mapped = mapping.to_manifest(pl.DataFrame({"line": [2, 3], "V": [3, None]}))
    assert mapped["value"].to_list() == ["1.5", None]


def test_defaults_fill_absent_columns_and_empty_cells_only(written: Load) -> None:
    mapping = written(
        '[manifest.rename]\nnature = "N"\n[manifest.default]\nnature = "sale"\nstream = "postal"\nversion = 2\n'
    )
    mapped = mapping.to_manifest(frame_of({"N": "gift"}, {"N": " "}, {"N": None}))
    assert mapped["nature"].to_list() == ["gift", "sale", "sale"]
    assert mapped.select("stream", "version").unique().rows() == [("postal", "2")]


def test_declared_extras_are_typed_and_other_columns_kept(written: Load) -> None:
    mapping = written(
        '[manifest.rename]\nconsignment_id = "No"\n[extra]\n'
        'tax = { from = "Tax Rate", type = "number" }\nkind = { from = "Kind", type = "category" }\n'
    )
    raw = pl.DataFrame({"line": [2, 3], "No": ["A", "B"], "Tax Rate": ["1.5", "?"], "Kind": [7, 8], "To Do!": [1, 2]})
    mapped = mapping.to_manifest(raw)
    assert mapped.select("extra_tax", "extra_kind", "extra_to_do").rows() == [(1.5, "7", 1), (None, "8", 2)]
    accepted = gate_manifest(
        mapped.with_columns(stream=pl.lit("postal"), lodged_at=pl.lit("2026-03-01T00:00Z"), description=pl.lit("x")),
        "f",
    ).accepted
    assert accepted["extra_tax"].to_list() == [1.5, None]


def test_without_a_mapping_unknown_columns_are_kept_and_known_ones_left() -> None:
    raw = frame_of({"consignment_id": "C", "Depot No.": "7", "extra_own": "8"})
    assert UNMAPPED.to_manifest(raw).rows(named=True) == [
        {"consignment_id": "C", "extra_depot_no": "7", "extra_own": "8", "line": 2}
    ]


@pytest.mark.parametrize("names", [("重量", "价格"), ("Net kg", "net-kg"), ("extra_a", "A")])
def test_unknown_columns_that_sound_alike_are_all_kept(names: tuple[str, str]) -> None:
    kept = keep_unknown(frame_of(dict.fromkeys(names, "1")))
    assert len([name for name in kept.columns if name.startswith("extra_")]) == 2


def test_a_column_absent_from_the_file_is_a_fault_that_names_it(written: Load) -> None:
    renamed = written('[manifest.rename]\nvalue = "Price"\n')
    with pytest.raises(MappingFault, match="'Price'"):
        renamed.to_manifest(frame_of({"No": "1"}))
    extra = written('[manifest.rename]\nvalue = "No"\n[extra]\na = { from = "Rate", type = "number" }\n')
    with pytest.raises(MappingFault, match="'Rate'"):
        extra.to_manifest(frame_of({"No": "1"}))


@pytest.mark.parametrize(
    ("text", "section", "key"),
    [
        ('[manifst.rename]\nvalue = "x"', "the mapping", "manifst"),
        ('[manifest.renam]\nvalue = "x"', "manifest", "renam"),
        ('[manifest.rename]\nvalu = "x"', "manifest.rename", "valu"),
        ('[manifest.default]\nstrem = "postal"', "manifest.default", "strem"),
        ("[manifest.convert]\nvalue = { time = 2 }", "manifest.convert.value", "time"),
        ('[outcomes.rename]\nvalue = "x"', "outcomes.rename", "value"),
        ('[extra]\na = { from = "x", kind = "number" }', "extra.a", "kind"),
    ],
)
def test_an_unknown_key_is_a_fault_that_names_section_and_key(written: Load, text: str, section: str, key: str) -> None:
    with pytest.raises(MappingFault) as fault:
        written(text)
    assert str(fault.value).startswith(f"{section}: unknown key {key!r}; known are ")


def test_an_extra_without_source_or_of_an_unknown_type_is_a_fault(written: Load) -> None:
    for rule in ('{ type = "number" }', '{ from = "x", type = "num" }', '{ from = "x" }'):
        with pytest.raises(MappingFault, match=r"extra\.a"):
            written(f"[extra]\na = {rule}\n")


def test_a_file_that_is_no_toml_or_absent_is_a_fault(written: Load, tmp_path: Path) -> None:
    with pytest.raises(MappingFault, match="not valid TOML"):
        written("a = ")
    with pytest.raises(MappingFault, match="No such file"):
        load_mapping(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "text",
    [
        '[file]\nseperator = ";"',
        '[evaluation]\nlookups = ["value"]',
        '[evaluation]\nlookup = "value"',
        "manifest = 3",
        "[manifest.convert]\nvalue = 2",
        '[manifest.convert]\nvalue = { times = "two" }',
        '[manifest.rename]\nlodged_at = "D"\n[manifest.convert]\nlodged_at = { format = "%Y", zone = "Mars/X" }',
        "[manifest.rename]\nvalue = 3",
        '[file]\nseparator = ";;"',
        '[file]\ndecimal = ";"',
        '[file]\nencoding = "klingon"',
        '[manifest.rename]\nvalue = "V"\n[manifest.convert]\nvalue = { decimal = "comma" }',
        '[manifest.rename]\nvalue = "V"\n[manifest.convert]\nquantity = { times = 2.0 }',
    ],
)
def test_every_other_wrong_key_or_type_is_a_fault_when_the_mapping_is_read(written: Load, text: str) -> None:
    with pytest.raises(MappingFault):
        written(text)


def test_a_file_with_decimal_commas_is_read_by_one_key(written: Load) -> None:
    mapping = written(
        '[file]\nseparator = ";"\ndecimal = ","\n[manifest.rename]\nconsignment_id = "numero"\nlodged_at = "depot"\n'
        'description = "contenu"\nvalue = "valeur"\ngross_mass_kg = "poids"\ncurrency = "devise"\n'
        '[manifest.default]\nstream = "express"\n'
        '[manifest.convert.lodged_at]\nformat = "%d/%m/%Y %H:%M"\nzone = "Europe/Paris"\n'
        '[extra]\ntaux = { from = "taux", type = "number" }\n'
    )
    content = "numero;depot;contenu;valeur;poids;devise;taux\nCX1;02/03/2026 08:00;noix, 12,50;12,50;1,5;EUR;0,2\n"
    gated = gate_manifest(mapping.to_manifest(read_csv(content.encode(), "f.csv", separator=";").rows), "f.csv")
    told = gated.accepted.select("lodged_at", "description", "value", "gross_mass_kg", "extra_taux").row(0)
    assert told == (datetime(2026, 3, 2, 7, tzinfo=UTC), "noix, 12,50", 12.5, 1.5, 0.2)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12,50", 12.5), ("1,5", 1.5), ("0,125", 0.125), ("1.234,5", 1234.5), ("-3,", None), ("12,3456", 12.3456),
        ("12.50", 12.5), ("7", 7.0), ("1,234", None), ("1,234,567", None), ("1,234.5", None), ("12,5O", None),
    ],
)  # fmt: skip
def test_a_comma_that_can_be_nothing_but_a_decimal_sign_is_read_where_columns_are_mapped(
    written: Load, cell: str, value: float | None
) -> None:
    names = '[manifest.rename]\nvalue = "valeur"\n'
    for stated, expected in (("", value), ('[file]\ndecimal = "."\n', value if "," not in cell else None)):
        declared = {name: text for name, text in row().items() if name != "value"} | {"valeur": cell}
        rows = written(stated + names).to_manifest(frame_of(declared))
        gated = gate_manifest(rows, "f.csv")
        assert gated.accepted["value"].to_list() == ([] if expected is None else [expected])


def test_columns_that_bear_the_contracts_names_need_no_rule(written: Load) -> None:
    mapping = written('[manifest.convert.lodged_at]\nformat = "%d/%m/%Y"\nzone = "Europe/Paris"\n')
    mapped = mapping.to_manifest(frame_of({"consignment_id": "C1", "lodged_at": "30/01/2026", "Depot": "7"}))
    assert mapped.rows(named=True) == [
        {"line": 2, "consignment_id": "C1", "lodged_at": "2026-01-29T23:00:00.000000+00:00", "extra_depot": "7"}
    ]
    renaming = written('[manifest.rename]\nconsignment_id = "No"\ndescription = "value"\n')
    mapped = renaming.to_manifest(frame_of({"No": "C1", "value": "belt", "office": "CDG"}))
    assert mapped.rows(named=True) == [{"line": 2, "office": "CDG", "consignment_id": "C1", "description": "belt"}]


def test_whole_numbers_of_a_parquet_file_keep_their_digits(written: Load) -> None:
    mapping = written('[manifest.rename]\nhs_code = "HS6"\n[manifest.convert]\nhs_code = { pad = 6 }\n')
    assert mapping.to_manifest(pl.DataFrame({"line": [2, 3], "HS6": [90290.0, None]}))["hs_code"].to_list() == [
        "090290",
        None,
    ]


# ---- the mapping that is shipped

KOREAN_COLUMNS = (
    "Declaration ID,Date,Office ID,Process Type,Import Type,Import Use,Payment Type,Mode of Transport,Declarant ID,"
    "Importer ID,Seller ID,Courier ID,HS6 Code,Country of Departure,Country of Origin,Tax Rate,Tax Type,"
    "Country of Origin Indicator,Net Mass,Item Price,Fraud,Critical Fraud"
)
KOREAN_ROWS = (
    "97061800,2020-01-01,30,B,11,21,11,40,ZZR1LT6,QLRUBN9,0VKY2BR,QJ4VN4,440890,BE,BE,0.0,FEU1,G,108.0,372254.4,0,0",
    "85945271,2020-07-05,40,B,11,21,11,10,SWF9S4X,7JD1S2X,,,90290,CN,CN,8.0,A,E,5.5,1000.0,1,2",
)


@pytest.fixture(scope="module")
def korea() -> tuple[pl.DataFrame, Mapping]:
    assert len(KOREAN_COLUMNS.split(",")) == 22
    mapping = load_mapping(KOREA)
    content = "\n".join([KOREAN_COLUMNS, *KOREAN_ROWS, ""]).encode()
    raw = read_csv(content, "df_syn.csv", separator=mapping.separator)
    assert raw.broken.is_empty()
    return raw.rows, mapping


def test_korean_declarations_become_manifest_rows(korea: tuple[pl.DataFrame, Mapping]) -> None:
    rows, mapping = korea
    gated = gate_manifest(mapping.to_manifest(rows), "df_syn.csv")
    assert gated.refused.is_empty()
    told = {
        "line": [2, 3],
        "message_id": ["korea", "korea"],
        "consignment_id": ["97061800", "85945271"],
        "version": [1, 1],
        "stream": ["express", "express"],
        "lodged_at": [datetime(2019, 12, 31, 15, tzinfo=UTC), datetime(2020, 7, 4, 15, tzinfo=UTC)],
        "office": ["30", "40"],
        "operator": ["QJ4VN4", None],
        "dispatch_country": ["BE", "CN"],
        "destination_country": ["KR", "KR"],
        "consignor_id": ["0VKY2BR", None],
        "consignee_id": ["QLRUBN9", "7JD1S2X"],
        "hs_code": ["440890", "090290"],
        "description": ["440890", "090290"],
        "goods_origin_country": ["BE", "CN"],
        "gross_mass_kg": [108.0, 5.5],
        "net_mass_kg": [108.0, 5.5],
        "value": [372254.4, 1000.0],
        "currency": ["KRW", "KRW"],
        "extra_tax_rate": [0.0, 8.0],
        "extra_tax_type": ["FEU1", "A"],
        "extra_origin_indicator": ["G", "E"],
        "extra_process_type": ["B", "B"],
        "extra_import_type": ["11", "11"],
        "extra_transport_mode": ["40", "10"],
        "extra_declarant": ["ZZR1LT6", "SWF9S4X"],
    }
    assert gated.accepted.select(*told).to_dict(as_series=False) == told


def test_korean_results_become_outcomes_the_day_after(korea: tuple[pl.DataFrame, Mapping]) -> None:
    rows, mapping = korea
    assert mapping.outcomes is not None
    gated = gate_outcomes(mapping.outcomes.apply(rows))
    assert gated.refused.is_empty()
    told = gated.accepted.select("consignment_id", "known_at", "stage", "result", "findings", "selection")
    assert told.rows() == [
        ("97061800", datetime(2020, 1, 1, 15, tzinfo=UTC), "clearance", "compliant", None, "unknown"),
        ("85945271", datetime(2020, 7, 5, 15, tzinfo=UTC), "clearance", "non_compliant", "misdeclared", "unknown"),
    ]


def test_the_model_is_offered_no_korean_result(korea: tuple[pl.DataFrame, Mapping]) -> None:
    _, mapping = korea
    assert {extra.source for extra in mapping.extras}.isdisjoint({"Fraud", "Critical Fraud"})
