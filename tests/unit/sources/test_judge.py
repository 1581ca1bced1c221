"""What becomes of a row: used, degraded, quarantined; each flaw named where a person finds it."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.records import Box, CatalogueRow, Opportunity, Project
from services.ingest.sources.judge import judge_record, keep_latest_service, repeat_finding
from shared.events import JsonScalar, RecordKind
from shared.rules.load import default_rules
from tests.support.builders import a_box, a_part, an_observed_row, changed

RULES = default_rules()


def judged_project(**values: JsonScalar) -> Project:
    row = {"account_name": "Acme", "status": "CLSD", **values}
    record = judge_record(an_observed_row(RecordKind.PROJECT, row), None, RULES).record
    assert isinstance(record, Project)
    return record


def test_a_clean_box_is_used_with_its_values() -> None:
    row: dict[str, JsonScalar] = {
        "serial_number": " use3256nx0 ",
        "territory_id": 56088.0,
        "product_name": "HP DL360p",
        "end_of_life": "2015-07-01 00:00:00",
        "service_end": "(null)",
        "quantity": "3",
    }
    judgement = judge_record(an_observed_row(RecordKind.INSTALL_BASE, row, row=7), None, RULES)
    assert judgement.outcome == "used"
    assert judgement.record == Box(
        record_id="USE3256NX0",
        row=7,
        serial_number="use3256nx0",
        territory_id="56088",
        product_name="HP DL360p",
        end_of_life=date(2015, 7, 1),
        quantity=3,
    )


def test_a_finding_names_file_sheet_row_and_column_as_the_file_has_them() -> None:
    part = a_part(RecordKind.PROJECT, labor_cost="Labor Cost (k)")
    row: dict[str, JsonScalar] = {"account_name": "Acme", "labor_cost": "Yes"}
    judgement = judge_record(an_observed_row(RecordKind.PROJECT, row, row=10), part, RULES)
    (finding,) = judgement.findings
    assert judgement.outcome == finding.outcome == "degraded"
    assert (finding.file, finding.sheet, finding.row) == ("export.xlsx", "Sheet 1", 13)
    assert (finding.column, finding.raw_value) == ("Labor Cost (k)", "Yes")


def test_a_value_that_cannot_be_read_is_missing_and_the_rest_is_used() -> None:
    project = judged_project(amount="1.234,56", updated="31.12.2020", start="2020-01-01")
    assert (project.amount, project.updated, project.start) == (None, None, date(2020, 1, 1))


def test_another_currency_is_kept_but_does_not_count() -> None:
    row: dict[str, JsonScalar] = {"account_name": "Acme", "amount": 5, "currency": "eur"}
    judgement = judge_record(an_observed_row(RecordKind.PROJECT, row), None, RULES)
    assert isinstance(judgement.record, Project)
    assert judgement.record.amount == Decimal(5)
    assert not judgement.record.counts_in("USD")
    assert [(f.column, f.raw_value) for f in judgement.findings] == [("currency", "EUR")]


def test_a_currency_symbol_speaks_where_no_column_does() -> None:
    assert judged_project(amount="€5").currency == "EUR"
    assert judged_project(amount="$5").currency is None


def test_the_tenants_own_currency_counts() -> None:
    assert judged_project(amount=5, currency="USD").counts_in("USD")
    in_euro = changed(RULES, currency="EUR")
    row: dict[str, JsonScalar] = {"account_name": "Acme", "amount": 5, "currency": "EUR"}
    assert judge_record(an_observed_row(RecordKind.PROJECT, row), None, in_euro).outcome == "used"


def test_a_row_without_name_and_territory_is_kept_and_told() -> None:
    judgement = judge_record(
        an_observed_row(RecordKind.OPPORTUNITY, {"account_name": "#", "stage": "Proposal"}),
        None,
        RULES,
    )
    assert isinstance(judgement.record, Opportunity)
    assert judgement.record.account_name is None
    assert "without an account" in judgement.findings[0].reason


def test_a_box_without_a_serial_number_keeps_its_stand_in_and_is_told() -> None:
    row: dict[str, JsonScalar] = {"product_id": "P1", "territory_id": 5}
    judgement = judge_record(
        an_observed_row(RecordKind.INSTALL_BASE, row, record_id="no-serial/5/p1/2"), None, RULES
    )
    assert judgement.record is not None
    assert judgement.record.record_id == "NO-SERIAL/5/P1/2"
    assert [f.column for f in judgement.findings] == ["serial_number"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (RecordKind.INSTALL_BASE, {"territory_id": "5", "support_status": "Expired"}),
        (RecordKind.OPPORTUNITY, {"stage": "(null)"}),
        (RecordKind.PROJECT, {"account_name": "#"}),
        (RecordKind.CATALOGUE, {"service": "Migration"}),
        (RecordKind.CATALOGUE, {"product": "3PAR", "list_price": 5}),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined_with_the_reason(
    kind: RecordKind, values: dict[str, JsonScalar]
) -> None:
    judgement = judge_record(an_observed_row(kind, values), None, RULES)
    assert (judgement.record, judgement.outcome) == (None, "quarantined")
    assert judgement.findings[0].outcome == "quarantined"
    assert judgement.findings[0].reason


def test_a_catalogue_row_may_hold_several_skus_at_one_price() -> None:
    row: dict[str, JsonScalar] = {
        "product": "Primera",
        "service": "Health Check",
        "sku": "H9Q53AC\nU7939E, U7939E,HA124A1 5QX",
        "list_price": "8,100",
        "margin": 1.2,
    }
    judgement = judge_record(an_observed_row(RecordKind.CATALOGUE, row), None, RULES)
    assert isinstance(judgement.record, CatalogueRow)
    assert judgement.record.family == "PRIMERA"
    assert judgement.record.skus == ("H9Q53AC", "U7939E", "HA124A1 5QX")
    assert judgement.record.list_price == Decimal(8100)
    assert judgement.record.margin is None
    assert [f.column for f in judgement.findings] == ["margin"]


def test_of_a_repeated_box_the_latest_service_end_is_kept() -> None:
    early, late = a_box(row=1, service_end=date(2020, 1, 1)), a_box(row=2, service_end=None)
    assert keep_latest_service(early, late) == (early, late)
    assert keep_latest_service(late, early) == (early, late)


def test_of_equal_repeats_the_first_is_kept() -> None:
    first, second = a_box(row=1), a_box(row=2)
    assert keep_latest_service(first, second) == (first, second)


def test_the_finding_of_a_repeat_names_the_row_that_was_dropped() -> None:
    part = a_part(RecordKind.INSTALL_BASE)
    finding = repeat_finding(a_box(row=5), a_box(row=2), part)
    assert (finding.row, finding.outcome) == (8, "quarantined")
    assert finding.reason == "repeats a box; its row with the latest service end is kept"
    assert finding.detail == "SERIAL1 is in row 5 of export.xlsx, Sheet 1"


def test_the_row_that_is_kept_may_stand_in_another_file() -> None:
    part = a_part(RecordKind.INSTALL_BASE)
    other = part.model_copy(update={"file": "other.csv", "sheet": "other", "first_row": 2})
    finding = repeat_finding(a_box(row=5), a_box(row=2), part, kept_part=other)
    assert finding.detail == "SERIAL1 is in row 3 of other.csv, other"


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())


@given(kind=st.sampled_from(RecordKind), data=st.data())
def test_whatever_a_row_holds_it_is_judged(kind: RecordKind, data: st.DataObject) -> None:
    fields = st.sampled_from(sorted(RULES.reading.columns[kind]))
    values = data.draw(st.dictionaries(fields, scalars))
    judgement = judge_record(an_observed_row(kind, values), None, RULES)
    assert (judgement.record is None) == (judgement.outcome == "quarantined")
    assert bool(judgement.findings) == (judgement.outcome != "used")
    if judgement.record is not None:
        stored = judgement.record.model_dump_json()
        assert type(judgement.record).model_validate_json(stored) == judgement.record


@pytest.mark.parametrize("raw", ["Yes", "No", "TBD", "1.234,56", "28k", True])
def test_money_that_is_none_is_missing_and_a_finding_with_its_place(raw: JsonScalar) -> None:
    part = a_part(RecordKind.PROJECT, amount="Amount (USD)")
    row: dict[str, JsonScalar] = {"account_name": "Acme", "amount": raw}
    judgement = judge_record(an_observed_row(RecordKind.PROJECT, row, row=2), part, RULES)
    assert isinstance(judgement.record, Project)
    assert judgement.record.amount is None
    (finding,) = judgement.findings
    assert (finding.sheet, finding.row, finding.column) == ("Sheet 1", 5, "Amount (USD)")
    assert (finding.raw_value, finding.reason) == (raw, "not an amount of money")


def test_a_date_that_is_none_is_missing_and_a_finding_with_its_place() -> None:
    part = a_part(RecordKind.INSTALL_BASE, end_of_life="EOL")
    row: dict[str, JsonScalar] = {"serial_number": "A", "territory_id": 5, "end_of_life": "soon"}
    judgement = judge_record(an_observed_row(RecordKind.INSTALL_BASE, row, row=1), part, RULES)
    assert isinstance(judgement.record, Box)
    assert judgement.record.end_of_life is None
    (finding,) = judgement.findings
    assert (finding.sheet, finding.row, finding.column) == ("Sheet 1", 4, "EOL")
    assert (finding.raw_value, finding.reason) == ("soon", "not a date that can be read")


@pytest.mark.parametrize("word", ["(null)", "NULL", "NaN", "n/a", "", "  ", None])
def test_words_for_nothing_leave_every_field_missing_without_a_finding(word: JsonScalar) -> None:
    row: dict[str, JsonScalar] = {"account_name": "Acme", "amount": word, "updated": word}
    judgement = judge_record(
        an_observed_row(RecordKind.PROJECT, {**row, "status": word}), None, RULES
    )
    assert judgement.outcome == "used"
    assert isinstance(judgement.record, Project)
    found = judgement.record
    assert (found.amount, found.updated, found.status) == (None, None, None)


def test_stage_and_support_status_are_trimmed() -> None:
    deal = an_observed_row(RecordKind.OPPORTUNITY, {"account_name": "A", "stage": " closed won "})
    box = an_observed_row(
        RecordKind.INSTALL_BASE, {"serial_number": "A", "support_status": " Uncovered "}
    )
    opportunity, owned = (judge_record(each, None, RULES).record for each in (deal, box))
    assert isinstance(opportunity, Opportunity)
    assert isinstance(owned, Box)
    assert (opportunity.stage, owned.support_status) == ("closed won", "Uncovered")


@pytest.mark.parametrize(("raw", "items"), [(3, 3), ("4", 4), (0, 1), (-2, 1), (None, 1), ("x", 1)])
def test_a_quantity_is_of_the_one_box_and_at_least_one(raw: JsonScalar, items: int) -> None:
    row: dict[str, JsonScalar] = {"serial_number": "A", "quantity": raw}
    record = judge_record(an_observed_row(RecordKind.INSTALL_BASE, row), None, RULES).record
    assert isinstance(record, Box)
    assert record.quantity == items
