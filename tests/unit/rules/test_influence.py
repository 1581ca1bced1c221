"""What new rules make anew: every part is classified, and no calculation reads more than stands there."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from services.ingest.domain.accounts.directory import AccountEntry, Directory
from services.ingest.domain.accounts.reconcile import reconcile
from services.ingest.domain.derive import derive_account
from services.ingest.domain.offices import route
from services.ingest.domain.profile import closed_totals
from services.recommender.domain.recommend import recommend
from services.scoring.domain.outlook.assemble import with_outlook
from services.scoring.domain.score import score_lead
from shared.events import LeadType
from shared.rules.base import Section
from shared.rules.influence import (
    INFLUENCE,
    OF_INGEST,
    Anew,
    changed_parts,
    derived_by,
    influence_of,
    made_anew,
)
from shared.rules.load import default_rules, parse_rules, rules_document
from shared.rules.model import Rules
from shared.rules.offices_lookup import OfficeMap
from tests.support.builders import (
    AS_OF,
    TENANT,
    a_box,
    a_lead,
    a_price_list,
    a_profile,
    a_project,
    a_use,
    an_entry,
    an_opportunity,
    changed,
    days_ago,
    some_rows,
)

RULES = default_rules()
VARIANTS = (
    RULES,
    changed(RULES, scoring__profile="classic", leads__renewal__ahead_days=90),
    changed(RULES, leads__hardware_refresh__value_by_family=True),
    changed(
        RULES,
        leads__renewal__max_days_since_eol=3_000,
        leads__competitor_support_plays=True,
        leads__one_support_play_per_box=True,
    ),
)
PAIRS = [("ACME INC", "Acme"), ("BETA AG", "Beta")]
ENTRY = AccountEntry(account_id="a", name="Acme", territory_ids=("1",), founded_by="territory:1")


def leaves(section: Section, within: str = "") -> Iterator[str]:
    """Every value of the rules as a dotted path; a table or a list is one."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from leaves(value, f"{within}{name}.")
        else:
            yield f"{within}{name}"


class Followed:
    """A section that notes which of its values are read."""

    def __init__(self, section: Section, within: str, read: set[str]) -> None:
        self._section, self._within, self._read = section, within, read

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._section, name)
        if isinstance(value, Section):
            return Followed(value, f"{self._within}{name}.", self._read)
        self._read.add(f"{self._within}{name}")
        return value


def followed(rules: Rules) -> tuple[Any, set[str]]:
    read: set[str] = set()
    return Followed(rules, "", read), read


def boxes() -> Iterator[Any]:
    """Boxes of all kinds, so that every branch of the lead rules is taken."""
    names = ("HPE DL380 Gen8", "HPE Primera 650", "Dell R730", "HPE 3PAR 8200", "Something")
    statuses = ("Expired - Uncovered", "Active Contract", None)
    for number, name in enumerate(names):
        for status in statuses:
            for eol, end in ((4_000, 500), (100, -30), (-100, None), (None, 10)):
                yield a_box(
                    record_id=f"{number}{status}{eol}",
                    product_name=name,
                    platform=name,
                    support_status=status,
                    end_of_life=days_ago(eol),
                    service_end=days_ago(end),
                )


def deriving() -> set[str]:
    read: set[str] = set()
    records = [*boxes(), an_opportunity(), *(a_project(amount=n + 1) for n in range(7))]
    for variant in VARIANTS:
        rules, more = followed(variant)
        prices = replace(a_price_list(an_entry("Health Check")), currency=rules.currency)
        derive_account(
            TENANT,
            ENTRY,
            some_rows(*records),
            territory_totals={},
            prices=prices,
            rules=rules,
            as_of=AS_OF,
        )
        route({"a": some_rows(*records)}, OfficeMap(rules.offices, AS_OF))
        read |= more
    return read


def scoring() -> set[str]:
    read: set[str] = set()
    busy: dict[str, Any] = {
        "items": 60,
        "open_opportunities": 9,
        "closed_projects": 9,
        "win_rate": 0.9,
        "last_project_date": date(2025, 10, 1),
        "recent_closed_amounts": tuple(map(Decimal, (5, 4, 3, 2, 1))),
        "average_closed_amount": Decimal(10),
    }
    old = {"end_of_life": days_ago(100), "service_end": days_ago(500), "generation": 7}
    for variant in VARIANTS:
        rules, more = followed(variant)
        for lead_type in (LeadType.RENEWAL, LeadType.HARDWARE_REFRESH):
            for eol in (100, -100, None):
                lead = a_lead(
                    **{**old, "end_of_life": days_ago(eol)},
                    lead_type=lead_type,
                    product_family="PROLIANT",
                    competitor_brand="DELL",
                )
                profile, products = a_profile(**busy), rules.products
                score = score_lead(
                    lead,
                    profile,
                    rules.scoring,
                    products=products,
                    as_of=AS_OF,
                    rules_version="test",
                )
                if lead_type is LeadType.RENEWAL and eol == 100:
                    with_outlook(score, lead, profile, rules.scoring, products=products)
        read |= more
    return read


def recommending() -> set[str]:
    rules, read = followed(RULES)
    lead = a_lead(product_family="PROLIANT", product_family_parent="COMPUTE")
    recommend(lead, [an_entry("Health Check")], rules.recommendation)
    return read


def linking() -> set[str]:
    rules, read = followed(RULES)
    uses = [a_use("Acme Logistics North", "1"), a_use("Acme Logistic"), a_use("東日本電信電話")]
    reconcile(TENANT, uses, ("1", "2"), Directory(), rules.accounts)
    return read


def counting() -> set[str]:
    rules, read = followed(RULES)
    closed_totals([a_project(), a_project(currency="EUR")], rules)
    return read


CALCULATIONS = {
    Anew.DERIVATION: deriving,
    Anew.SCORES: scoring,
    Anew.RECOMMENDATIONS: recommending,
    Anew.LINKS: linking,
    Anew.TOTALS: counting,
}


@pytest.mark.parametrize("anew", CALCULATIONS)
def test_a_calculation_reads_only_rules_that_make_it_anew(anew: Anew) -> None:
    read = CALCULATIONS[anew]()
    assert read
    assert {path for path in read if anew not in influence_of(path)} == set()


@pytest.mark.parametrize("anew", CALCULATIONS)
def test_no_part_makes_anew_what_does_not_read_it(anew: Anew) -> None:
    read = CALCULATIONS[anew]()
    parts = {part for part, made in INFLUENCE.items() if anew in made}
    assert {
        part for part in parts if not any(f"{p}.".startswith(f"{part}.") for p in read)
    } == set()


@pytest.mark.parametrize("path", list(leaves(RULES)))
def test_every_value_of_the_rules_is_classified(path: str) -> None:
    assert influence_of(path) <= frozenset(Anew)


def test_a_part_that_nobody_classified_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"reading\.new_thing"):
        influence_of("reading.new_thing")
    with pytest.raises(KeyError, match="weather"):
        influence_of("weather.rain")


def test_only_parts_that_are_there_are_classified() -> None:
    known = {f"{path}." for path in leaves(RULES)}
    assert {part for part in INFLUENCE if not any(p.startswith(f"{part}.") for p in known)} == set()


def test_equal_rules_make_nothing_anew_however_they_are_written() -> None:
    same = parse_rules(rules_document(RULES))
    assert made_anew(RULES, same) == frozenset()
    written = changed(RULES, values__default={"min": "5000.00", "max": "1.5E+4"})
    assert list(changed_parts(RULES, written)) == []


CHANGES: dict[str, tuple[dict[str, Any], set[Anew]]] = {
    "a weight": (
        {"scoring__weights": dict.fromkeys(RULES.scoring.weights.model_dump(), 0.25)},
        {Anew.SCORES},
    ),
    "projects looked at": (
        {"scoring__propensity__trend__latest": 6},
        {Anew.SCORES, Anew.DERIVATION},
    ),
    "the margin floor": ({"recommendation__margin_floor": 0.3}, {Anew.RECOMMENDATIONS}),
    "a threshold of names": ({"accounts__link_at": 90}, {Anew.LINKS}),
    "a closed status": (
        {"reading__closed_project_statuses": ["DONE"]},
        {Anew.TOTALS, Anew.DERIVATION},
    ),
    "a won stage": ({"reading__won_stages": ["Won"]}, {Anew.DERIVATION}),
    "a missing value": ({"reading__missing_values": ["-"]}, set()),
    "the currency": ({"currency": "EUR"}, {Anew.TOTALS, Anew.CATALOGUE, Anew.DERIVATION}),
    "brands": ({"products__competitor_brands": ["DELL"]}, {Anew.DERIVATION, Anew.SCORES}),
    "the offices": (
        {"offices__ranges": [{"office": "luzern", "from": "6000", "to": "6999"}]},
        {Anew.DERIVATION},
    ),
    "two sections": (
        {"segments__spend_window_days": 300, "recommendation__margin_floor": 0.3},
        {Anew.DERIVATION, Anew.RECOMMENDATIONS},
    ),
}


@pytest.mark.parametrize(("paths", "expected"), CHANGES.values(), ids=CHANGES)
def test_what_a_change_makes_anew(paths: dict[str, Any], expected: set[Anew]) -> None:
    new = changed(RULES, **paths)
    assert made_anew(RULES, new) == made_anew(new, RULES) == expected


@pytest.mark.parametrize(("paths", "expected"), CHANGES.values(), ids=CHANGES)
def test_the_digest_changes_just_when_ingest_makes_something_anew(
    paths: dict[str, Any], expected: set[Anew]
) -> None:
    assert (derived_by(changed(RULES, **paths)) != derived_by(RULES)) is bool(expected & OF_INGEST)


def test_equal_rules_have_one_digest_however_they_are_written() -> None:
    written = changed(RULES, values__default={"min": "5000.00", "max": "1.5E+4"})
    assert (
        derived_by(written) == derived_by(parse_rules(rules_document(RULES))) == derived_by(RULES)
    )
    mapped = [changed(RULES, accounts__name_map=dict(pairs)) for pairs in (PAIRS, PAIRS[::-1])]
    assert len({derived_by(rules) for rules in (*mapped, RULES)}) == 2


def test_a_service_each_makes_scores_and_recommendations_ingest_the_rest() -> None:
    assert set(Anew) - OF_INGEST == {Anew.SCORES, Anew.RECOMMENDATIONS}
