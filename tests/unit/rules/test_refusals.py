"""A rules file with a mistake is refused with its line, its column, its path and the remedy."""

from pathlib import Path

import pytest

from shared.errors import UserError
from shared.rules.load import load_rules, parse_rules


def refused(tmp_path: Path, text: str | bytes) -> UserError:
    file = tmp_path / "my.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError) as caught:
        load_rules(file)
    assert caught.value.message.startswith(str(file))
    return caught.value


def refusal(tmp_path: Path, text: str | bytes) -> str:
    return refused(tmp_path, text).message.replace(str(tmp_path / "my.yaml"), "my.yaml")


RULE_MISTAKES = {
    "wrong weight sum": (
        "scoring:\n  weights:\n    urgency: 0.5\n",
        "my.yaml:2:3: scoring.weights: the weights add up to 1.15; they must add up to 1",
    ),
    "unknown key": (
        "scoring:\n  weights:\n    urgancy: 0.5\n",
        "my.yaml:3:5: scoring.weights.urgancy: unknown key; did you mean urgency? "
        "Known here: urgency, value, propensity, strategic_fit",
    ),
    "unknown key that differs in case": (
        "Scoring:\n  weights: {}\n",
        "my.yaml:1:1: Scoring: unknown key; did you mean scoring? Known here: version, currency,",
    ),
    "unknown key like no other": (
        "qqqq: 1\n",
        "my.yaml:1:1: qqqq: unknown key; Known here: version,",
    ),
    "unknown key in a list": (
        "scoring:\n  value:\n    absolute:\n      steps: [{at: 5, points: 4, pionts: 1}]\n",
        "my.yaml:4:34: scoring.value.absolute.steps[1].pionts: unknown key; did you mean points?",
    ),
    "key missing in a list": (
        "scoring:\n  value:\n    absolute:\n      steps:\n        - {at: 5}\n",
        "my.yaml:5:11: scoring.value.absolute.steps[1].points: is missing",
    ),
    "priority out of order": (
        "scoring:\n  priorities:\n    critical: 50\n",
        "my.yaml:3:15: scoring.priorities.critical: bands out of order: critical 50 must be above "
        "high 60",
    ),
    "priority out of order by its other key": (
        "scoring:\n  priorities:\n    high: 80\n",
        "my.yaml:3:11: scoring.priorities.high: bands out of order: critical 75 must be above "
        "high 80",
    ),
    "steps out of order": (
        "scoring:\n  value:\n    absolute:\n      steps:\n"
        "        - {at: 5, points: 1}\n        - {at: 50, points: 4}\n",
        "my.yaml:6:11: scoring.value.absolute.steps[2]: bands out of order: 50 comes after 5; "
        "the highest step comes first",
    ),
    "a lower step gives more": (
        "scoring:\n  value:\n    absolute:\n      steps: [{at: 50, points: 1}, {at: 5, points: 4}]\n",
        "my.yaml:4:36: scoring.value.absolute.steps[2]: bands out of order: 4 points from 5 on, but "
        "only 1 from 50 on",
    ),
    "below gives more than the lowest step": (
        "scoring:\n  value:\n    absolute: {below: 9}\n",
        "my.yaml:3:23: scoring.value.absolute.below: bands out of order: below gives 9 points",
    ),
    "days out of order": (
        "scoring:\n  propensity:\n    last_project_within_days:\n"
        "      - {at: 180, points: 20}\n      - {at: 90, points: 15}\n",
        "my.yaml:5:9: scoring.propensity.last_project_within_days[2]: bands out of order: 90 days "
        "come after 180",
    ),
    "risk out of order": (
        "leads:\n  risk:\n    high_days_past_eol: 2000\n",
        "my.yaml:3:25: leads.risk.high_days_past_eol: bands out of order: critical_days_past_eol "
        "1825 must be above high_days_past_eol 2000",
    ),
    "segments out of order": (
        "segments:\n  strategic_enterprise:\n    items: 5\n",
        "my.yaml:3:12: segments.strategic_enterprise.items: bands out of order: items of "
        "strategic_enterprise must lie above items of growth",
    ),
    "name thresholds out of order": (
        "accounts:\n  link_at: 50\n",
        "my.yaml:2:12: accounts.link_at: bands out of order: review_at 60 must be below link_at 50",
    ),
    "value range upside down": (
        "values:\n  default: {min: 9, max: 1}\n",
        "my.yaml:2:18: values.default.min: min 9 is above max 1",
    ),
    "factors upside down": (
        "values:\n  support_min_factor: 2\n",
        "my.yaml:2:23: values.support_min_factor: support_min_factor 2 is above support_max",
    ),
    "trend with too few projects": (
        "scoring:\n  propensity:\n    trend: {newest: 3}\n",
        "my.yaml:3:5: scoring.propensity.trend: newest must be below min_needed",
    ),
    "text for a number": (
        "scoring:\n  priorities: {critical: '80'}\n",
        "my.yaml:2:26: scoring.priorities.critical: '80' is not allowed here; expected a number, "
        "without quotes or thousands separators",
    ),
    "a thousands separator": (
        "values:\n  default:\n    max: 75,000\n",
        "my.yaml:3:10: values.default.max: '75,000' is not allowed here; expected a number",
    ),
    "yes for a number": (
        "scoring:\n  weights: {urgency: yes}\n",
        "my.yaml:2:22: scoring.weights.urgency: true is not allowed here; expected a number",
    ),
    "a fraction for a whole number": (
        "leads:\n  renewal: {ahead_days: 90.5}\n",
        "my.yaml:2:25: leads.renewal.ahead_days: 90.5 is not allowed here; expected a whole number",
    ),
    "a number for a switch": (
        "leads:\n  competitor_support_plays: 1\n",
        "my.yaml:2:29: leads.competitor_support_plays: 1 is not allowed here; expected true or",
    ),
    "a number for text": (
        "accounts:\n  territory_map: {56088: 7}\n",
        "my.yaml:2:26: accounts.territory_map.56088: 7 is not allowed here; expected text; put it "
        "in quotes",
    ),
    "a number for a list": (
        "products:\n  competitor_brands: 7\n",
        "my.yaml:2:22: products.competitor_brands: 7 is not allowed here; expected a list",
    ),
    "a list for a section": (
        "scoring: [1]\n",
        "my.yaml:1:1: scoring: a list is not allowed here; expected `key: value` entries",
    ),
    "a section for a number": (
        "scoring:\n  priorities:\n    critical:\n      at: 80\n",
        "my.yaml:3:5: scoring.priorities.critical: a table is not allowed here; expected a number",
    ),
    "nothing for a number": (
        "scoring:\n  priorities:\n    critical:\n",
        "my.yaml:3:14: scoring.priorities.critical: nothing (null) is not allowed here",
    ),
    "points above 100": (
        "scoring:\n  urgency: {base: 101}\n",
        "my.yaml:2:19: scoring.urgency.base: 101 is not allowed here; expected at most 100",
    ),
    "a time constant of nothing": (
        "scoring:\n  urgency:\n    eol: {time_constant_days: 0}\n",
        "my.yaml:3:31: scoring.urgency.eol.time_constant_days: 0 is not allowed here; expected "
        "more than 0",
    ),
    "not a number": (
        "scoring:\n  urgency: {base: .nan}\n",
        "my.yaml:2:19: scoring.urgency.base: nan is not allowed here; expected a finite number",
    ),
    "infinite": (
        "values:\n  default: {max: .inf}\n",
        "my.yaml:2:18: values.default.max: inf is not allowed here; expected a finite number",
    ),
    "an unknown profile": (
        "scoring:\n  profile: clasic\n",
        "my.yaml:2:12: scoring.profile: 'clasic' is not allowed here; expected 'default' or",
    ),
    "a layout of the future": (
        "version: 2\n",
        "my.yaml:1:10: version: 2 is not allowed here; expected 1",
    ),
    "a currency in words": (
        "currency: dollars\n",
        "my.yaml:1:11: currency: 'dollars' is not allowed here; expected a currency code",
    ),
    "a bad pattern": (
        "products:\n  generation_pattern: 'gen('\n",
        "my.yaml:2:23: products.generation_pattern: not a regular expression: missing )",
    ),
    "a pattern without its number": (
        "products:\n  generation_pattern: 'gen'\n",
        "my.yaml:2:23: products.generation_pattern: needs one pair of brackets around the number",
    ),
    "a pattern that finds everything": (
        "products:\n  families:\n    - {family: X, patterns: ['a*']}\n",
        "my.yaml:3:30: products.families[1].patterns[1]: this pattern is found in every text",
    ),
    "an endless pattern": (
        f"products:\n  generation_pattern: '{'x' * 201}'\n",
        "my.yaml:2:23: products.generation_pattern: a pattern has at most 200 characters",
    ),
    "a family without patterns": (
        "products:\n  families:\n    - {family: X, patterns: []}\n",
        "my.yaml:3:19: products.families[1].patterns: a list is not allowed here; expected at "
        "least one entry",
    ),
    "a family nobody knows": (
        "scoring:\n  strategic_fit: {families: [PROLIANTS]}\n",
        "my.yaml:2:30: scoring.strategic_fit.families[1]: unknown name 'PROLIANTS'; did you mean "
        "PROLIANT? Known here: 3PAR,",
    ),
    "a benchmark for a family nobody knows": (
        "values:\n  family_benchmarks:\n    MSAA: {min: 1, max: 2}\n",
        "my.yaml:3:5: values.family_benchmarks.MSAA: unknown name 'MSAA'; did you mean MSA?",
    ),
    "a segment nobody knows": (
        "scoring:\n  propensity:\n    segment_points: {GROWHT: 5}\n",
        "my.yaml:3:22: scoring.propensity.segment_points.GROWHT: unknown name 'GROWHT'; did you "
        "mean GROWTH?",
    ),
    "a lead type nobody knows": (
        "recommendation:\n  boosts:\n    renewl: {upgrade: 1}\n",
        "my.yaml:3:5: recommendation.boosts.renewl: unknown name 'renewl'; did you mean renewal?",
    ),
    "a field nobody knows": (
        "reading:\n  columns:\n    install_base:\n      serial: [SN]\n",
        "my.yaml:4:7: reading.columns.install_base.serial: unknown name 'serial'; did you mean "
        "serial_number?",
    ),
    "a required field nobody knows": (
        "reading:\n  required_columns:\n    project: [amonut]\n",
        "my.yaml:3:15: reading.required_columns.project[1]: unknown name 'amonut'; did you mean "
        "amount?",
    ),
    "a required field without headers": (
        "reading:\n  columns:\n    project:\n      amount: []\n",
        "my.yaml:1:1: reading.required_columns.project[3]: amount is required, but has no header",
    ),
    "one header for two fields": (
        "reading:\n  columns:\n    install_base:\n      serial_number: [SN, product-name]\n",
        "my.yaml:4:27: reading.columns.install_base.serial_number[2]: the header 'product-name' "
        "already stands for product_name",
    ),
    "a stage both won and lost": (
        "reading:\n  lost_stages: [closed won]\n",
        "my.yaml:2:17: reading.lost_stages[1]: 'closed won' is a won stage already",
    ),
    "the other family in the list": (
        "products:\n  other_family: MSA\n",
        "my.yaml:1:1: products.families: a family stands in the list twice",
    ),
    "a parent that is a family": (
        "products:\n  parents: {PROLIANT: MSA}\n",
        "my.yaml:2:23: products.parents.PROLIANT: MSA is a family of its own",
    ),
    "all of the margin": (
        "recommendation:\n  margin_floor: 1\n",
        "my.yaml:2:17: recommendation.margin_floor: 1 is not allowed here; expected less than 1",
    ),
}


@pytest.mark.parametrize("mistake", RULE_MISTAKES)
def test_a_rule_that_cannot_hold_is_refused_with_its_place(tmp_path: Path, mistake: str) -> None:
    text, expected = RULE_MISTAKES[mistake]
    assert refusal(tmp_path, text).startswith(expected)


def test_every_mistake_of_a_file_is_named(tmp_path: Path) -> None:
    text = "currency: usd\nscoring:\n  urgency: {base: x}\nleads:\n  renewal: {ahead_days: -1}\n"
    lines = refusal(tmp_path, text).splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "currency",
        "leads.renewal.ahead_days",
        "scoring.urgency.base",
    ]


def test_of_very_many_mistakes_the_first_ten_are_named(tmp_path: Path) -> None:
    text = "scoring:\n  weights:\n" + "".join(f"    k{n}: 1\n" for n in range(30))
    lines = refusal(tmp_path, text).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "... and 20 more"


def test_an_event_with_wrong_rules_is_refused_with_the_path() -> None:
    with pytest.raises(UserError) as caught:
        parse_rules({"scoring": {"weights": {"urgency": 2}}})
    assert caught.value.message.startswith("rules document: scoring.weights.urgency: 2 is not")
