"""What a product is, how risky a box, how large an account (rules.md §1–§3)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.families import Product, product_of
from services.ingest.domain.risk import risk_of
from services.ingest.domain.segments import segment_of
from shared.events import Risk, Segment
from shared.rules.load import default_rules

RULES = default_rules()


def product(name: str | None, platform: str | None = None) -> Product:
    return product_of(name, platform, RULES.products)


@pytest.mark.parametrize(
    ("name", "platform", "family"),
    [
        ("HP 3PAR StoreServ 7400c", "3PAR StoreServ 7000", "3PAR"),
        ("HPE Primera 650", None, "PRIMERA"),
        ("HPE ALLETRA 9060", None, "ALLETRA"),
        ("HPE Nimble Storage AF40 Gen5", "Nimble AF", "NIMBLE"),
        ("HPE MSA 2050", None, "MSA"),
        ("HPE StoreOnce 5650", None, "STOREONCE"),
        ("HPE DL380 Server", None, "PROLIANT"),
        ("HPE BL460c Gen9 Blade", "BladeSystem BL460c", "PROLIANT"),
        ("Server", "proliant", "PROLIANT"),
        ("Something Gen 10", None, "PROLIANT"),
        ("Aruba 2930M", None, "NETWORKING"),
        ("48G Switch", None, "NETWORKING"),
        ("Cable Bundle", None, "OTHER"),
        ("Idl3 Regenerator", "Mslabs", "OTHER"),
        (None, None, "OTHER"),
    ],
)
def test_the_family_is_the_first_whose_pattern_is_a_word_of_the_product(
    name: str | None, platform: str | None, family: str
) -> None:
    assert product(name, platform).family == family


def test_the_parent_of_proliant_is_compute() -> None:
    assert product("HPE DL380").parent == "COMPUTE"
    assert product("HPE MSA 2050").parent is None


@pytest.mark.parametrize(
    ("name", "platform", "generation"),
    [
        ("DL380 Gen10", "ProLiant Gen9", 10),
        ("DL380", "ProLiant Gen 9", 9),
        ("DL380 Gen10+", None, 10),
        ("DL380 Gen1000", None, 1000),
        ("DL380 Gen1001", None, None),
        ("DL380 Gen0", None, None),
        ("DL380 Gen99999999999999999999999", None, None),
        ("DL380 Gen" + "9" * 5_000, None, None),
        ("Regen8", None, None),
        ("DL380", None, None),
    ],
)
def test_the_generation_is_the_first_that_is_named(
    name: str, platform: str | None, generation: int | None
) -> None:
    assert product(name, platform).generation == generation


@pytest.mark.parametrize("brand", ["DELL", "CISCO", "LENOVO", "IBM"])
def test_a_competitors_brand_is_a_whole_word_in_any_case(brand: str) -> None:
    assert product(f"{brand.title()} Rack Server").competitor_brand == brand
    assert product("Rack", f"x {brand.lower()}-1").competitor_brand == brand
    assert product(f"x{brand}x").competitor_brand is None


@pytest.mark.parametrize(
    ("since_eol", "since_expiry", "risk"),
    [
        (None, None, Risk.LOW),
        (None, 366, Risk.CRITICAL),
        (None, 365, Risk.HIGH),
        (None, 1, Risk.HIGH),
        (None, 0, Risk.MEDIUM),
        (None, -180, Risk.MEDIUM),
        (None, -181, Risk.LOW),
        (1826, None, Risk.CRITICAL),
        (1825, None, Risk.HIGH),
        (1096, None, Risk.HIGH),
        (1095, None, Risk.MEDIUM),
        (1, None, Risk.MEDIUM),
        (0, None, Risk.LOW),
        (-400, -400, Risk.LOW),
        (1826, -400, Risk.CRITICAL),
        (10, 366, Risk.CRITICAL),
        (1, 1, Risk.HIGH),
    ],
)
def test_the_worse_of_both_dates_sets_the_risk(
    since_eol: int | None, since_expiry: int | None, risk: Risk
) -> None:
    assert risk_of(since_eol, since_expiry, RULES.leads.risk) is risk


ORDER = [Risk.LOW, Risk.MEDIUM, Risk.HIGH, Risk.CRITICAL]
days = st.one_of(st.none(), st.integers(-5000, 5000))


@given(days, days, st.integers(0, 500))
def test_risk_never_falls_as_days_pass(eol: int | None, expiry: int | None, later: int) -> None:
    def risk(passed: int) -> int:
        dates = [None if each is None else each + passed for each in (eol, expiry)]
        return ORDER.index(risk_of(dates[0], dates[1], RULES.leads.risk))

    assert risk(later) >= risk(0)


@pytest.mark.parametrize(
    ("items", "spend", "segment", "mixed"),
    [
        (50, 500_000, Segment.STRATEGIC_ENTERPRISE, False),
        (50, 499_999, Segment.GROWTH, True),
        (49, 500_000, Segment.GROWTH, True),
        (10, 100_000, Segment.GROWTH, False),
        (9, 100_000, Segment.TRANSACTIONAL, True),
        (99, 0, Segment.TRANSACTIONAL, True),
        (0, -5, Segment.TRANSACTIONAL, False),
    ],
)
def test_the_lower_band_holds_and_the_profile_says_so(
    items: int, spend: int, segment: Segment, mixed: bool
) -> None:
    found, is_mixed, strategy = segment_of(items, Decimal(spend), RULES.segments)
    assert (found, is_mixed) == (segment, mixed)
    assert strategy == getattr(RULES.segments, segment.value.lower()).strategy


def test_how_long_before_the_end_of_service_risk_begins_comes_from_the_rules() -> None:
    rules = RULES.leads.risk.model_copy(
        update={"high_days_past_expiry": 10, "medium_days_before_expiry": 5}
    )
    found = [risk_of(None, days, rules) for days in (-6, -5, 0, 1, 10, 11)]
    low, medium, high = Risk.LOW, Risk.MEDIUM, Risk.HIGH
    assert found == [low, medium, medium, low, low, high]
