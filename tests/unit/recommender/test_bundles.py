"""A bundle is offered for its families, by type and value; the first in the list that fits."""

from decimal import Decimal
from typing import Any

import pytest

from services.recommender.domain.bundles import choose_bundle
from shared.events import LeadType
from shared.rules.load import default_rules
from shared.rules.model import BundleRules
from tests.support.scoring_builders import a_lead, a_server

BUNDLES = default_rules().recommendation.bundles


def bundle_of(highest: str = "5000", rules: BundleRules = BUNDLES, **changes: Any) -> str | None:
    bundle = choose_bundle(a_server(estimated_value_max=Decimal(highest), **changes), rules)
    return bundle.name if bundle else None


@pytest.mark.parametrize(
    ("lead_type", "highest", "name"),
    [
        (LeadType.RENEWAL, "10000", "renewal_basic"),
        (LeadType.RENEWAL, "10000.01", "renewal_premium"),
        (LeadType.SERVICE_ATTACH, "999999", "renewal_basic"),
        (LeadType.HARDWARE_REFRESH, "200000", "hardware_refresh_full"),
    ],
)
def test_a_server_is_offered_the_bundle_of_its_play(
    lead_type: LeadType, highest: str, name: str
) -> None:
    assert bundle_of(highest, lead_type=lead_type) == name


@pytest.mark.parametrize(
    ("lead_type", "highest", "skus"),
    [
        (LeadType.RENEWAL, "1", {"H9GW8E", "U7939E"}),
        (LeadType.RENEWAL, "10525", {"H9GW8E", "U7939E", "HA114A1"}),
        (LeadType.HARDWARE_REFRESH, "1", {"HA114A1", "U4522E", "H9GW8E"}),
    ],
)
def test_the_bundles_hold_the_skus_of_the_rules(
    lead_type: LeadType, highest: str, skus: set[str]
) -> None:
    bundle = choose_bundle(
        a_server(lead_type=lead_type, estimated_value_max=Decimal(highest)), BUNDLES
    )
    assert bundle is not None
    assert set(bundle.skus) == skus


@pytest.mark.parametrize("family", ["3PAR", "PRIMERA", "MSA", "NETWORKING", "OTHER"])
def test_a_box_of_another_family_is_not_offered_server_care(family: str) -> None:
    assert choose_bundle(a_lead(product_family=family), BUNDLES) is None


def test_a_family_without_a_limit_of_its_own_has_the_general_one() -> None:
    rules = BUNDLES.model_copy(update={"families": ("PROLIANT", "3PAR")})
    storage = {"product_family": "3PAR", "product_family_parent": None}
    assert bundle_of("50000", rules, **storage) == "renewal_basic"
    assert bundle_of("50000.01", rules, **storage) == "renewal_premium"


def test_a_parent_family_means_its_children_too() -> None:
    premium = BUNDLES.offered[0].model_copy(
        update={"min_value_above_by_family": {"COMPUTE": Decimal(100)}}
    )
    rules = BundleRules(families=("COMPUTE",), offered=(premium,))
    assert bundle_of("100", rules) is None
    assert bundle_of("101", rules) == "renewal_premium"


def test_the_first_bundle_that_fits_is_offered() -> None:
    turned = BUNDLES.model_copy(update={"offered": BUNDLES.offered[::-1]})
    assert bundle_of("99999", turned) == "renewal_basic"


def test_a_bundle_says_why_it_is_offered() -> None:
    bundle = choose_bundle(a_server(estimated_value_max=Decimal(10_525)), BUNDLES)
    assert bundle is not None
    assert bundle.reason == (
        "renewal premium suits a renewal of PROLIANT worth more than 10,000 USD"
    )
