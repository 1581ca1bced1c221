"""`onelead templates`: what people see of the texts of mails."""

import json
from pathlib import Path

import pytest

from onelead.cli import run_command_line


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_command_line(["templates", *arguments])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_the_list_says_which_templates_are_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notice.txt.j2").write_text("{{ text }}")
    code, out, _ = run(capsys, "list", "--dir", str(tmp_path), "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert [name for name, row in rows.items() if row["own"]] == ["notice.txt.j2"]
    assert rows["notice.txt.j2"]["path"] == str(tmp_path / "notice.txt.j2")
    assert Path(rows["alert.html.j2"]["path"]).is_file()


def test_a_check_names_every_fault_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notice.txt.j2").write_text("{{ text }}\n{{ nobody }}")
    (tmp_path / "value.renewal.txt.j2").write_text("no subject")
    code, _, err = run(capsys, "check", "--dir", str(tmp_path))
    assert code == 1
    assert f"{tmp_path / 'notice.txt.j2'}, line 2: 'nobody' is undefined" in err
    assert f"{tmp_path / 'value.renewal.txt.j2'}, line 1: the letter must begin" in err


def test_a_check_without_faults_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "check")
    assert (code, err.strip()) == (0, "In order: 22 mails, 0 templates of yours")


def test_a_preview_shows_subject_and_text_and_writes_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    code, out, _ = run(capsys, "preview", "alert", "--html", str(page))
    assert code == 0
    assert out.startswith("Subject: Action Required: Support Renewal")
    assert "Why now" in out
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_a_template_may_name_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    _, letter, _ = run(capsys, "preview", "value.renewal", "--variables")
    assert json.loads(letter)["serial_number"] == "USE3256NX0"
    _, alert, _ = run(capsys, "preview", "alert", "--variables")
    assert json.loads(alert)["lead"]["value"] == "USD 5,613 – 10,525"


def test_a_mail_that_is_not_known_is_refused_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = run(capsys, "preview", "alrt")
    assert code == 2
    assert "did you mean alert?" in err
