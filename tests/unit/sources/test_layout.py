"""Which kind a sheet is, told by its headers; and what is refused, naming place and remedy."""

import pytest

from services.ingest.sources.layout import find_layout, kind_by_name, rival_notes
from services.ingest.sources.tables import Cells, Sheet
from shared.errors import UserError
from shared.events import RecordKind
from shared.rules.load import default_rules
from tests.support.workbooks import BOX_HEADERS, OPPORTUNITY_HEADERS, PROJECT_HEADERS

READING = default_rules().reading
CATALOGUE_HEADERS = ("Product", "Category", "Service", "SKU", "List Price", "Margin")
HEADERS: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.INSTALL_BASE: BOX_HEADERS,
    RecordKind.OPPORTUNITY: OPPORTUNITY_HEADERS,
    RecordKind.PROJECT: PROJECT_HEADERS,
    RecordKind.CATALOGUE: CATALOGUE_HEADERS,
}


def sheet(*rows: Cells, name: str = "Sheet1") -> Sheet:
    return Sheet("export.xlsx", name, list(rows))


@pytest.mark.parametrize("kind", RecordKind)
def test_a_sheet_is_known_by_its_headers_whatever_its_name(kind: RecordKind) -> None:
    layout = find_layout(sheet(HEADERS[kind], ("x",)), READING)
    assert layout is not None
    assert (layout.kind, layout.header_index, layout.missing) == (kind, 0, ())


@pytest.mark.parametrize("kind", RecordKind)
def test_case_blanks_underscores_and_order_do_not_matter(kind: RecordKind) -> None:
    spelled = tuple(h.replace("_", "  ").upper() for h in reversed(HEADERS[kind]))
    layout = find_layout(sheet(spelled, ("x",)), READING)
    assert layout is not None
    assert layout.kind is kind
    assert len(layout.columns) == len(HEADERS[kind])


def test_a_title_and_blank_rows_may_stand_above_the_headers() -> None:
    title = ("Lifecycle services by product (internal list prices, USD)", None)
    layout = find_layout(sheet(title, (), CATALOGUE_HEADERS, ("3PAR",)), READING)
    assert layout is not None
    assert layout.header_index == 2


def test_of_two_headers_for_one_field_the_spelling_listed_first_counts() -> None:
    headers = ("Company", *PROJECT_HEADERS)
    layout = find_layout(sheet(headers, ("x",)), READING)
    assert layout is not None
    assert headers[layout.columns["account_name"]] == "Customer_Name"


def test_a_sheet_of_something_else_is_none_of_ours() -> None:
    assert find_layout(sheet(("Pivot", "Sum of Amount"), ("a", 1), name="Summary"), READING) is None
    assert find_layout(sheet(name="Sheet3"), READING) is None


def test_a_sheet_clearly_of_a_kind_that_lacks_a_needed_column_is_refused() -> None:
    headers = tuple(h for h in PROJECT_HEADERS if h != "Status")
    with pytest.raises(UserError) as refused:
        find_layout(sheet(headers, ("x",)), READING)
    message = refused.value.message
    assert "export.xlsx, sheet 'Sheet1': read as projects" in message
    assert "status (known as Status, Project Status" in message
    assert "Customer_Name" in message


def test_a_sheet_named_as_a_kind_is_refused_when_its_headers_are_unknown() -> None:
    with pytest.raises(UserError) as refused:
        find_layout(sheet(("Foo", "Bar"), ("x", "y"), name="Install_Base"), READING)
    assert "Found: sheet 'Install_Base': Foo, Bar." in refused.value.message
    assert "Looked for: install base: Account Sales Territory Id" in refused.value.message


@pytest.mark.parametrize("rows", [(), ((), (None, ""))])
def test_an_empty_sheet_named_as_a_kind_is_of_that_kind_without_rows(
    rows: tuple[Cells, ...],
) -> None:
    layout = find_layout(sheet(*rows, name="Projects"), READING)
    assert layout is not None
    assert (layout.kind, layout.has_rows) == (RecordKind.PROJECT, False)


def test_headers_without_rows_are_known_as_such() -> None:
    empty = find_layout(sheet(("a title",), PROJECT_HEADERS, (None, "")), READING)
    filled = find_layout(sheet(("a title",), PROJECT_HEADERS, (None, ""), ("x",)), READING)
    assert empty is not None
    assert filled is not None
    assert (empty.has_rows, filled.has_rows) == (False, True)


def test_two_columns_under_one_header_are_refused_naming_both() -> None:
    twice = (*PROJECT_HEADERS, " amount")
    with pytest.raises(UserError) as refused:
        find_layout(sheet(twice, ("x",)), READING)
    both = "column E 'Amount' and column J 'amount' have the same header"
    assert f"sheet 'Sheet1': {both}; which of them is the amount?" in refused.value.message


def test_of_two_spellings_of_one_field_it_is_told_which_is_read() -> None:
    spelled = sheet(("Company", *PROJECT_HEADERS), ("x",))
    layout = find_layout(spelled, READING)
    assert layout is not None
    assert list(rival_notes(spelled, layout)) == [
        "export.xlsx, sheet 'Sheet1': column D 'Customer_Name' is read as account_name; "
        "column A 'Company' would mean the same and is kept aside"
    ]


def test_columns_are_named_as_a_spreadsheet_names_them() -> None:
    wide = sheet((*[None] * 25, *PROJECT_HEADERS, *[None] * 668, "Company"), ("x",) * 800)
    layout = find_layout(wide, READING)
    assert layout is not None
    (note,) = rival_notes(wide, layout)
    assert "column AB 'Customer_Name'" in note
    assert "column AAA 'Company'" in note


def test_a_kind_that_is_given_decides() -> None:
    both = (*OPPORTUNITY_HEADERS, "Customer", "Status", "Updated")
    opportunity = find_layout(sheet(both, ("x",)), READING)
    project = find_layout(sheet(both, ("x",)), READING, RecordKind.PROJECT)
    assert opportunity is not None
    assert project is not None
    assert (opportunity.kind, project.kind) == (RecordKind.OPPORTUNITY, RecordKind.PROJECT)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Install Base", RecordKind.INSTALL_BASE),
        ("opportunities", RecordKind.OPPORTUNITY),
        ("LS SKU", RecordKind.CATALOGUE),
        ("Sheet1", None),
    ],
)
def test_a_sheets_name_is_a_help(name: str, kind: RecordKind | None) -> None:
    assert kind_by_name(name) is kind
