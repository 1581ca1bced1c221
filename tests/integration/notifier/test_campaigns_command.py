"""`onelead campaigns` and `onelead digests` on real tables: begun, shown, ended, refused, previewed."""

import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from services.notifier.domain.delivery import Purpose
from shared import clock
from shared.db.migrate import upgrade
from tests.integration.notifier.command_line import CONTACT, Tenant
from tests.support.notifier_builders import alert, public_lead
from tests.support.scoring_builders import a_lead, a_scored_lead
from tests.support.stack import Stack

LEAD = public_lead().lead_id
OTHER = "8b1f2c3d-0000-5000-8000-000000000002"
_SCORED = """
    INSERT INTO scoring.emitted (tenant_id, lead_id, version, event)
    VALUES (:tenant, :lead, 1, CAST(:event AS jsonb))
"""
_PUBLISHED = """
    INSERT INTO recommender.published (tenant_id, lead_id, version, event)
    VALUES (:tenant, :lead, 1, CAST(:event AS jsonb))
"""
_HELD = """
    INSERT INTO notifier.leads (tenant_id, lead_id, version, withdrawn, episode,
                                withdrawn_through, alert, told, first_seen_at)
    VALUES (:tenant, :lead, 1, false, 1, 0, CAST(:alert AS jsonb), CAST(:alert AS jsonb), :since)
"""


def add_lead(tenant: Tenant, lead_id: str, **changes: Any) -> None:
    """A lead as scoring, the recommender and the notifier know it."""
    known = {"tenant": tenant.name, "lead": lead_id}
    scored = a_scored_lead(a_lead(lead_id=lead_id)).model_dump_json()
    tenant.execute(_SCORED, service="scoring", event=scored, **known)
    published = public_lead(lead_id=lead_id).model_dump_json()
    tenant.execute(_PUBLISHED, service="recommender", event=published, **known)
    held = alert(tenant.name, lead_id=lead_id, **changes).model_dump_json()
    tenant.execute(_HELD, alert=held, since=clock.now() - timedelta(hours=1), **known)


@pytest.fixture
def tenant(
    migrated: Stack,
    role_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Tenant:
    """A tenant with two leads that nobody has touched."""
    password = make_url(role_url).password or ""
    for service in ("scoring", "recommender"):
        upgrade(migrated.owner_url, service, role_password=password)
    monkeypatch.setenv("ONELEAD_DATABASE_URL", migrated.owner_url)
    monkeypatch.setenv("ONELEAD_DATABASE_PASSWORD", password)
    monkeypatch.setenv("ONELEAD_HOME", str(tmp_path / "home"))
    made = Tenant(f"n-{uuid.uuid4().hex[:12]}", capsys)
    add_lead(made, LEAD)
    add_lead(made, OTHER, territory="57155")
    return made


def campaigns(tenant: Tenant, *options: str) -> Any:
    return tenant.run("campaigns", "list", *options, "--json").json


def begin(tenant: Tenant, lead: str = LEAD, to: str = CONTACT) -> None:
    tenant.run("campaigns", "start", lead, "--to", to)


def stand(tenant: Tenant, **changes: Any) -> None:
    values = {"state": "new", "until": None} | changes
    tenant.execute(
        "INSERT INTO notifier.standings (tenant_id, lead_id, version, state, do_not_contact_until)"
        " VALUES (:tenant, :lead, 1, :state, :until)",
        tenant=tenant.name,
        lead=LEAD,
        **values,
    )


def test_a_campaign_is_begun_for_a_contact_and_shown_with_its_next_step(tenant: Tenant) -> None:
    assert "No campaign was ever begun" in tenant.run("campaigns", "list").said
    said = tenant.run("campaigns", "start", LEAD[:8], "--to", CONTACT.upper(), "--by", "anna").out
    assert said.startswith(f"{CONTACT}: {alert().title}")
    (row,) = campaigns(tenant)
    assert (row["contact"], row["lead_id"], row["by"]) == (CONTACT, LEAD, "anna")
    assert (row["steps_done"], row["next"], row["ended"]) == (0, "day 0: first_outreach", None)
    assert CONTACT in tenant.run("campaigns", "list").out
    said = tenant.run("campaigns", "start", LEAD, "--to", CONTACT, code=1).said
    assert "a campaign runs for cio@customer.example and this lead already" in said


def test_a_file_of_contacts_is_begun_whole_or_not_at_all(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text(f"lead,contact\n{LEAD},a@example.com\nNOPE,b@example.com\n")
    tenant.run("campaigns", "start", "--contacts", str(file), code=2)
    assert campaigns(tenant) == []
    file.write_text(f"lead,contact\n{LEAD},a@example.com\n{OTHER},b@example.com\n")
    assert "begun for 2" in tenant.run("campaigns", "start", "--contacts", str(file)).said
    assert {row["contact"] for row in campaigns(tenant)} == {"a@example.com", "b@example.com"}


def test_the_list_is_chosen_by_lead_address_and_what_runs(tenant: Tenant) -> None:
    begin(tenant)
    begin(tenant, OTHER)
    begin(tenant, OTHER, "eva@customer.example")
    tenant.run("campaigns", "stop", LEAD)
    assert len(campaigns(tenant)) == 3
    assert {row["lead_id"] for row in campaigns(tenant, "--running")} == {OTHER}
    assert [row["contact"] for row in campaigns(tenant, "--lead", LEAD[:8])] == [CONTACT]
    assert len(campaigns(tenant, "--to", CONTACT.upper())) == 2
    assert "No such campaign" in tenant.run("campaigns", "list", "--to", "x@example.com").said


def test_a_stop_ends_what_runs_and_takes_back_the_mail_that_waits(tenant: Tenant) -> None:
    begin(tenant)
    begin(tenant, LEAD, "eva@customer.example")
    mail = tenant.deliver("pending", purpose=Purpose.OUTREACH, channel="email")
    said = tenant.run("campaigns", "stop", LEAD, "--to", CONTACT, "--why", "they called us").out
    assert f"stopped for {CONTACT}" in said
    assert "eva" not in said
    assert {row["contact"]: row["ended"] for row in campaigns(tenant)} == {
        CONTACT: "they called us",
        "eva@customer.example": None,
    }
    row = tenant.row(mail)
    assert (row.state, row.note) == ("cancelled", "they called us")
    assert "eva@customer.example" in tenant.run("campaigns", "stop", LEAD).out
    assert "no campaign runs about" in tenant.run("campaigns", "stop", LEAD, code=1).said
    assert "has no lead called" in tenant.run("campaigns", "stop", "NOPE", code=2).said


def test_who_unsubscribed_is_listed_and_written_to_by_nobody_until_allowed(tenant: Tenant) -> None:
    begin(tenant)
    assert "Every address may be written to" in tenant.run("campaigns", "refused").said
    tenant.run("campaigns", "unsubscribe", CONTACT.upper())
    (row,) = tenant.run("campaigns", "refused", "--json").json
    assert (row["address"], row["reason"]) == (CONTACT, "unsubscribed (entered by hand)")
    assert CONTACT in tenant.run("campaigns", "refused").out
    assert campaigns(tenant)[0]["ended"] == "unsubscribed (entered by hand)"
    refused = tenant.run("campaigns", "start", OTHER, "--to", CONTACT, code=1).said
    assert "nobody was written to: unsubscribed (entered by hand)" in refused
    assert "campaigns allow" in refused
    tenant.run("campaigns", "allow", CONTACT)
    begin(tenant, OTHER)
    assert "is not on the list" in tenant.run("campaigns", "allow", CONTACT, code=1).said


def test_an_account_that_is_not_to_be_contacted_is_not_written_to(tenant: Tenant) -> None:
    stand(tenant, until=clock.now() + timedelta(days=9))
    said = tenant.run("campaigns", "start", LEAD, "--to", CONTACT, code=1).said
    assert "the account is not to be contacted" in said
    assert campaigns(tenant) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("start", LEAD), "name a lead and --to ADDRESS"),
        (("start", LEAD, "--to", "nobody"), "is not a mail address"),
        (("start", LEAD, "--to", "a@b.example\nBcc: x@y.example"), "is not a mail address"),
        (("start", LEAD, "--to", CONTACT, "--campaign", "drop"), "known: drip"),
        (("unsubscribe", "nobody"), "is not a mail address"),
        (("preview", "NOPE"), "has no lead called 'NOPE'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    tenant: Tenant, words: tuple[str, ...], said: str
) -> None:
    assert said in tenant.run("campaigns", *words, code=2).said


def test_another_tenants_leads_and_campaigns_are_not_seen(
    tenant: Tenant, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(tenant)
    other = Tenant(f"{tenant.name}-b", capsys)
    assert campaigns(other) == []
    for words in (("stop", LEAD), ("start", LEAD, "--to", CONTACT), ("preview", LEAD)):
        assert "has no lead called" in other.run("campaigns", *words, code=2).said
    assert campaigns(tenant)[0]["ended"] is None


def test_a_preview_shows_every_letter_with_its_day_and_begins_nothing(tenant: Tenant) -> None:
    steps = tenant.run("campaigns", "preview", LEAD, "--to", CONTACT, "--json").json
    assert [step["day"] for step in steps] == [0, 3, 7, 14]
    letters, call = steps[:3], steps[3]
    assert len({letter["subject"] for letter in letters}) == 3
    assert all("HP DL360p Gen8 8-SFF CTO Server" in letter["text"] for letter in letters)
    assert call["subject"] is None
    shown = tenant.run("campaigns", "preview", LEAD).out
    assert "A call task" in shown
    assert campaigns(tenant) == []


def test_a_previewed_letter_is_made_of_ones_own_template(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "value.renewal.txt.j2").write_text("Subject: Hello {{ account }}\n\nOur words\n")
    monkeypatch.setenv("ONELEAD_TEMPLATES_DIR", str(tmp_path))
    steps = tenant.run("campaigns", "preview", LEAD, "--json").json
    assert steps[1]["subject"] == "Hello Apple Inc"
    (tmp_path / "value.renewal.txt.j2").write_text("Subject: x\n\n{{ titel }}\n")
    said = tenant.run("campaigns", "preview", LEAD, code=2).said
    assert "value.renewal.txt.j2" in said


def digest(tenant: Tenant, kind: str, *options: str) -> Any:
    return json.loads(tenant.run("digests", kind, *options, "--json").out)


def test_a_digest_shows_what_would_be_told_now(tenant: Tenant) -> None:
    daily = digest(tenant, "daily")
    assert (daily["title"], daily["critical"]) == ("2 new leads", 2)
    assert {line["lead_id"] for line in daily["lines"]} == {LEAD, OTHER}
    weekly = digest(tenant, "weekly")
    assert {line["territory"] for line in weekly["territories"]} == {"56088", "57155"}
    assert "57155" in tenant.run("digests", "weekly").out
    assert tenant.execute("SELECT FROM notifier.deliveries") == []


def test_a_digest_without_anything_to_tell_says_why(tenant: Tenant) -> None:
    assert digest(tenant, "ageing") is None
    assert "was left alone for so long" in tenant.run("digests", "ageing").said
    assert digest(tenant, "daily", "--office", "romandie") is None


def test_a_digest_counts_the_days_that_the_notify_file_names(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.execute("UPDATE notifier.leads SET first_seen_at = first_seen_at - interval '4 days'")
    assert digest(tenant, "ageing") is None
    file = tmp_path / "notify.yaml"
    monkeypatch.setenv("HOOK", "https://hooks.slack.com/services/T1/B1/x")
    file.write_text(
        "sinks: {hook: {channel: slack, webhook_url: {env: HOOK}}}\ndigests: {ageing_after_days: 3}\n"
    )
    found = digest(tenant, "ageing", "--file", str(file))
    assert found["title"] == "2 leads waiting for a first step"
    monkeypatch.setenv("ONELEAD_NOTIFY_FILE", str(file))
    assert digest(tenant, "ageing")["total"] == 2
