"""CSV for spreadsheets: what a customer is called never becomes a formula."""

import csv
import io

import pytest

from onelead.csv_output import csv_text


@pytest.mark.parametrize("name", ["=1+1", "+41", "-x", "@me", "\tx", "\rx"])
def test_text_that_would_be_a_formula_is_shown_as_text(name: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(("name",), [{"name": name}]), newline="")))
    assert rows == [["name"], [f"'{name}"]]


def test_everything_else_stays_as_it_is() -> None:
    row = {"name": 'Müller, "K"\nAG', "score": -1.5, "none": None}
    text = csv_text(("name", "score", "none"), [{**row, "ignored": 1}])
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["name", "score", "none"], ['Müller, "K"\nAG', "-1.5", ""]]
