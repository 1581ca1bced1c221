"""A history is read back as it was written; the table has its place in a page and nowhere else."""

from pathlib import Path

import pytest

from shared.errors import UserError
from tests.faults import table
from tests.faults.checker import Verdict
from tests.faults.history import (
    Broken,
    Entry,
    Fault,
    History,
    Input,
    Mark,
    Poison,
    PutAside,
    Told,
    read,
)
from tests.faults.violation import Violation

VERDICT = Verdict([Violation("lost", "lead", "why")], 3, 1_200, 70, 20, [1.0, 9.0, 2.0], 0.71, 1.23)


def test_a_history_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    entries: list[Entry] = [
        Input("a", "BOX", 1, {"serial_number": "BOX"}, "id", 1.5),
        Input("a", "BOX", 2, None, "id2"),
        Fault("kill", 1, "scoring-0", 1.0, 2.0, 0.3),
        Mark("kill", 1, "a", "lead", 2.0, 60.0),
        Told("a", "lead", 7, "open", "content", "news"),
        Poison("a", "t", 0, 7, "no JSON"),
        PutAside("t", 0, 7),
        Broken("point", 2, "never reached"),
    ]
    history = History(tmp_path / "history.jsonl", seed=4)
    history.add(*entries)
    history.close()
    assert list(read(history.path)) == entries
    assert history.path.read_text().startswith('{"kind":"seed","seed":4}')


def test_the_table_tells_counts_median_and_worst() -> None:
    last = table.markdown([table.Line("kill -9", VERDICT)]).splitlines()[-1]
    assert last == "| kill -9 | 3 | 1,200 | 70 | 20 | 1 | 0 | 0 | 0 | 0 | 2.0 s | 9.0 s |"


def test_stops_and_retries_are_told_where_they_were_measured() -> None:
    quiet = table.Line("quiet", Verdict([], 1, 1, 1, 1, []))
    assert table.measured([quiet]) == ""
    told = table.measured([quiet, table.Line("kill -9", VERDICT)])
    assert "0.7 s" in told
    assert "1.2 times a second" in told


def test_the_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A\n{table.BEGIN}\nold\n{table.END}\n# B\n")
    table.write(page, "new")
    assert page.read_text() == f"# A\n{table.BEGIN}\nnew\n{table.END}\n# B\n"


def test_a_page_without_a_place_for_the_table_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n")
    with pytest.raises(UserError, match="has no place for the table"):
        table.write(page, "new")
