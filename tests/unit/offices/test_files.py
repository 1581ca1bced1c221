"""Files of offices: read from YAML and CSV, written as both, each mistake told with its place."""

from datetime import date
from pathlib import Path

import pytest

from onelead.offices.files import as_csv, as_yaml, offices_over
from onelead.offices.holes import holes, turns
from onelead.offices.present import differences, found_in_words, summary
from shared.errors import UserError
from shared.rules.load import default_rules, load_rules, with_offices_of
from shared.rules.offices import Offices
from tests.support.command import ROOT
from tests.support.office_builders import EGELI, LUZERN, ROMANDIE, SWISS, offices, with_offices

DAY = date(2026, 3, 1)
SAMPLE = ROOT / "samples/offices.yaml"


def read(tmp_path: Path, name: str, content: str | bytes) -> Offices:
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return offices_over(default_rules(), file).offices


def refusal(tmp_path: Path, name: str, content: str | bytes) -> str:
    with pytest.raises(UserError) as refused:
        read(tmp_path, name, content)
    return refused.value.message.replace(f"{tmp_path}/", "")


def test_the_sample_holds_the_offices_of_the_rules() -> None:
    expected = offices(*SWISS, country="CH")
    assert offices_over(default_rules(), SAMPLE).offices == expected
    assert load_rules(SAMPLE).offices == expected, "it is a rules file too"


CSV = {
    "commas": "office,from,to\nluzern,6000,6999\negeli,,\n",
    "semicolons and other words": "Büro;PLZ von;PLZ bis\nluzern;6000;6999\n\negeli;;\n",
    "a mark, tabs and another order": "\ufeffto\tfrom\toffice\n6999\t6000\tluzern\n\t\tegeli\n",
    "short rows": "office,from,to,valid_until\nluzern,6000,6999\negeli\n",
    "quotes": '"office","from","to"\n"luzern","6000","6999"\n"egeli","",""\n',
}


@pytest.mark.parametrize("content", CSV.values(), ids=CSV)
def test_csv_is_read_however_it_is_written(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, "o.csv", content).ranges == offices(LUZERN, EGELI).ranges


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_csv_is_read_in_the_encodings_of_spreadsheets(tmp_path: Path, encoding: str) -> None:
    content = "Büro,from\nZürich,8000\n".encode(encoding)
    assert read(tmp_path, "o.csv", content).ranges[0].office == "Zürich"


REFUSED = {
    "an overlap in CSV": (
        "o.csv",
        "office,from,to\nluzern,6000,6999\n\nzug,6300,6319\n",
        "o.csv: row 4, column office: offices.ranges[2]: zug 6300–6319 overlaps luzern "
        "6000–6999, range 1",
    ),
    "an overlap in YAML": (
        "o.yaml",
        "offices:\n  ranges:\n  - {office: a, from: 1, to: 5}\n  - {office: b, from: 5}\n",
        "o.yaml:4:5: offices.ranges[2]: b 5 overlaps a 1–5, range 1",
    ),
    "a date in CSV": (
        "o.csv",
        "office,from,valid_from\nluzern,6000,01.02.2026\n",
        "o.csv: row 2, column valid_from: offices.ranges[1].valid_from: '01.02.2026'",
    ),
    "a code in CSV": (
        "o.csv",
        "Filiale;von;bis\nluzern;6000;6*\n",
        "o.csv: row 2, column bis: offices.ranges[1].to: '6*' is no postal code",
    ),
    "an unknown column": (
        "o.csv",
        "office,from,colour\nluzern,6000,red\n",
        "o.csv: row 1, column 'colour': unknown; known are office, country, from",
    ),
    "a column twice": ("o.csv", "office,from,von\na,1,1\n", "o.csv: row 1, column 'von': from is"),
    "no column of offices": ("o.csv", "from,to\n1,2\n", "row 1: there is no column office"),
    "too many cells": ("o.csv", "office,from\na,1,2\n", "o.csv: row 2: 3 cells, but 2 columns"),
    "a quotation mark left open": ("o.csv", 'office,from\n"a,1\n', "this is not CSV"),
    "no text": ("o.csv", b"office,from\n\0\xff,1\n", "o.csv: this is no text"),
    "a missing office": (
        "o.csv",
        "office,from\n,6000\n",
        "o.csv: row 2, column office: offices.ranges[1].office: is missing",
    ),
    "ends that can be read in two ways, in CSV": (
        "o.csv",
        "office,country,from,to\nboston,US,501,2799\n",
        "o.csv: row 2, column to: offices.ranges[1].to: 501 and 2799 can be read in two ways, as "
        "codes of US have 5 digits: 501 may be 00501 or every code that begins with 501; 2799 may "
        "be 02799 or every code that begins with 2799. Write both with 5 digits",
    ),
    "ends that can be read in two ways, in YAML": (
        "o.yaml",
        "offices:\n  ranges:\n  - {office: a, country: US, from: 501, to: 2799}\n",
        "o.yaml:3:45: offices.ranges[1].to: 501 and 2799 can be read in two ways",
    ),
    "an empty beginning": (
        "o.csv",
        "office,from,to\nluzern,,6999\n",
        "o.csv: row 2, column from: offices.ranges[1].from: is empty, but the range ends with 6999",
    ),
    "no rows": (
        "o.csv",
        "office,from,to\n",
        "o.csv: no row has an office, so all offices would go",
    ),
    "blank rows only": ("o.csv", "office,from\n,\n\n", "o.csv: no row has an office"),
    "other rules": (
        "o.yaml",
        "currency: CHF\noffices: {ranges: []}\n",
        "o.yaml:1:1: currency: unknown key; an offices file holds `offices:` only",
    ),
    "a misspelt key": (
        "o.yaml",
        "offices:\n  ranges:\n  - {office: a, form: 1}\n",
        "o.yaml:3:17: offices.ranges[1].form: unknown key; did you mean from?",
    ),
    "a number with a point": (
        "o.yaml",
        "offices:\n  ranges:\n  - {office: a, from: 60.5}\n",
        "offices.ranges[1].from: 60.5 is not allowed here",
    ),
}


@pytest.mark.parametrize(("name", "content", "said"), REFUSED.values(), ids=REFUSED)
def test_each_mistake_is_told_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    assert said in refusal(tmp_path, name, content)


def test_a_file_that_is_not_there_or_endless_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot read the offices file"):
        offices_over(default_rules(), tmp_path / "none.yaml")
    assert "larger than" in refusal(tmp_path, "o.csv", "office,from\n" + "a,1\n" * 300_000)


WRITTEN = with_offices(
    *SWISS,
    {"office": "zug", "from": "04000", "to": "04999", "country": "DE", "valid_from": "2026-01-01"},
).offices


def test_what_is_written_as_yaml_is_read_again_as_it_was(tmp_path: Path) -> None:
    assert read(tmp_path, "o.yaml", as_yaml(WRITTEN)) == WRITTEN


def test_what_is_written_as_csv_has_the_same_ranges_again(tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    file.write_text(as_csv(WRITTEN))
    again = offices_over(with_offices(), file).offices
    held, written = (
        [(each.office, each.codes, each.days, each.country or "CH") for each in of.ranges]
        for of in (again, WRITTEN)
    )
    assert (held, again.country) == (written, "CH")


def test_words_for_countries_stay_where_a_table_replaces_the_ranges(tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    file.write_text("office,from,to\nluzern,6000,6999\n")
    held = offices(EGELI, country="CH").model_copy(update={"country_names": {"CH": ("Helvetia",)}})
    rules = default_rules().model_copy(update={"offices": held})
    assert offices_over(rules, file).offices == held.model_copy(
        update={"ranges": offices(LUZERN).ranges}
    )


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("currency: CHF\n", True),
        ("offices: {ranges: []}\n", True),
        ("offices: {ranges: [{office: zug, from: 6300}]}\n", False),
    ],
)
def test_a_rules_file_without_ranges_leaves_the_offices_alone(
    tmp_path: Path, text: str, kept: bool
) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    after = with_offices_of(load_rules(file), file, with_offices(*SWISS))
    assert (after.offices == with_offices(*SWISS).offices) is kept
    assert after.currency == load_rules(file).currency


def test_an_empty_file_of_offices_takes_them_all_away(tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    file.write_text("ranges: []\n")
    assert offices_over(with_offices(*SWISS), file) == default_rules()


def test_a_new_file_replaces_all_ranges_before_it(tmp_path: Path) -> None:
    file = tmp_path / "o.csv"
    file.write_text("office,from\nzug,6300\n")
    assert [str(each) for each in offices_over(with_offices(*SWISS), file).offices.ranges] == [
        "zug 6300"
    ]


def test_what_is_left_open_is_told_and_nothing_where_an_office_has_the_rest() -> None:
    assert [str(hole) for hole in holes(offices(LUZERN, ROMANDIE), DAY)] == ["3000–5999"]
    assert holes(offices(LUZERN, ROMANDIE, EGELI), DAY) == []
    assert holes(offices({**LUZERN, "valid_from": "2027-01-01"}, ROMANDIE), DAY) == []
    said = list(summary(offices(LUZERN, ROMANDIE), DAY))
    assert "Left open on 2026-03-01: 3000–5999" in said
    assert "No office has every other code on 2026-03-01: such leads are unassigned" in said


def test_the_days_on_which_something_changes_are_told() -> None:
    changing = offices(
        {**LUZERN, "valid_until": "2026-03-31"},
        {"office": "zug", "from": 6000, "to": 6999, "valid_from": "2026-04-01"},
        {**ROMANDIE, "valid_from": "2020-01-01"},
    )
    assert turns(changing, DAY) == [date(2026, 4, 1)]


def test_a_code_is_found_with_the_range_that_has_it() -> None:
    swiss = offices(*SWISS, country="CH")
    assert found_in_words(swiss, "3900", None, DAY) == (
        "3900 belongs to romandie on 2026-03-01: range 3, romandie 3900–3999"
    )
    assert found_in_words(offices(LUZERN), "1", None, DAY).startswith("1 is unassigned")
    assert found_in_words(offices(), "1", None, DAY) == "There are no offices"


def test_differences_are_told_range_by_range() -> None:
    changed = offices(LUZERN, {**EGELI, "valid_from": "2026-01-01"}, country="CH")
    assert list(differences(offices(LUZERN, EGELI), changed)) == [
        "- egeli every other code",
        "+ egeli every other code from 2026-01-01",
        "country: none → CH",
    ]
