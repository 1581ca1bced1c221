"""`onelead deliveries` on a real ledger: what it lists, shows, sends again and takes back."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from services.notifier.domain.delivery import Purpose
from services.notifier.domain.moves import ELSEWHERE
from shared import clock
from tests.integration.notifier.command_line import CONTACT, Result, Tenant
from tests.support.notifier_builders import alert
from tests.support.stack import Stack

LEAD = alert().lead_id
NOTIFY = """\
sinks:
  hook: {{channel: slack, webhook_url: {{env: HOOK}}, tenants: [{}]}}
"""


@pytest.fixture
def tenant(
    migrated: Stack,
    role_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Tenant:
    monkeypatch.setenv("ONELEAD_DATABASE_URL", migrated.owner_url)
    monkeypatch.setenv("ONELEAD_DATABASE_PASSWORD", make_url(role_url).password or "")
    monkeypatch.setenv("ONELEAD_HOME", str(tmp_path / "home"))
    return Tenant(f"n-{uuid.uuid4().hex[:12]}", capsys)


def ids(result: Result) -> set[str]:
    return {row["delivery_id"] for row in result.json}


def listed(tenant: Tenant, *options: str) -> set[str]:
    return ids(tenant.run("deliveries", "list", *options, "--json"))


def test_the_list_is_chosen_by_state_channel_target_purpose_and_lead(tenant: Tenant) -> None:
    dead = tenant.deliver("dead")
    unknown = tenant.deliver("unknown", target="T1/B2")
    mail = tenant.deliver("sent", channel="email", target="a@example.com", lead_id="other-1")
    digest = tenant.deliver(
        "sent", lead_id="", purpose=Purpose.DAILY_DIGEST, channel="email", number=7
    )
    assert listed(tenant) == {dead, unknown, mail, digest}
    assert listed(tenant, "--state", "dead", "--state", "unknown") == {dead, unknown}
    assert listed(tenant, "--channel", "email") == {mail, digest}
    assert listed(tenant, "--target", "T1/B2") == {unknown}
    assert listed(tenant, "--purpose", "daily_digest") == {digest}
    assert listed(tenant, "--lead", LEAD[:8].upper()) == {dead, unknown}
    assert listed(tenant, "--lead", "other-1") == {mail}
    assert len(tenant.run("deliveries", "list", "--limit", "1", "--json").json) == 1


def test_the_list_is_the_newest_first_and_looks_back_as_far_as_asked(tenant: Tenant) -> None:
    old = tenant.deliver("sent", created_at=clock.now() - timedelta(days=3))
    new = tenant.deliver("sent", episode=2)
    rows = tenant.run("deliveries", "list", "--json").json
    assert [row["delivery_id"] for row in rows] == [new, old]
    assert listed(tenant, "--since", "2d") == {new}
    assert listed(tenant, "--since", "1w") == {new, old}
    assert "is no moment" in tenant.run("deliveries", "list", "--since", "999999d", code=2).said


def test_a_list_counts_by_state_and_an_empty_one_says_why(tenant: Tenant) -> None:
    assert "Nothing was ever to be told" in tenant.run("deliveries", "list").said
    assert tenant.run("deliveries", "list", "--json").json == []
    tenant.deliver("dead")
    tenant.deliver("sent", episode=2)
    said = tenant.run("deliveries", "list", "--limit", "1").said
    assert said == "2 in all: 1 dead, 1 sent; the newest 1 are shown, --limit shows more"
    said = tenant.run("deliveries", "list", "--state", "unknown").said
    assert said == f"No such deliveries; tenant {tenant.name} has 2 in all: 1 dead, 1 sent"


def test_a_channel_or_state_that_is_none_is_refused_with_those_there_are(tenant: Tenant) -> None:
    assert (
        "did you mean slack?" in tenant.run("deliveries", "list", "--channel", "slak", code=2).err
    )
    assert "unknown" in tenant.run("deliveries", "list", "--state", "lost", code=2).err


def test_one_delivery_is_shown_with_its_attempts_and_what_comes_next(tenant: Tenant) -> None:
    delivery = tenant.deliver("dead")
    tenant.attempt(delivery, 1)
    tenant.attempt(delivery, 2)
    found = tenant.run("deliveries", "show", delivery[:8], "--json").json
    assert found["delivery_id"] == delivery
    assert found["title"] == alert().title
    assert [each["number"] for each in found["attempts"]] == [1, 2]
    first = found["attempts"][0]
    assert (first["status"], first["error"], first["latency_ms"]) == (404, "rejected", 42)
    assert first["request_hash"] == "ab" * 32
    assert "onelead deliveries retry" in found["next"]
    shown = tenant.run("deliveries", "show", delivery).out
    assert "no_service" in shown
    assert "42 ms" in shown


def test_ids_that_are_wrong_short_or_of_another_tenant_are_not_found(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    delivery = tenant.deliver("dead")
    other = Tenant(f"{tenant.name}-b", capsys)
    for command in ("show", "retry", "cancel"):
        said = other.run("deliveries", command, delivery, code=2).said
        assert f"tenant {other.name} has no delivery" in said
        assert "4 characters" in tenant.run("deliveries", command, "0d8", code=2).said
        assert "has no delivery" in tenant.run("deliveries", command, "%%%%", code=2).said
    assert tenant.row(delivery).state == "dead"


def test_a_dead_delivery_is_sent_again_with_all_its_attempts_before_it(tenant: Tenant) -> None:
    delivery = tenant.deliver("dead")
    tenant.execute("UPDATE notifier.deliveries SET failures = 10, tries = 10")
    result = tenant.run("deliveries", "retry", delivery, "--why", "webhook\nmended")
    assert result.out.startswith(f"{delivery} will be sent again")
    row = tenant.row(delivery)
    assert (row.state, row.failures, row.tries) == ("pending", 0, 10)
    assert row.in_doubt
    assert row.settled_at is None
    assert row.due_at <= clock.now()
    assert row.note.startswith("sent again by ")
    assert row.note.endswith(": webhook mended")


def test_what_may_have_arrived_is_sent_again_only_on_a_word_and_with_a_warning(
    tenant: Tenant,
) -> None:
    delivery = tenant.deliver("unknown")
    refused = tenant.run("deliveries", "retry", delivery, code=1).said
    assert "somebody may read it twice" in refused
    assert "--yes" in refused
    assert tenant.row(delivery).state == "unknown"
    said = tenant.run("deliveries", "retry", delivery, "--yes").said
    assert "may have arrived already; slack T1/B1 may get it twice" in said
    assert tenant.row(delivery).state == "pending"


@pytest.mark.parametrize("state", ["pending", "retry", "leased", "sending", "sent", "cancelled"])
def test_only_dead_and_unknown_ones_are_sent_again(tenant: Tenant, state: str) -> None:
    delivery = tenant.deliver(state)
    assert f"is {state}; only dead" in tenant.run("deliveries", "retry", delivery, code=1).said
    assert tenant.row(delivery).state == state


@pytest.mark.parametrize("state", ["leased", "sending", "sent", "dead", "unknown", "folded"])
def test_only_what_waits_is_cancelled(tenant: Tenant, state: str) -> None:
    delivery = tenant.deliver(state)
    assert f"is {state}; only what" in tenant.run("deliveries", "cancel", delivery, code=1).said
    assert tenant.row(delivery).state == state


def test_a_cancelled_delivery_keeps_who_and_why_and_is_to_be_told_of(tenant: Tenant) -> None:
    delivery = tenant.deliver("retry")
    (row,) = tenant.run("deliveries", "cancel", delivery, "--why", "wrong lead", "--json").json
    assert (row["delivery_id"], row["state"]) == (delivery, "cancelled")
    assert row["note"].startswith("cancelled by ")
    assert row["note"].endswith(": wrong lead")
    assert not tenant.row(delivery).announced
    assert "is cancelled" in tenant.run("deliveries", "cancel", delivery, code=1).said


def test_nobody_is_told_by_hand_of_a_lead_that_was_withdrawn(tenant: Tenant) -> None:
    delivery = tenant.deliver("dead")
    tenant.execute(
        "INSERT INTO notifier.leads (tenant_id, lead_id, version, withdrawn, episode,"
        " withdrawn_through) VALUES (:tenant, :lead, 2, true, 1, 1)",
        tenant=tenant.name,
        lead=LEAD,
    )
    assert "was withdrawn" in tenant.run("deliveries", "retry", delivery, code=1).said


def test_no_office_is_told_by_hand_of_a_lead_that_another_one_has(tenant: Tenant) -> None:
    alert_of_before = tenant.deliver("dead")
    tenant.deliver("sent", purpose=Purpose.WITHDRAWAL, number=2)
    crm = tenant.deliver("dead", channel="salesforce", target="crm")
    tenant.execute(
        "UPDATE notifier.deliveries SET office_id = 'luzern', content = CASE purpose"
        " WHEN 'withdrawal' THEN content || jsonb_build_object('reason', CAST(:why AS text))"
        " ELSE content END",
        why=ELSEWHERE,
    )
    tenant.execute(
        "INSERT INTO notifier.leads (tenant_id, lead_id, version, withdrawn, episode,"
        " withdrawn_through, alert)"
        """ VALUES (:tenant, :lead, 2, false, 1, 0, '{"office_id": "romandie"}')""",
        tenant=tenant.name,
        lead=LEAD,
    )
    result = tenant.run("deliveries", "retry", "--all", "--yes", code=1)
    assert f"Refused: {alert_of_before} is about a lead that another office has" in result.said
    assert tenant.row(alert_of_before).state == "dead"
    assert tenant.row(crm).state == "pending", "it was never told that the lead is gone"
    tenant.execute("""UPDATE notifier.leads SET alert = '{"office_id": "luzern"}'""")
    tenant.run("deliveries", "retry", alert_of_before)
    assert tenant.row(alert_of_before).state == "pending"


def test_a_letter_to_somebody_who_unsubscribed_is_not_sent_again(tenant: Tenant) -> None:
    letter = tenant.deliver("dead", purpose=Purpose.OUTREACH, channel="email")
    tenant.run("campaigns", "unsubscribe", CONTACT)
    said = tenant.run("deliveries", "retry", letter, "--yes", code=1).said
    assert "an address nobody writes to (unsubscribed (entered by hand))" in said
    tenant.run("campaigns", "allow", CONTACT)
    tenant.run("deliveries", "retry", letter)
    assert tenant.row(letter).state == "pending"


def test_an_account_that_is_not_to_be_contacted_is_left_alone_until_then(tenant: Tenant) -> None:
    delivery = tenant.deliver("dead")
    until = clock.now() + timedelta(days=5)
    tenant.execute(
        "INSERT INTO notifier.standings (tenant_id, lead_id, version, state, do_not_contact_until)"
        " VALUES (:tenant, :lead, 1, 'assigned', :until)",
        tenant=tenant.name,
        lead=LEAD,
        until=until,
    )
    assert "not before" in tenant.run("deliveries", "retry", delivery).out
    assert tenant.row(delivery).due_at == until


def test_many_are_sent_again_at_once_those_that_may_and_only_on_a_word(tenant: Tenant) -> None:
    dead = {tenant.deliver("dead", episode=number) for number in (1, 2, 3)}
    elsewhere = tenant.deliver("dead", target="T1/B2")
    said = tenant.run("deliveries", "retry", "--all", "--target", "T1/B1", code=1).said
    assert "3 deliveries are meant; nothing was changed" in said
    assert {tenant.row(each).state for each in dead} == {"dead"}
    result = tenant.run("deliveries", "retry", "--all", "--target", "T1/B1", "--yes", "--json")
    assert ids(result) == dead
    assert "3 of 3 changed" in result.said
    assert tenant.row(elsewhere).state == "dead"


def test_of_several_ids_each_is_judged_by_itself(tenant: Tenant) -> None:
    dead, sent = tenant.deliver("dead"), tenant.deliver("sent", episode=2)
    result = tenant.run("deliveries", "retry", dead, sent, dead[:12], code=1)
    assert "will be sent again" in result.out
    assert f"Refused: {sent} is sent" in result.said
    assert tenant.row(dead).state == "pending"


@pytest.mark.parametrize("command", ["retry", "cancel"])
def test_ids_and_all_exclude_each_other_and_one_is_needed(tenant: Tenant, command: str) -> None:
    for words in ([], ["0d8a20dd", "--all"]):
        assert "name ids, or --all" in tenant.run("deliveries", command, *words, code=2).said
    assert "No such deliveries" in tenant.run("deliveries", command, "--all", "--yes").said


def test_what_waits_for_a_sink_that_is_gone_is_found_and_cancelled(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tenant.deliver("pending")
    orphan = tenant.deliver("pending", target="T9/B9")
    tenant.deliver("sent", target="T9/B9", episode=2)
    assert "no sinks" in tenant.run("deliveries", "list", "--orphaned", code=2).said
    monkeypatch.setenv("HOOK", "https://hooks.slack.com/services/T1/B1/x")
    file = tmp_path / "notify.yaml"
    file.write_text(NOTIFY.format(tenant.name))
    assert listed(tenant, "--orphaned", "--file", str(file)) == {orphan}
    monkeypatch.setenv("ONELEAD_NOTIFY_FILE", str(file))
    assert listed(tenant, "--orphaned") == {orphan}
    assert "waits for nobody" in tenant.run("deliveries", "show", orphan, "--json").json["next"]
    assert "goes out now" in tenant.run("deliveries", "show", kept, "--json").json["next"]
    tenant.run("deliveries", "cancel", "--orphaned", code=1)
    assert ids(tenant.run("deliveries", "cancel", "--orphaned", "--yes", "--json")) == {orphan}
    assert (tenant.row(kept).state, tenant.row(orphan).state) == ("pending", "cancelled")


def test_a_sink_is_shown_with_what_became_of_its_news_and_switched_on_again(
    tenant: Tenant,
) -> None:
    assert "No sink was ever told" in tenant.run("deliveries", "sinks").said
    dead = tenant.deliver("dead")
    tenant.deliver("sent", episode=2)
    tenant.deliver("sent", channel="email", target="a@example.com")
    tenant.execute(
        "INSERT INTO notifier.sinks (tenant_id, channel, target, failures, disabled_at, reason)"
        " VALUES (:tenant, 'slack', 'T1/B1', 9, now(), '410 gone')",
        tenant=tenant.name,
    )
    mail, hook = tenant.run("deliveries", "sinks", "--json").json
    assert (mail["target"], mail["sent"], mail["stands"]) == ("a@example.com", 1, "fine")
    assert (hook["sent"], hook["dead"], hook["waiting"]) == (1, 1, 0)
    assert hook["stands"].startswith("switched off since")
    assert "switched off (410 gone)" in tenant.run("deliveries", "retry", dead).said
    assert "has never failed" in tenant.run("deliveries", "enable", "slack", "x", code=2).said
    assert "is sent to again" in tenant.run("deliveries", "enable", "slack", "T1/B1").out
    assert tenant.run("deliveries", "sinks", "--json").json[1]["stands"] == "fine"
