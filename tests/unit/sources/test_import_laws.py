"""Laws of reading: the same rows give the same records, however they are cut into deltas."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.batch_events import to_events
from services.ingest.sources.record_ids import RecordIds
from services.ingest.sources.tables import SourceRow, SourceTable
from services.ingest.staging import stage
from shared.events import Actor, BatchMode, BatchOpened, JsonScalar, RecordKind, RecordObserved
from shared.rules.load import default_rules

RULES = default_rules()
ID_FIELDS = {
    RecordKind.INSTALL_BASE: "serial_number",
    RecordKind.OPPORTUNITY: "opportunity_id",
    RecordKind.PROJECT: "project_id",
}
Values = dict[str, JsonScalar]

cells = st.one_of(
    st.none(), st.booleans(), st.integers(-10, 10**6), st.text(max_size=6), st.just("2020-01-01")
)


@st.composite
def deltas(draw: st.DrawFn) -> tuple[RecordKind, list[Values], int]:
    """Rows of one kind with unique ids, and where they are cut in two."""
    kind = draw(st.sampled_from(sorted(ID_FIELDS)))
    fields = st.sampled_from(sorted(set(RULES.reading.columns[kind]) - {ID_FIELDS[kind]}))
    rows = draw(st.lists(st.dictionaries(fields, cells, max_size=4), max_size=6))
    named: list[Values] = [{**row, ID_FIELDS[kind]: f"ID-{n}"} for n, row in enumerate(rows)]
    return kind, named, draw(st.integers(0, len(rows)))


def imported(kind: RecordKind, rows: Sequence[Values]) -> dict[str, Any]:
    """What one import of these rows stores of each record: its content, what is wrong with it."""
    ids = RecordIds(kind, RULES.reading.missing_values)
    read = [SourceRow(n, ids.of(n, row), row, {}) for n, row in enumerate(rows, start=1)]
    table = SourceTable("a.csv", "a", kind, 2, {}, read, BatchMode.DELTA)
    opened, *observed, _ = to_events([table], "export", None, "b1", Actor())
    assert isinstance(opened, BatchOpened)
    arrived = [("id", event) for event in observed if isinstance(event, RecordObserved)]
    staged = stage(arrived, opened.parts, RULES)
    return {
        row.record_id: (
            row.outcome,
            row.content_hash,
            row.account_name,
            row.territory_id,
            [(f.column, f.reason) for f in staged.findings.get((row.part, row.row_no), ())],
        )
        for row in staged.rows
    }


@given(deltas())
def test_a_delta_with_unique_ids_may_be_split_into_two(
    delta: tuple[RecordKind, list[Values], int],
) -> None:
    kind, rows, cut = delta
    split = {**imported(kind, rows[:cut]), **imported(kind, rows[cut:])}
    assert split == imported(kind, rows)


@given(deltas())
def test_the_order_of_rows_with_unique_ids_does_not_matter(
    delta: tuple[RecordKind, list[Values], int],
) -> None:
    kind, rows, _ = delta
    assert imported(kind, rows[::-1]) == imported(kind, rows)


@given(deltas())
def test_the_same_rows_twice_give_the_same_records(
    delta: tuple[RecordKind, list[Values], int],
) -> None:
    kind, rows, _ = delta
    assert imported(kind, rows) == imported(kind, rows)


@pytest.mark.parametrize("ids", [("A", "A"), ("#", "#")])
def test_ids_that_repeat_or_are_missing_depend_on_the_file_as_they_must(
    ids: tuple[str, str],
) -> None:
    rows: list[Values] = [{"project_id": each, "account_name": "Acme"} for each in ids]
    whole = imported(RecordKind.PROJECT, rows)
    split = imported(RecordKind.PROJECT, rows[:1]) | imported(RecordKind.PROJECT, rows[1:])
    assert len(whole) == 2
    assert len(split) == 1
