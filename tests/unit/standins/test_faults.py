from typing import Any

import pytest
from pydantic import ValidationError

from onelead.standins.faults import FaultPlan, Faults


def plan(**values: Any) -> FaultPlan:
    return FaultPlan.model_validate(values)


async def statuses(faults: Faults, channel: str, sink: str, times: int) -> list[int | None]:
    found = [await faults.take(channel, sink) for _ in range(times)]
    return [None if answer is None else answer.status for answer in found]


async def test_a_fault_ends_after_its_count() -> None:
    faults = Faults()
    faults.switch_on(plan(teams={"status": 503, "count": 2}))
    assert await statuses(faults, "teams", "/workflows/a", 3) == [503, 503, None]


async def test_a_fault_may_be_for_one_sink_and_others_live() -> None:
    faults = Faults()
    faults.switch_on(plan(webhook={"status": 410, "count": 99, "match": "/webhook/acme"}))
    assert await statuses(faults, "webhook", "/webhook/acme", 2) == [410, 410]
    assert await statuses(faults, "webhook", "/webhook/other", 2) == [None, None]
    assert await statuses(faults, "teams", "/webhook/acme", 1) == [None]


async def test_the_fault_of_a_sink_goes_before_that_of_its_channel() -> None:
    faults = Faults()
    faults.switch_on(plan(slack={"status": 500, "count": 9}))
    faults.switch_on(plan(slack={"status": 404, "match": "T1"}))
    assert await statuses(faults, "slack", "T1/B1", 2) == [404, 500]


async def test_look_ups_meet_only_faults_that_name_them() -> None:
    faults = Faults()
    faults.switch_on(plan(slack_bot={"status": 503}))
    assert await faults.take("slack_bot", "/slack/api/conversations.history", message=False) is None
    faults.switch_on(plan(slack_bot={"error": "fatal_error", "match": "conversations.history"}))
    answer = await faults.take("slack_bot", "/slack/api/conversations.history", message=False)
    assert answer is not None
    assert answer.error == "fatal_error"


async def test_a_mix_has_about_its_shares_and_the_same_seed_draws_the_same() -> None:
    mix = [
        {"share": 0.05, "status": 503},
        {"share": 0.03, "status": 429, "retry_after": 0.05},
        {"share": 0.02, "drop": True},
    ]
    runs = []
    for _ in range(2):
        faults = Faults()
        faults.switch_on(plan(channel="slack", mix=mix, seed=1))
        runs.append([await faults.take("slack", "T/B") for _ in range(10_000)])
    first, second = runs
    assert first == second
    assert 400 < sum(1 for a in first if a and a.status == 503) < 600
    assert 240 < sum(1 for a in first if a and a.status == 429) < 360
    assert 150 < sum(1 for a in first if a and a.drop and not a.refuses) < 250
    limited = next(a for a in first if a and a.status == 429)
    assert limited.headers == {"Retry-After": "0.05"}


async def test_a_mail_is_drawn_for_once_and_not_with_each_command() -> None:
    faults = Faults()
    faults.switch_on(plan(channel="email", mix=[{"share": 1, "status": 451}]))
    assert await faults.take("email", "a@b.c", "mail") is None
    assert await faults.take("email", "a@b.c", "rcpt") is None
    assert await faults.take("email", "a@b.c", "data") is not None


async def test_clearing_ends_everything() -> None:
    faults = Faults()
    faults.switch_on(plan(slack={"status": 500, "count": 9}, drop_after_accept=3))
    faults.switch_on(plan(channel="teams", mix=[{"share": 1, "status": 500}]))
    faults.clear()
    assert await faults.take("slack", "") is None
    assert await faults.take("teams", "") is None
    assert not faults.take_drop("slack")


async def test_so_many_messages_are_cut_off_of_one_channel_or_of_any() -> None:
    faults = Faults()
    faults.switch_on(plan(drop_after_accept={"teams": 1, "*": 1}))
    assert [faults.take_drop("teams") for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    "values",
    [
        {"mix": [{"share": 0.5, "status": 500}]},
        {"channel": "slack"},
        {"channel": "pigeon", "mix": []},
        {"channel": "slack", "mix": [{"share": 0.6, "status": 500}, {"share": 0.6, "drop": True}]},
        {"channel": "slack", "mix": [{"share": 0, "status": 500}]},
        {"slack": {"status": 200}},
        {"slack": {"count": 0}},
        {"pigeon": {}},
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        plan(**values)
