"""The reference workbooks give the 77 leads that two independent implementations agree on."""

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from onelead.assess.as_json import assessment_json
from onelead.assess.assessment import Assessment, assess
from onelead.assess.findings import Findings
from onelead.assess.rows import judged_rows
from onelead.assess.spill import Spill
from services.ingest.domain.records import Box
from services.ingest.sources.files import read_files
from shared.events import LeadType, Priority, Risk
from shared.rules.load import default_rules
from tests.support.builders import AS_OF, a_case
from tests.support.command import run_onelead
from tests.support.workbooks import CATALOGUE, EXPORT

EXPECTED_FILE = Path(__file__).parents[1] / "data" / "expected_leads_2025-10-09.json"
EXPECTED: dict[str, dict[str, Any]] = json.loads(EXPECTED_FILE.read_text())
COMPONENTS = ("urgency", "value", "propensity", "strategic_fit")
RULES = default_rules()


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    return assess(read_files([EXPORT, CATALOGUE], RULES), RULES, AS_OF)


@pytest.fixture(scope="module")
def leads(assessment: Assessment) -> dict[str, dict[str, Any]]:
    found = json.loads(assessment_json(assessment))["leads"]
    return {f"{lead['serial_number']}/{lead['lead_type']}": lead for lead in found}


def test_the_reference_is_of_the_day_that_tests_reckon_with() -> None:
    assert date(2025, 10, 9) == AS_OF


def test_exactly_the_expected_leads_are_there(leads: dict[str, Any]) -> None:
    assert leads.keys() == EXPECTED.keys()


@pytest.mark.parametrize("key", EXPECTED)
def test_every_lead_is_as_expected(
    key: str, leads: dict[str, dict[str, Any]], assessment: Assessment
) -> None:
    lead, expected = leads[key], dict(EXPECTED[key])
    for component in COMPONENTS:
        assert lead[component] == pytest.approx(expected.pop(component), abs=0.05)
    # The account is the same one; of its spellings the commonest is shown (rules.md §2).
    account = expected.pop("account")
    assert assessment.directory.account_of(account, None) == lead["account_id"]
    assert {name: lead[name] for name in expected} == expected


def test_the_ledger_of_every_lead_adds_up_to_its_score(leads: dict[str, dict[str, Any]]) -> None:
    for lead in leads.values():
        points = Counter[str]()
        for line in lead["ledger"]:
            points[line["component"]] += line["points"]
        for component in COMPONENTS:
            assert points[component] == pytest.approx(lead[component])


def test_the_reference_figures_hold(assessment: Assessment) -> None:
    assert {each.kind: (each.read, each.used) for each in assessment.rows} == {
        "install_base": (63, 63),
        "opportunity": (60, 60),
        "project": (2394, 2394),
        "catalogue": (21, 21),
    }
    assert Counter(each.lead.lead_type for each in assessment.leads) == {
        LeadType.RENEWAL: 30,
        LeadType.HARDWARE_REFRESH: 27,
        LeadType.SERVICE_ATTACH: 20,
    }
    assert Counter(each.score.priority for each in assessment.leads) == {
        Priority.CRITICAL: 43,
        Priority.HIGH: 31,
        Priority.MEDIUM: 3,
    }
    assert assessment.open_pipeline == 5_643_341


def test_the_boxes_have_the_reference_risks() -> None:
    with Spill() as kept:
        judged_rows(read_files([EXPORT], RULES), RULES, AS_OF, kept, Findings())
        risks = Counter(a_case(box).risk for box in kept.of_type(Box))
    assert risks == {
        Risk.CRITICAL: 33,
        Risk.HIGH: 13,
        Risk.MEDIUM: 9,
        Risk.LOW: 8,
    }


def test_the_report_names_what_is_wrong_with_rows(assessment: Assessment) -> None:
    faults = Counter((f.sheet, f.column, f.outcome) for f in assessment.findings)
    assert faults == {
        ("Projects", "Labor_Cost", "degraded"): 1165,
        ("Projects", "Customer_Name", "degraded"): 18,
        ("LS SKU", "List Price", "degraded"): 1,
    }
    first = assessment.findings[0]
    assert (first.file, first.row, first.raw_value) == ("DataExportAug29th.xlsx", 2, "No")


def test_the_command_prints_the_same_as_one_object(tmp_path: Path, assessment: Assessment) -> None:
    run = run_onelead(
        *("assess", EXPORT, "--catalogue", CATALOGUE, "--as-of", AS_OF.isoformat(), "--json"),
        home=tmp_path,
    )
    assert run.returncode == 0, run.stderr
    printed = json.loads(run.stdout)
    assert printed == json.loads(assessment_json(assessment))
    assert printed.keys() == {"as_of", "rules_version", "report", "accounts", "leads"}
    assert printed["report"]["read"] == 63 + 60 + 2394 + 21


def test_the_command_prints_a_lead_a_line(tmp_path: Path) -> None:
    arguments = ("assess", EXPORT, CATALOGUE, "--as-of", AS_OF.isoformat(), "--json-lines")
    run = run_onelead(*arguments, home=tmp_path)
    leads = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(leads) == 77
    assert len({lead["lead_id"] for lead in leads}) == 77


def test_the_report_for_people_fits_100_columns_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    arguments = ("assess", EXPORT, CATALOGUE, "--as-of", AS_OF.isoformat())
    run = run_onelead(*arguments, home=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "review decisions (confirmed or refused merges) are not applied" in run.stdout
    assert "Open pipeline, each box counted once: 5,643,341 USD" in run.stdout
    assert max(len(line) for line in run.stdout.splitlines()) <= 100
