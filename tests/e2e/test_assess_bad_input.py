"""Bad input: every refusal names the file, sheet or column and a remedy; never a traceback."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.command import run_onelead
from tests.support.workbooks import (
    BOX_HEADERS,
    CATALOGUE,
    EXPORT,
    PROJECT_HEADERS,
    generated,
    write_workbook,
)


def _missing(path: Path) -> None:
    path.unlink(missing_ok=True)


def _text(path: Path) -> None:
    path.write_text("Serial,Name\n1,2\n")


def _garbage(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 8)


def _encrypted(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512)


def _foreign(path: Path) -> None:
    write_workbook(path, {"Budget": [("Month", "Plan"), ("May", 5)]})


def _lacking(path: Path) -> None:
    headers = [header for header in BOX_HEADERS if header != "Product_Serial_Number"]
    sheets = generated(1).sheets()
    write_workbook(path, {**sheets, "Install Base": [headers, ["1"] * len(headers)]})


def _headers_only(path: Path) -> None:
    write_workbook(path, {"Projects": [PROJECT_HEADERS], "Opportunities": []})


def _twice(path: Path) -> None:
    write_workbook(path, {"Projects": [(*PROJECT_HEADERS, "Amount"), ["1"] * 10]})


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_missing, "export.xlsx: the file cannot be read: No such file or directory"),
        (_text, "export.xlsx: the file is not an Excel workbook, whatever its name says"),
        (_garbage, "export.xlsx: the workbook is damaged"),
        (_encrypted, "export.xlsx: the workbook is encrypted"),
        (_foreign, "no sheet has columns that OneLead knows. Found: sheet 'Budget': Month, Plan"),
        (_lacking, "sheet 'Install Base': read as install base, but a needed column is missing"),
        (_headers_only, "sheet 'Projects': there are no projects rows in it"),
        (_twice, "sheet 'Projects': column E 'Amount' and column J 'Amount' have the same header"),
    ],
)
def test_a_bad_workbook_is_refused_in_words(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    path = tmp_path / "export.xlsx"
    make(path)
    run = run_onelead("assess", path, "--as-of", "2025-10-09", home=tmp_path / "home")
    shown = " ".join(run.stderr.split())
    assert run.returncode == 2
    assert said in shown
    assert "Hint: " in shown
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--as-of", "yesterday"), "yesterday"),
        ((), "--as-of"),
        (("--as-of", "2025-10-09", "--json", "--json-lines"), "exclude each other"),
        (("--as-of", "2025-10-09", "--catalogue", EXPORT), "Looked for: service catalogue"),
        (("--as-of", "2025-10-09", "--rules", "nowhere.yaml"), "cannot read the rules file"),
    ],
)
def test_a_bad_option_is_refused_in_words(
    tmp_path: Path, arguments: tuple[str | Path, ...], said: str
) -> None:
    run = run_onelead("assess", EXPORT, *arguments, home=tmp_path)
    assert run.returncode == 2
    assert said in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr


def test_a_rules_file_changes_the_assessment(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("leads:\n  one_support_play_per_box: true\n")
    arguments = (EXPORT, CATALOGUE, "--as-of", "2025-10-09", "--json-lines", "--rules", rules)
    run = run_onelead("assess", *arguments, home=tmp_path)
    assert run.returncode == 0, run.stderr
    leads = [json.loads(line) for line in run.stdout.splitlines()]
    plays = [lead["serial_number"] for lead in leads if lead["lead_type"] != "hardware_refresh"]
    assert len(plays) == len(set(plays)) < 50


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run_onelead("assess", EXPORT, "--as-of", "2025-10-09", home=home)
    assert not home.exists()
