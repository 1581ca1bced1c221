"""Services are ranked by what suits the play, then by what earns more, then as in the catalogue."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommender.domain.catalogue import base_priority, best_boost, words
from services.recommender.domain.ranking import rank
from shared.events import CatalogueEntry, LeadType
from shared.rules.load import default_rules
from tests.support.scoring_builders import an_entry
from tests.unit.recommender.catalogue import COMPUTE, STORAGE_3PAR

RULES = default_rules().recommendation
RENEWAL, REFRESH, ATTACH = LeadType.RENEWAL, LeadType.HARDWARE_REFRESH, LeadType.SERVICE_ATTACH


def ranked(entries: tuple[CatalogueEntry, ...], lead_type: LeadType) -> list[str]:
    return [service.entry.service_type for service in rank(entries, lead_type, RULES)]


@pytest.mark.parametrize(
    ("service", "lead_type", "points"),
    [
        ("Health Check", RENEWAL, 10),
        ("OS Upgrade", RENEWAL, 8),
        ("Performance Analysis", RENEWAL, 6),
        ("Migration", RENEWAL, None),
        ("Migration", REFRESH, 10),
        ("Install & Startup", REFRESH, 9),
        ("Server install & startup", REFRESH, 9),
        ("install_startup", REFRESH, 9),
        ("Rebalance", REFRESH, 7),
        ("Foundation Care", ATTACH, 10),
        ("HPE Proactive Care 24x7", ATTACH, 8),
        ("HEALTH CHECK", ATTACH, 6),
        ("Install", REFRESH, None),
        ("Upgrades", RENEWAL, None),
        ("Care", ATTACH, None),
    ],
)
def test_a_boost_counts_when_the_service_holds_all_of_its_words(
    service: str, lead_type: LeadType, points: int | None
) -> None:
    boost = best_boost(service, RULES.boosts[lead_type.value])
    assert (boost[1] if boost else None) == points


def test_of_several_boosts_the_highest_counts_and_they_are_not_added_up() -> None:
    assert best_boost("Health check after upgrade", RULES.boosts["renewal"]) == ("health check", 10)


def test_a_boost_without_words_fits_nothing() -> None:
    assert best_boost("Migration", {"&": 5}) is None


def test_words_know_neither_case_nor_punctuation() -> None:
    assert words("Install & Start_Up (24x7)") == {"install", "start", "up", "24x7"}


def test_a_configured_base_priority_is_found_without_case_and_spacing() -> None:
    assert base_priority("Proactive  care ", {"PROACTIVE CARE": 5}) == 5
    assert base_priority("Proactive care plus", {"PROACTIVE CARE": 5}) == 0


@pytest.mark.parametrize(
    ("lead_type", "expected"),
    [
        (RENEWAL, ["Health Check", "OS Upgrade", "Performance Analysis", "Rebalance", "Migration"]),
        (REFRESH, ["Migration", "Rebalance", "Health Check", "Performance Analysis", "OS Upgrade"]),
        (ATTACH, ["Health Check", "Performance Analysis", "Rebalance", "OS Upgrade", "Migration"]),
    ],
)
def test_the_reference_catalogue_of_3par_is_ranked(
    lead_type: LeadType, expected: list[str]
) -> None:
    assert ranked(STORAGE_3PAR, lead_type) == expected


def test_the_reference_catalogue_of_compute_is_ranked() -> None:
    assert ranked(COMPUTE, RENEWAL)[:2] == ["Firmware Upgrade", "Technical Consultation"]
    assert ranked(COMPUTE, REFRESH)[:2] == ["Migration", "Install & Startup"]
    assert ranked(COMPUTE, ATTACH)[:2] == ["Foundation Care", "Proactive Care"]


def test_the_base_priority_is_added_to_the_boost() -> None:
    rules = RULES.model_copy(update={"base_priority": {"Migration": 9.0, "OS Upgrade": 3.0}})
    services = [service.entry.service_type for service in rank(STORAGE_3PAR, RENEWAL, rules)]
    assert services[:3] == ["OS Upgrade", "Health Check", "Migration"]


def test_equal_priority_is_decided_by_margin_then_price_then_catalogue_order() -> None:
    entries = (
        an_entry("no margin", margin=None, position=0),
        an_entry("no price", list_price=None, position=1),
        an_entry("dear, later", list_price=Decimal(900), position=3),
        an_entry("dear", list_price=Decimal(900), position=2),
        an_entry("dearest", list_price=Decimal(901), position=4),
        an_entry("best margin", margin=0.41, list_price=Decimal(1), position=5),
        an_entry("neither", margin=None, list_price=None, position=6),
    )
    assert ranked(entries, RENEWAL) == [
        "best margin",
        "dearest",
        "dear",
        "dear, later",
        "no price",
        "no margin",
        "neither",
    ]


def test_a_margin_of_nothing_comes_before_a_missing_one() -> None:
    entries = (an_entry("missing", margin=None), an_entry("nothing", margin=0.0, position=1))
    assert ranked(entries, RENEWAL) == ["nothing", "missing"]


@given(st.permutations(STORAGE_3PAR), st.sampled_from([RENEWAL, REFRESH, ATTACH]))
def test_the_order_in_which_services_arrive_does_not_matter(
    entries: list[CatalogueEntry], lead_type: LeadType
) -> None:
    assert ranked(tuple(entries), lead_type) == ranked(STORAGE_3PAR, lead_type)
