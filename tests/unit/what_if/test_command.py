"""What `onelead what-if` refuses before it looks at any data."""

from pathlib import Path

import pytest

from onelead.cli import run_command_line

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which rules?"),
        (["--profile", "classic", "--json", "--csv"], "--json and --csv exclude each other"),
        (["--profile", "classic", "--out", "x.json"], "--out needs to know what to write"),
        (["--profile", "classic", "--tenant", "No_Such"], "use 1 to 40 of a-z"),
        (["--rules", "none.yaml"], "none.yaml: cannot read the rules file"),
    ],
)
def test_what_makes_no_sense_is_refused(
    arguments: list[str],
    said: str,
    capsys: Captured,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONELEAD_HOME", str(tmp_path))
    assert run_command_line(["what-if", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_bad_rules_file_is_refused_with_its_place_as_by_rules_apply(
    capsys: Captured, tmp_path: Path
) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("scoring:\n  weights:\n    urgncy: 0.5\n")
    assert run_command_line(["what-if", "--rules", str(file)]) == 2
    refused = capsys.readouterr().err
    assert "new.yaml:3:5: scoring.weights.urgncy: unknown key; did you mean urgency?" in refused
    assert run_command_line(["rules", "apply", str(file)]) == 2
    assert capsys.readouterr().err == refused


def test_without_a_running_onelead_it_says_how_to_start_one(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONELEAD_HOME", str(tmp_path / "nothing"))
    assert run_command_line(["what-if", "--profile", "classic"]) == 2
    assert "onelead up" in capsys.readouterr().err
