"""The rules to compare with are those that `rules apply` would put in force, or settings over them."""

from pathlib import Path

import pytest

from onelead.what_if.new_rules import Setting, new_rules, notes_on, settings_changed
from shared.errors import UserError
from shared.rules.load import load_rules
from tests.support.builders import changed
from tests.unit.what_if.sides import RULES

IN_FORCE = changed(RULES, scoring__priorities__critical=80)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "new.yaml"
    path.write_text("leads:\n  renewal:\n    ahead_days: 90\n")
    return path


def test_a_file_stands_over_the_defaults_as_when_it_is_applied(file: Path) -> None:
    assert new_rules(IN_FORCE, file, []) == load_rules(file)
    assert new_rules(IN_FORCE, file, []).scoring.priorities.critical == 75


def test_settings_stand_over_the_rules_in_force() -> None:
    found = new_rules(IN_FORCE, None, ["leads.renewal.ahead_days=30"])
    assert found == changed(IN_FORCE, leads__renewal__ahead_days=30)


def test_settings_stand_over_a_file(file: Path) -> None:
    found = new_rules(IN_FORCE, file, ["leads.renewal.ahead_days=30"])
    assert found == changed(RULES, leads__renewal__ahead_days=30)


def test_settings_that_only_hold_together_are_taken_together() -> None:
    settings = ["scoring.weights.urgency=0.40", "scoring.weights.value=0.25"]
    assert new_rules(RULES, None, settings).scoring.weights.urgency == 0.4
    with pytest.raises(UserError, match=r"--set: scoring\.weights: the weights add up to 1\.05"):
        new_rules(RULES, None, settings[:1])


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("leads.competitor_support_plays=true", "leads__competitor_support_plays", True),
        ("leads.renewal.max_days_since_eol = 900", "leads__renewal__max_days_since_eol", 900),
        ("accounts.territory_map.70001=Acme, Inc.", "accounts__territory_map__70001", "Acme, Inc."),
        ("recommendation.bundles.families=[3PAR]", "recommendation__bundles__families", ("3PAR",)),
    ],
)
def test_values_are_written_as_in_a_rules_file(setting: str, path: str, value: object) -> None:
    assert new_rules(RULES, None, [setting]) == changed(RULES, **{path: value})


def test_an_entry_may_be_taken_out_of_a_table() -> None:
    found = new_rules(RULES, None, ["accounts.territory_map.56088="])
    assert set(RULES.accounts.territory_map) - set(found.accounts.territory_map) == {"56088"}


@pytest.mark.parametrize("setting", ["leads.renewal", "=3", "leads..ahead_days=1", ".a=1"])
def test_what_is_no_setting_is_refused(setting: str) -> None:
    with pytest.raises(UserError, match="this is no setting"):
        new_rules(RULES, None, [setting])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "leads.renewal.ahed_days=9",
            r"leads\.renewal\.ahed_days: unknown key; did you mean ahead",
        ),
        ("leads.renewal.ahead_days=soon", "'soon' is not allowed here; expected a whole number"),
        ("scoring.profile=clasic", "'default' or 'classic'"),
        ("leads.renewal.ahead_days=[1", "this is not YAML"),
        ("scoring.priorities.critical=50", "bands out of order"),
    ],
)
def test_what_cannot_hold_is_refused_with_its_path(setting: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        new_rules(RULES, None, [setting])
    assert str(refused.value).startswith("--set")


def test_a_file_that_cannot_hold_is_refused_with_its_place(file: Path) -> None:
    file.write_text("leads:\n  renewal:\n    ahead_days: soon\n")
    with pytest.raises(UserError, match=r"new\.yaml:3:17: leads\.renewal\.ahead_days"):
        new_rules(RULES, file, [])


def test_every_rule_that_is_other_is_named_with_both_values() -> None:
    rules = changed(
        RULES,
        leads__renewal__max_days_since_eol=900,
        recommendation__base_priority={"Migration": 3.0},
    )
    assert settings_changed(RULES, rules) == [
        Setting("leads.renewal.max_days_since_eol", None, 900),
        Setting("recommendation.base_priority.Migration", None, 3.0),
    ]
    assert settings_changed(RULES, RULES) == []


@pytest.mark.parametrize(
    ("path", "anew", "said"),
    [
        ("accounts.link_at", False, ["--names-anew"]),
        ("accounts.autolink_conflicting_words", False, ["--names-anew"]),
        ("accounts.link_at", True, []),
        ("reading.columns.install_base.serial_number", False, ["coming imports"]),
        ("reading.won_stages", False, []),
        ("leads.renewal.ahead_days", False, []),
    ],
)
def test_a_rule_that_acts_later_says_so(path: str, anew: bool, said: list[str]) -> None:
    notes = notes_on([Setting(path, 1, 2)], names_anew=anew)
    assert len(notes) == len(said)
    assert all(word in note for word, note in zip(said, notes, strict=True))
