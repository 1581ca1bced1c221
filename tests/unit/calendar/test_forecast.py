"""The calendar tells what judging every single day would tell."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from onelead.calendar.forecast import Expected, Turn, forecast
from services.ingest.domain.accounts.directory import AccountEntry
from services.ingest.domain.derive import Derivation, derive_account
from services.ingest.domain.profile import AccountRows
from services.scoring.domain.score import score_lead
from shared.events import Priority, Score
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.builders import (
    AS_OF,
    TENANT,
    a_box,
    a_price_list,
    a_project,
    an_opportunity,
    changed,
    days_ago,
    some_rows,
)

RULES = default_rules()
AHEAD = changed(RULES, leads__renewal__ahead_days=90, leads__renewal__max_days_since_eol=1900)
CLASSIC = changed(RULES, scoring__profile="classic")
DAYS = 60
ENTRY = AccountEntry(account_id="a", name="Acme", territory_ids=("70001",), founded_by="name:acme")


def deriving(rows: AccountRows, rules: Rules) -> Callable[[date], Derivation]:
    def derive(as_of: date) -> Derivation:
        return derive_account(
            TENANT,
            ENTRY,
            rows,
            territory_totals={},
            prices=a_price_list(),
            rules=rules,
            as_of=as_of,
        )

    return derive


def foretold(rows: AccountRows, rules: Rules = RULES, days: int = DAYS) -> list[Expected]:
    return list(forecast(rows, deriving(rows, rules), rules, AS_OF, days))


def day_by_day(rows: AccountRows, rules: Rules) -> Iterator[tuple[object, ...]]:
    """What happens, found by deriving and judging on each day."""
    derive, before = deriving(rows, rules), dict[str, Score]()
    for ahead in range(DAYS + 1):
        day = AS_OF + timedelta(days=ahead)
        derivation = derive(day)
        now = {
            lead.lead_id: score_lead(
                lead,
                derivation.profile,
                rules.scoring,
                products=rules.products,
                as_of=day,
                rules_version="",
            )
            for lead in derivation.leads
        }
        for key in sorted(now.keys() | before.keys()) if ahead else ():
            old, new = before.get(key), now.get(key)
            if old is None and new is not None:
                yield day, Turn.FIRES, key, None, new.priority, new.score
            elif new is None and old is not None:
                yield day, Turn.ENDS, key, old.priority, None, None
            elif old is not None and new is not None and old.priority is not new.priority:
                yield day, Turn.CROSSES, key, old.priority, new.priority, new.score
        before = now


_limits = st.sampled_from((-180, -90, 0, 180, 365, 1095, 1825, 1900))
_dates = st.none() | st.builds(
    lambda limit, off: days_ago(limit - off), _limits, st.integers(-1, DAYS + 1)
)
_boxes = st.lists(
    st.builds(
        lambda eol, end, status, name: a_box(
            end_of_life=eol, service_end=end, support_status=status, product_name=name, quantity=20
        ),
        _dates,
        _dates,
        st.sampled_from(("Expired", "Uncovered", "Contract Expired - Uncovered")),
        st.sampled_from(("HPE DL380 Gen10 Server", "DELL PowerEdge", "HP 3PAR 7200", "Cable")),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=7, deadline=None)
@given(
    boxes=_boxes,
    updated=_dates,
    amount=st.sampled_from((90_000, 600_000)),
    deals=st.integers(0, 6),
    rules=st.sampled_from((RULES, AHEAD, CLASSIC)),
)
def test_the_calendar_equals_judging_every_day(
    boxes: list[object], updated: date | None, amount: int, deals: int, rules: Rules
) -> None:
    rows = some_rows(
        *(each.model_copy(update={"record_id": f"B{n}"}) for n, each in enumerate(boxes)),  # type: ignore[attr-defined]
        a_project(updated=updated, amount=Decimal(amount)),
        *(an_opportunity(record_id=f"O{n}") for n in range(deals)),
    )
    found = [
        (each.on, each.turn, each.lead.lead_id, each.before, each.after, each.score)
        for each in foretold(rows, rules)
    ]
    assert sorted(found, key=repr) == sorted(day_by_day(rows, rules), key=repr)
    assert [each[0] for each in found] == sorted(each[0] for each in found)


def test_a_box_that_passes_five_years_after_its_end_of_life_fires_a_refresh() -> None:
    rows = some_rows(a_box(end_of_life=days_ago(1820)))
    (fires,) = foretold(rows, days=10)
    assert (fires.on, fires.turn) == (AS_OF + timedelta(days=6), Turn.FIRES)
    assert (fires.before, fires.lead.lead_type.value) == (None, "hardware_refresh")
    assert isinstance(fires.after, Priority)
    assert foretold(rows, days=5) == []


def test_a_renewal_that_waits_for_its_date_ends_when_the_box_is_too_old() -> None:
    rows = some_rows(
        a_box(end_of_life=days_ago(1899), service_end=days_ago(400), support_status="Expired")
    )
    ends = [each for each in foretold(rows, AHEAD, days=5) if each.turn is Turn.ENDS]
    assert [(each.on, each.after, each.score) for each in ends] == [
        (AS_OF + timedelta(days=2), None, None)
    ]


def test_without_rows_nothing_is_foretold() -> None:
    assert foretold(some_rows()) == []
