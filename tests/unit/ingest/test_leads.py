"""Which leads a box fires, with all switches (rules.md §3), and the facts they carry."""

from datetime import date
from typing import Any

import pytest

from services.ingest.domain.accounts.directory import AccountEntry
from services.ingest.domain.derive import Derivation, derive_account
from services.ingest.domain.ids import lead_id
from services.ingest.domain.leads import LEAD_RULES
from services.ingest.domain.records import Box
from shared.events import LeadFacts, LeadType, Risk, ValueProvenance
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.builders import (
    AS_OF,
    TENANT,
    a_box,
    a_case,
    a_price_list,
    an_entry,
    changed,
    days_ago,
    some_rows,
)

RULES = default_rules()
EXPIRED, UNCOVERED = "Contract Expired", "UNCOVERED"
BOTH = "Warranty Expired - Uncovered Box"
RENEWAL, REFRESH, ATTACH = LeadType.RENEWAL, LeadType.HARDWARE_REFRESH, LeadType.SERVICE_ATTACH


def fired(rules: Rules = RULES, **box: Any) -> list[LeadType]:
    return fired_by(a_box(**box), rules)


def fired_by(box: Box, rules: Rules = RULES) -> list[LeadType]:
    case = a_case(box, rules)
    return [rule.lead_type for rule in LEAD_RULES if rule.play(case) is not None]


def derived(*boxes: Box, rules: Rules = RULES) -> Derivation:
    entry = AccountEntry(account_id="a", name="Acme", founded_by="name:acme")
    prices = a_price_list(an_entry("Foundation Care", family="COMPUTE"), COMPUTE=3)
    return derive_account(
        TENANT,
        entry,
        some_rows(*boxes),
        territory_totals={},
        prices=prices,
        rules=rules,
        as_of=AS_OF,
    )


def test_every_lead_type_has_its_rule() -> None:
    known = [each for each in LeadType if each is not LeadType.UNKNOWN]
    assert [rule.lead_type for rule in LEAD_RULES] == known


@pytest.mark.parametrize(
    ("status", "expired_days_ago", "expected"),
    [
        (EXPIRED, 400, [RENEWAL]),
        ("contract EXPIRED", 1, [RENEWAL]),
        (EXPIRED, 0, []),
        (EXPIRED, -30, []),
        (EXPIRED, None, []),
        ("Active Contract", 400, []),
        (None, 400, []),
        (BOTH, 400, [RENEWAL, ATTACH]),
        (UNCOVERED, 400, [ATTACH]),
        ("Uncovered - Never Contracted", None, [ATTACH]),
    ],
)
def test_the_status_fires_the_dates_set_the_risk(
    status: str | None, expired_days_ago: int | None, expected: list[LeadType]
) -> None:
    assert fired(support_status=status, service_end=days_ago(expired_days_ago)) == expected


@pytest.mark.parametrize(("days", "expected"), [(1825, []), (1826, [REFRESH]), (None, [])])
def test_a_refresh_is_due_beyond_1825_days(days: int | None, expected: list[LeadType]) -> None:
    assert fired(end_of_life=days_ago(days)) == expected


def test_one_box_may_fire_several_leads() -> None:
    old = a_box(support_status=BOTH, service_end=days_ago(500), end_of_life=days_ago(4000))
    assert fired_by(old) == [RENEWAL, REFRESH, ATTACH]


@pytest.mark.parametrize("brand", ["Dell", "Cisco", "Lenovo", "IBM"])
def test_no_support_is_offered_for_a_competitors_box_unless_switched_on(brand: str) -> None:
    old = a_box(
        product_name=f"{brand} Rack Server",
        support_status=BOTH,
        service_end=days_ago(500),
        end_of_life=days_ago(4000),
    )
    assert fired_by(old) == [REFRESH]
    on = changed(RULES, leads__competitor_support_plays=True)
    assert fired_by(old, on) == [RENEWAL, REFRESH, ATTACH]


@pytest.mark.parametrize(
    ("days", "expected"), [(0, [RENEWAL]), (-90, [RENEWAL]), (-91, []), (1, []), (None, [])]
)
def test_renewals_may_be_offered_ahead(days: int | None, expected: list[LeadType]) -> None:
    ahead = changed(RULES, leads__renewal__ahead_days=90)
    assert fired(ahead, service_end=days_ago(days)) == expected
    assert fired(service_end=days_ago(days)) == []


@pytest.mark.parametrize(("days", "expected"), [(1000, [RENEWAL]), (1001, []), (None, [RENEWAL])])
def test_boxes_too_old_for_a_renewal_may_be_left_out(
    days: int | None, expected: list[LeadType]
) -> None:
    limited = changed(RULES, leads__renewal__max_days_since_eol=1000)
    box = a_box(support_status=EXPIRED, service_end=days_ago(10), end_of_life=days_ago(days))
    assert fired_by(box, limited) == expected


def test_one_support_play_per_box_keeps_the_renewal() -> None:
    one = changed(RULES, leads__one_support_play_per_box=True)
    assert fired(one, support_status=BOTH, service_end=days_ago(9)) == [RENEWAL]
    assert fired(one, support_status=BOTH, service_end=None) == [ATTACH]


def test_a_refresh_has_the_range_of_the_rules_or_of_its_family() -> None:
    box = a_box(end_of_life=days_ago(4000))
    (lead,) = derived(box).leads
    assert [lead.estimated_value_min, lead.estimated_value_max] == [75_000, 200_000]
    assert lead.value_provenance is ValueProvenance.HARDWARE_RANGE
    families = {"COMPUTE": {"min": 1, "max": 2}, "PRIMERA": {"min": 3, "max": 4}}
    off = changed(RULES, leads__hardware_refresh__family_values=families)
    assert derived(box, rules=off).leads[0].estimated_value_max == 200_000
    on = changed(off, leads__hardware_refresh__value_by_family=True)
    assert derived(box, rules=on).leads[0].estimated_value_max == 2
    storage = a_box(product_name="HPE MSA 2050", platform=None, end_of_life=days_ago(4000))
    assert derived(storage, rules=on).leads[0].estimated_value_max == 200_000


@pytest.mark.parametrize(
    ("name", "platform", "title", "action"),
    [
        ("HP DL360", "ProLiant DL360", "Hardware Refresh: HP DL360", "Gen11"),
        ("HPE MSA 2050", "MSA 2000", "Hardware Refresh: HPE MSA 2050", "Replace MSA 2000 with"),
        ("Dell R730", "PowerEdge", "Competitive Displacement: Dell R730", "Displace the DELL"),
    ],
)
def test_what_to_do_is_said_in_words(name: str, platform: str, title: str, action: str) -> None:
    (lead,) = derived(a_box(product_name=name, platform=platform, end_of_life=days_ago(4000))).leads
    assert lead.title == title
    assert action in lead.action


def test_titles_are_for_people() -> None:
    box = a_box(
        product_name="HP DL360p Gen8 8-SFF CTO Server",
        support_status=BOTH,
        service_end=days_ago(9),
    )
    assert [lead.title for lead in derived(box).leads] == [
        "Support Renewal: HP DL360p Gen8 8-SFF CTO Server",
        "Service Attach: HP DL360p Gen8 8-SFF CTO Server",
    ]


def test_a_lead_carries_the_facts_of_its_box_and_dates_instead_of_ages() -> None:
    box = a_box(support_status=EXPIRED, service_end=days_ago(400), end_of_life=days_ago(100))
    (lead,) = derived(box).leads
    assert lead == LeadFacts(
        lead_id=lead_id(TENANT, "SERIAL1", RENEWAL),
        lead_type=RENEWAL,
        title=lead.title,
        action=lead.action,
        account_id="a",
        account_name="Acme",
        territory_id=box.territory_id,
        box_id="SERIAL1",
        serial_number="SERIAL1",
        product_id="P1",
        product_name="HPE DL380 Gen10 Server",
        product_platform="ProLiant DL380 Gen10",
        product_family="PROLIANT",
        product_family_parent="COMPUTE",
        generation=10,
        competitor_brand=None,
        support_status=EXPIRED,
        end_of_life=days_ago(100),
        service_end=days_ago(400),
        risk=Risk.CRITICAL,
        estimated_value_min=lead.estimated_value_min,
        estimated_value_max=lead.estimated_value_max,
        value_provenance=ValueProvenance.SKU_PRICE,
        currency="USD",
        catalogue_family="COMPUTE",
        catalogue_version=3,
    )


def test_quantity_never_multiplies_leads_or_values() -> None:
    one = derived(a_box(support_status=UNCOVERED))
    many = derived(a_box(support_status=UNCOVERED, quantity=40))
    assert one.leads == many.leads
    assert (one.profile.items, many.profile.items) == (1, 40)


@pytest.mark.parametrize(
    ("service_end", "said"),
    [(days_ago(9), " (end of service 2025-09-30)"), (None, "")],
)
def test_a_renewal_names_the_end_of_the_service_where_it_is_known(
    service_end: date | None, said: str
) -> None:
    box = a_box(support_status=EXPIRED, service_end=service_end, end_of_life=days_ago(1800))
    (lead,) = derived(box).leads
    assert lead.action == f"Offer to renew the support{said}"


def test_an_attach_says_that_the_box_runs_uncovered() -> None:
    (lead,) = derived(a_box(support_status=UNCOVERED)).leads
    assert lead.action == "Offer support: the box runs uncovered"


def test_renewals_may_be_offered_a_single_day_ahead() -> None:
    ahead = changed(RULES, leads__renewal__ahead_days=1)
    assert [bool(fired(ahead, service_end=days_ago(-days))) for days in (0, 1, 2)] == [
        True,
        True,
        False,
    ]


def test_the_end_of_life_alone_may_put_an_expired_box_at_risk() -> None:
    assert fired(support_status=EXPIRED, end_of_life=days_ago(1096)) == [RENEWAL]
    assert fired(support_status=EXPIRED, end_of_life=days_ago(1095)) == []


def test_family_generation_and_brand_may_stand_in_the_platform_alone() -> None:
    box = a_box(product_name="Rack", platform="Dell Gen9", end_of_life=days_ago(4000))
    (lead,) = derived(box).leads
    assert (lead.product_family, lead.generation, lead.competitor_brand) == ("PROLIANT", 9, "DELL")


def test_a_familys_own_range_comes_before_its_parents() -> None:
    families = {"COMPUTE": {"min": 1, "max": 2}, "PROLIANT": {"min": 3, "max": 4}}
    on = changed(
        RULES,
        leads__hardware_refresh__family_values=families,
        leads__hardware_refresh__value_by_family=True,
    )
    (lead,) = derived(a_box(end_of_life=days_ago(4000)), rules=on).leads
    assert [lead.estimated_value_min, lead.estimated_value_max] == [3, 4]


def test_a_box_without_a_name_is_called_by_what_is_known_of_it() -> None:
    def name(**known: str | None) -> str:
        nothing: dict[str, Any] = dict.fromkeys(("product_name", "platform", "product_id"))
        return a_box(**{**nothing, **known}).display_name

    assert name(product_name="A", platform="B", product_id="C") == "A"
    assert name(platform="B", product_id="C") == "B"
    assert name(product_id="C") == "C"
    assert name() == "SERIAL1"
