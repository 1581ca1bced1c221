"""A recommendation holds every service of the family with its margin, or says why there is none."""

from decimal import Decimal

import pytest

from services.recommender.domain.recommend import recommend
from shared.events import LeadType
from shared.rules.load import default_rules
from tests.support.scoring_builders import a_lead, a_server, an_entry
from tests.unit.recommender.catalogue import COMPUTE, NETWORKING, STORAGE_3PAR

RULES = default_rules().recommendation


def test_every_service_is_offered_with_its_rank_price_margin_and_discount() -> None:
    services = recommend(a_lead(product_family="3PAR"), STORAGE_3PAR, RULES).services
    assert [offer.rank for offer in services] == [1, 2, 3, 4, 5]
    first = services[0]
    assert (first.service_type, first.skus) == ("Health Check", ("H9Q53AC",))
    assert (first.list_price, first.currency) == (Decimal(6_200), "USD")
    assert (first.margin, first.max_discount, first.margin_note) == (0.55, 0.4, None)


def test_a_cell_with_several_skus_is_one_offer() -> None:
    services = recommend(a_server(), COMPUTE, RULES).services
    assert services[0].skus == ("HL997A1", "HL998A1")


def test_an_unpriced_service_is_offered_without_price_and_discount() -> None:
    (offer,) = recommend(a_lead(product_family="NETWORKING"), NETWORKING, RULES).services
    assert offer.list_price is None
    assert offer.max_discount == 0
    assert offer.margin_note == "margin not known: no discount"


def test_a_lead_without_any_service_says_so() -> None:
    recommendation = recommend(a_lead(catalogue_family=None), (), RULES)
    assert recommendation.services == ()
    assert recommendation.no_service_reason == "no_service_for_family"


def test_a_lead_with_services_gives_no_reason() -> None:
    assert recommend(a_server(), COMPUTE, RULES).no_service_reason is None


def test_a_server_without_services_may_still_be_offered_a_bundle() -> None:
    recommendation = recommend(a_server(), (), RULES)
    assert recommendation.bundle is not None
    assert recommendation.no_service_reason == "no_service_for_family"


def test_offers_say_why_they_stand_where_they_do() -> None:
    rules = RULES.model_copy(update={"base_priority": {"Rebalance": 2.0, "OS Upgrade": 3.0}})
    lead = a_lead(lead_type=LeadType.HARDWARE_REFRESH)
    reasons = {
        offer.service_type: offer.reason for offer in recommend(lead, STORAGE_3PAR, rules).services
    }
    assert reasons == {
        "Migration": "migration boosted for hardware refresh +10, margin 38 %",
        "Rebalance": "rebalance boosted for hardware refresh +7, base priority +2, margin 47 %",
        "OS Upgrade": "base priority +3, margin 42 %",
        "Health Check": "offered for 3PAR, margin 55 %",
        "Performance Analysis": "offered for 3PAR, margin 51 %",
    }


@pytest.mark.parametrize(
    ("margin", "said"),
    [(0.55, "55 %"), (0.425, "42.5 %"), (1.0, "100 %"), (0.0, "0 %"), (None, "unknown")],
)
def test_the_reason_tells_the_margin(margin: float | None, said: str) -> None:
    (offer,) = recommend(a_lead(), (an_entry("Health Check", margin=margin),), RULES).services
    assert offer.reason == f"health check boosted for renewal +10, margin {said}"


def test_a_penalty_counts_against_a_service_and_is_told() -> None:
    rules = RULES.model_copy(update={"boosts": {"renewal": {"migration": -5.0}}})
    offers = recommend(a_lead(), STORAGE_3PAR, rules).services
    assert offers[-1].service_type == "Migration"
    assert offers[-1].reason == "migration boosted for renewal -5, margin 38 %"


def test_a_lead_of_a_type_without_boosts_is_offered_the_best_margin_first() -> None:
    rules = RULES.model_copy(update={"boosts": {}})
    offers = recommend(a_lead(), STORAGE_3PAR, rules).services
    assert [offer.margin for offer in offers] == [0.55, 0.51, 0.47, 0.42, 0.38]


def test_the_floor_is_a_rule() -> None:
    rules = RULES.model_copy(update={"margin_floor": 0.5})
    offers = recommend(a_lead(), (an_entry("Migration", margin=0.6),), rules).services
    assert offers[0].max_discount == 0.2
