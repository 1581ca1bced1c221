"""A tenant's file changes what it says and nothing else; equal rules have equal versions."""

from decimal import Decimal
from pathlib import Path

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.load import (
    DEFAULT_FILE,
    default_rules,
    load_rules,
    parse_rules,
    rules_document,
    rules_version,
)
from shared.rules.model import Rules

DEFAULTS = default_rules()


def loaded(tmp_path: Path, text: str) -> Rules:
    file = tmp_path / "my.yaml"
    file.write_text(text, encoding="utf-8")
    return load_rules(file)


def test_without_a_file_the_defaults_hold() -> None:
    assert load_rules(None) is DEFAULTS


def test_the_default_file_laid_over_itself_changes_nothing() -> None:
    assert load_rules(DEFAULT_FILE) == DEFAULTS


def test_a_file_changes_only_what_it_says(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "scoring:\n  priorities:\n    critical: 80\n")
    assert rules.scoring.priorities.critical == 80
    assert rules.scoring.priorities.high == 60
    before, after = rules_document(DEFAULTS), rules_document(rules)
    after["scoring"]["priorities"]["critical"] = before["scoring"]["priorities"]["critical"]
    assert after == before


def test_a_list_is_replaced_as_a_whole(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "products:\n  competitor_brands: [FUJITSU]\n")
    assert rules.products.competitor_brands == ("FUJITSU",)


def test_a_table_of_names_is_merged_entry_by_entry(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "accounts:\n  territory_map: {56322: Nordwind}\n")
    assert rules.accounts.territory_map == {
        **DEFAULTS.accounts.territory_map,
        "56322": "Nordwind",
    }


def test_null_takes_an_entry_of_a_table_away(tmp_path: Path) -> None:
    rules = loaded(
        tmp_path,
        "accounts:\n  territory_map: {56088: null, 1: null}\n"
        "recommendation:\n  boosts: {renewal: {upgrade: null}, service_attach: null}\n",
    )
    assert rules.accounts.territory_map == {"56180": "APPLIED MATERIALS, INC."}
    assert set(rules.recommendation.boosts) == {"renewal", "hardware_refresh"}
    assert set(rules.recommendation.boosts["renewal"]) == {"health check", "performance"}


def test_null_where_nothing_is_a_value_is_that_value(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "leads:\n  renewal: {max_days_since_eol: 3650}\n")
    assert rules.leads.renewal.max_days_since_eol == 3650
    rules = loaded(tmp_path, "leads:\n  renewal: {max_days_since_eol: null}\n")
    assert rules.leads.renewal.max_days_since_eol is None


@pytest.mark.parametrize(
    "text", ["scoring:\n", "scoring:\n  weights:\n  # urgency: 0.5\n", "accounts: {name_map: }\n"]
)
def test_a_heading_with_nothing_below_says_nothing(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) == DEFAULTS


def test_a_new_family_may_be_named_by_the_other_rules(tmp_path: Path) -> None:
    rules = loaded(
        tmp_path,
        "products:\n  families:\n    - {family: SYNERGY, patterns: ['\\bsynergy\\b']}\n"
        "    - {family: 3PAR, patterns: ['\\b3par\\b']}\n"
        "    - {family: PROLIANT, patterns: ['\\bproliant\\b']}\n"
        "scoring: {strategic_fit: {families: [SYNERGY, COMPUTE]}}\n"
        "values: {family_benchmarks: {PRIMERA: null, ALLETRA: null, NIMBLE: null, MSA: null}}\n",
    )
    assert rules.products.family_names() == ("SYNERGY", "3PAR", "PROLIANT", "OTHER")


def test_money_is_decimal_to_the_last_digit(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "values: {default: {min: 0.1, max: 1234567.89}}\n")
    assert rules.values.default.min == Decimal("0.1")
    assert rules.values.default.max == Decimal("1234567.89")


def test_rules_survive_the_way_through_an_event() -> None:
    document = orjson.loads(orjson.dumps(rules_document(DEFAULTS)))
    assert parse_rules(document) == DEFAULTS


def test_what_a_tenant_took_away_stays_away_on_the_way_through_an_event(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "accounts:\n  territory_map: {56088: null}\n")
    assert parse_rules(rules_document(rules)) == rules


def test_a_document_of_an_older_release_is_completed_from_the_defaults() -> None:
    document = rules_document(DEFAULTS)
    del document["products"]["generation_families"]
    assert parse_rules(document) == DEFAULTS


def test_equal_rules_have_equal_versions_however_they_are_written(tmp_path: Path) -> None:
    texts = (
        "values: {default: {min: 6000, max: 15_000}}\n",
        "# the same\nvalues:\n  default:\n    max: 15000.0\n    min: 6000.00\n",
        "values: {default: {min: 6e3}}\n",
    )
    versions = {rules_version(loaded(tmp_path, text)) for text in texts}
    assert len(versions) == 1
    assert versions != {rules_version(DEFAULTS)}


def test_the_order_of_families_is_content(tmp_path: Path) -> None:
    patterns = [{"family": f.family, "patterns": f.patterns} for f in DEFAULTS.products.families]
    turned = rules_document(DEFAULTS)
    turned["products"]["families"] = patterns[::-1]
    assert rules_version(parse_rules(turned)) != rules_version(DEFAULTS)


@given(critical=st.integers(61, 100), ahead=st.integers(0, 365))
def test_different_rules_have_different_versions(critical: int, ahead: int) -> None:
    document = rules_document(DEFAULTS)
    document["scoring"]["priorities"]["critical"] = critical
    document["leads"]["renewal"]["ahead_days"] = ahead
    same = (critical, ahead) == (75, 0)
    assert (rules_version(parse_rules(document)) == rules_version(DEFAULTS)) is same


def test_the_rules_in_force_written_as_yaml_can_be_applied_again(tmp_path: Path) -> None:
    text = yaml.safe_dump(rules_document(DEFAULTS), sort_keys=False, allow_unicode=True)
    assert loaded(tmp_path, text) == DEFAULTS
