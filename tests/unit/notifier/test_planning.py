"""From the notify file or the settings to the plan: addresses, limits, quiet hours, owners."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import Limits, Plan, Target
from services.notifier.notify_file import Notifications, read_notify_file
from services.notifier.planning import open_sinks, plan_of
from shared.errors import UserError
from shared.outbound import OutboundPolicy
from tests.support.notifier_builders import alert

CRM = '{channel: salesforce, url: "https://x.y", client_id: i, client_secret: {env: HOOK}'
MAIL = "{channel: email, host: mail, sender: a@b.c, recipients: "
NIGHT = datetime(2025, 6, 4, 21, 30, tzinfo=UTC)
TEAM, ANNA, BERT = (
    Target("slack", "T1/B1"),
    Target("email", "anna@b.c"),
    Target("email", "bert@b.c"),
)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "https://hooks.slack.com/services/T1/B1/s3cr3t")
    monkeypatch.setenv("WRONG", "https://example.com/s3cr3t")


@contextmanager
def written(folder: Path, *lines: str) -> Iterator[Notifications]:
    path = folder / "notify.yaml"
    path.write_text("\n".join(lines))
    yield read_notify_file(path)


async def planned(wanted: Notifications) -> Plan:
    opened = open_sinks(wanted, OutboundPolicy())
    try:
        return plan_of(wanted, opened)
    finally:
        for channel in opened.values():
            await channel.close()


async def test_limits_are_the_sinks_then_everybodys_then_the_usual(tmp_path: Path) -> None:
    with written(
        tmp_path,
        "sinks:",
        "  team: {channel: slack, webhook_url: {env: HOOK}, limits: {alerts_per_hour: 5}}",
        f"  mail: {MAIL}[x@y.z]}}",
        f"  free: {MAIL}[free@y.z], limits: {{alerts_per_hour: null}}}}",
        f"  crm: {CRM}}}",
        "limits: {alerts_per_account_and_day: 3}",
    ) as wanted:
        plan = await planned(wanted)
    assert {sink.name: sink.limits for sink in plan.sinks} == {
        "team": Limits(5, 3),
        "mail": Limits(50, 3),
        "free": Limits(None, 3),
        "crm": Limits(None, None),
    }
    assert plan.limits(TEAM) == Limits(5, 3)


async def test_quiet_hours_are_the_sinks_else_everybodys_and_none_for_records(
    tmp_path: Path,
) -> None:
    with written(
        tmp_path,
        "time_zone: Europe/Zurich",
        "sinks:",
        "  team: {channel: slack, webhook_url: {env: HOOK}, quiet_hours: []}",
        f"  mail: {MAIL}[owner, x@y.z]}}",
        f"  crm: {CRM}}}",
        "people:",
        "  anna: {mail: anna@b.c, time_zone: America/New_York}",
        "  bert: {mail: bert@b.c}",
        'quiet_hours: [{from: "20:00", to: "07:00", except: {value_at_least: 10000}}]',
    ) as wanted:
        plan = await planned(wanted)
    assert plan.due_at(TEAM, NIGHT) == NIGHT
    assert plan.due_at(Target("salesforce", "x.y", tells_withdrawals=True), NIGHT) == NIGHT
    assert plan.due_at(BERT, NIGHT) == datetime(2025, 6, 5, 5, tzinfo=UTC)
    assert plan.due_at(ANNA, NIGHT) == NIGHT, "it is half past five in New York"
    assert plan.due_at(BERT, NIGHT, alert()) == NIGHT


async def test_owners_hear_of_what_is_theirs(tmp_path: Path) -> None:
    with written(
        tmp_path,
        "sinks:",
        f"  mail: {MAIL}owner}}",
        "people:",
        "  anna: {mail: anna@b.c, accounts: [Apple Inc]}",
        "  bert: {mail: bert@b.c, territories: 56088}",
    ) as wanted:
        plan = await planned(wanted)
    assert plan.routed("default", alert(), Purpose.ALERT) == (ANNA,)
    assert plan.routed("default", alert(account="Other"), Purpose.ALERT) == (BERT,)
    assert plan.told("default", Purpose.ALERT) == ()


async def test_a_sink_is_told_what_it_asks_for_of_what_its_channel_can_tell(tmp_path: Path) -> None:
    with written(
        tmp_path,
        "sinks:",
        f"  some: {CRM}, sends: [withdrawal], tenants: [acme, zeta], offices: [luzern]}}",
    ) as wanted:
        (sink,) = (await planned(wanted)).sinks
    assert sink.sends == {Purpose.WITHDRAWAL}
    assert sink.tenants == {"acme", "zeta"}
    assert sink.offices == {"luzern"}


async def test_two_sinks_with_one_address_are_refused_with_the_place(tmp_path: Path) -> None:
    with (
        written(
            tmp_path, "sinks:", f"  one: {MAIL}[x@y.z]}}", f"  two: {MAIL}[a@y.z, X@y.z]}}"
        ) as wanted,
        pytest.raises(UserError) as caught,
    ):
        await planned(wanted)
    assert caught.value.message == (
        f"{tmp_path}/notify.yaml:3:3: sinks.two: email X@y.z is a target of sink one already"
    )


async def test_a_sink_that_cannot_be_opened_is_refused_with_the_place(tmp_path: Path) -> None:
    with (
        written(tmp_path, "sinks:", "  one: {channel: slack, webhook_url: {env: WRONG}}") as wanted,
        pytest.raises(UserError) as caught,
    ):
        open_sinks(wanted, OutboundPolicy())
    assert caught.value.message.startswith(f"{tmp_path}/notify.yaml:2:3: sinks.one: ")
    assert "s3cr3t" not in f"{caught.value.message} {caught.value.hint}"
