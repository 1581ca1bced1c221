from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.plan import Limits
from services.notifier.domain.storm import (
    CALM,
    MOST_LINES,
    PATIENCE,
    Waiting,
    digest_of,
    is_time,
    overflow,
    single_alerts_left,
)
from tests.support.notifier_builders import alert

NOW = datetime(2025, 10, 9, 8, tzinfo=UTC)
FIFTY = Limits(alerts_per_hour=50)


def waiting(number: int, **changes: object) -> Waiting:
    values: dict[str, object] = {
        "lead_id": f"lead-{number:05}",
        "episode": 1,
        "account_id": f"account-{number}",
        "score": 75.0 + number % 25,
        "created_at": NOW,
        "of_account": 0,
    }
    return Waiting(**(values | changes))  # type: ignore[arg-type]


def test_without_a_limit_nothing_overflows() -> None:
    none = Limits(alerts_per_hour=None)
    assert overflow([waiting(n) for n in range(3_000)], none, 0) == []
    assert single_alerts_left(none, 99) is None


def test_of_3000_alerts_50_go_out_by_themselves_and_the_rest_is_beyond() -> None:
    found = [waiting(n) for n in range(3_000)]
    beyond = overflow(found, FIFTY, 0)
    assert len(beyond) == 2_950
    singles = {item.lead_id for item in found} - {item.lead_id for item in beyond}
    assert min(item.score for item in found if item.lead_id in singles) >= max(
        item.score for item in beyond
    )


@pytest.mark.parametrize(("begun", "left"), [(0, 50), (49, 1), (50, 0), (70, 0)])
def test_what_went_out_in_the_last_hour_counts(begun: int, left: int) -> None:
    assert single_alerts_left(FIFTY, begun) == left
    assert len(overflow([waiting(n) for n in range(60)], FIFTY, begun)) == 60 - left


def test_an_account_has_a_limit_of_its_own_in_a_day() -> None:
    limits = Limits(alerts_per_hour=None, alerts_per_account_and_day=2)
    same = [waiting(n, account_id="one", score=90.0 - n) for n in range(4)]
    other = [waiting(9, account_id="two", of_account=2)]
    beyond = {item.lead_id for item in overflow(same + other, limits, 0)}
    assert beyond == {"lead-00002", "lead-00003", "lead-00009"}


@given(
    st.lists(st.integers(0, 30), max_size=60),
    st.integers(1, 40),
    st.integers(0, 40),
    st.integers(1, 5),
)
def test_whatever_comes_the_limits_hold_and_nothing_is_lost(
    accounts: list[int], per_hour: int, begun: int, per_account: int
) -> None:
    limits = Limits(alerts_per_hour=per_hour, alerts_per_account_and_day=per_account)
    found = [waiting(n, account_id=f"a{account}") for n, account in enumerate(accounts)]
    beyond = overflow(found, limits, begun)
    singles = [item for item in found if item not in beyond]
    assert len(singles) + len(beyond) == len(found)
    assert len(singles) <= max(0, per_hour - begun)
    for account in {item.account_id for item in found}:
        assert sum(item.account_id == account for item in singles) <= per_account


def test_a_digest_goes_out_when_the_storm_is_over_or_has_lasted() -> None:
    assert not is_time([], NOW)
    fresh = [waiting(1), waiting(2, created_at=NOW - CALM)]
    assert not is_time(fresh, NOW + CALM - timedelta(seconds=1))
    assert is_time(fresh, NOW + CALM)
    lasting = [waiting(1, created_at=NOW - PATIENCE), waiting(2, created_at=NOW)]
    assert is_time(lasting, NOW)


def test_the_digest_names_the_best_counts_all_and_sums_one_currency() -> None:
    alerts = [
        alert(lead_id=f"lead-{n}", score=80.0 + n / 10, estimated_value_max=Decimal(10))
        for n in range(30)
    ]
    other = alert(lead_id="chf", currency="CHF", estimated_value_max=Decimal(7), score=70.0)
    digest = digest_of([*alerts, other], "default", date(2025, 10, 9))
    assert (digest.total, digest.critical, len(digest.lines)) == (31, 31, MOST_LINES)
    assert digest.lines[0].lead_id == "lead-29"
    assert (digest.currency, digest.pipeline) == ("CHF", Decimal(7))
    assert digest.title == "31 more leads turned CRITICAL"
    assert digest.link == "https://onelead.example"
