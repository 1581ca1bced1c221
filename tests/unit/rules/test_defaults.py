"""The delivered rules hold the numbers of docs/rules.md and fit the rest of the product."""

from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from shared.events import LeadType, RecordKind, Segment
from shared.rules.base import LEAD_TYPES, RECORD_KINDS, SEGMENTS
from shared.rules.load import DEFAULT_FILE, default_rules
from shared.rules.model import FIELDS, Banded, header_key

SAMPLES = Path(__file__).parents[3] / "samples"
RULES = default_rules()


def steps(banded: Banded) -> list[tuple[float, float]]:
    return [(step.at, step.points) for step in banded.steps]


def test_the_weights_are_those_of_section_4() -> None:
    weights = RULES.scoring.weights
    assert (weights.urgency, weights.value, weights.propensity, weights.strategic_fit) == (
        0.35,
        0.30,
        0.20,
        0.15,
    )


def test_the_priorities_are_those_of_section_4() -> None:
    bands = RULES.scoring.priorities
    assert (bands.critical, bands.high, bands.medium) == (75, 60, 40)


def test_the_steps_of_value_are_those_of_section_4() -> None:
    value = RULES.scoring.value
    ratios = [(1.5, 12), (1.0, 8), (0.5, 4)]
    assert (value.base, value.context_max) == (40, 40)
    assert steps(value.absolute) == [(200_000, 16), (100_000, 12), (50_000, 8)]
    assert value.absolute.below == 4
    assert steps(value.account_ratio) == steps(value.territory_ratio) == ratios
    assert steps(value.items_above) == [(50, 20), (20, 15), (5, 10)]


def test_the_steps_of_propensity_are_those_of_section_4() -> None:
    propensity = RULES.scoring.propensity
    assert steps(propensity.open_above) == [(5, 30), (2, 20), (0, 10)]
    assert steps(propensity.win_rate) == [(0.7, 20), (0.5, 15), (0.3, 10)]
    assert [(step.at, step.points) for step in propensity.last_project_within_days] == [
        (90, 20),
        (180, 15),
        (365, 10),
        (730, 5),
    ]
    assert steps(propensity.trend.ratio) == [(1.2, 10), (1.0, 5)]
    assert propensity.segment_points == {"GROWTH": 5, "TRANSACTIONAL": -5}


def test_the_family_ranges_are_those_of_section_6() -> None:
    ranges = {name: (int(r.min), int(r.max)) for name, r in RULES.values.family_benchmarks.items()}
    assert ranges == {
        "PROLIANT": (3_000, 8_000),
        "3PAR": (15_000, 40_000),
        "PRIMERA": (25_000, 60_000),
        "ALLETRA": (20_000, 50_000),
        "NIMBLE": (12_000, 30_000),
        "MSA": (5_000, 15_000),
    }
    assert RULES.values.support_min_factor == Decimal("0.8")
    assert RULES.values.support_max_factor == Decimal("1.5")


def test_the_switches_of_section_3_are_off() -> None:
    leads = RULES.leads
    assert not leads.competitor_support_plays
    assert not leads.one_support_play_per_box
    assert not leads.hardware_refresh.value_by_family
    assert leads.renewal.ahead_days == 0
    assert leads.renewal.max_days_since_eol is None


def test_the_names_of_the_rules_are_those_of_the_events() -> None:
    assert set(LEAD_TYPES) == {kind.value for kind in LeadType} - {"unknown"}
    assert set(SEGMENTS) == {segment.value for segment in Segment} - {"unknown"}
    assert set(RECORD_KINDS) == set(FIELDS) == {kind.value for kind in RecordKind}


def test_every_field_has_a_header() -> None:
    for kind, fields in FIELDS.items():
        assert set(RULES.reading.columns[kind]) == set(fields)
        assert all(RULES.reading.columns[kind].values())


@pytest.mark.parametrize(
    ("file", "sheet", "kind", "header_row"),
    [
        ("DataExportAug29th.xlsx", "Install Base", "install_base", 1),
        ("DataExportAug29th.xlsx", "Opportunities", "opportunity", 1),
        ("DataExportAug29th.xlsx", "Projects", "project", 1),
        ("LS_SKU_for_Onelead.xlsx", "LS SKU", "catalogue", 3),
    ],
)
def test_every_header_of_the_reference_workbooks_is_known(
    file: str, sheet: str, kind: str, header_row: int
) -> None:
    workbook = openpyxl.load_workbook(SAMPLES / file, read_only=True)
    row = next(workbook[sheet].iter_rows(header_row, header_row, values_only=True))
    known = {header_key(h) for headers in RULES.reading.columns[kind].values() for h in headers}
    assert {header_key(str(header)) for header in row} <= known


def test_headers_are_compared_without_case_blanks_underscores_and_hyphens() -> None:
    spellings = (
        "Serial_Number",
        "serial number",
        "SerialNumber",
        " SERIAL-NUMBER ",
        "Serial\nNumber",
    )
    assert {header_key(spelling) for spelling in spellings} == {"serialnumber"}


def test_every_section_of_the_file_is_explained() -> None:
    lines = DEFAULT_FILE.read_text(encoding="utf-8").splitlines()
    comments = sum(line.strip().startswith("#") for line in lines)
    assert comments > len(lines) / 4
