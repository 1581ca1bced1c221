"""The notify file of the fault battery: the notifier reads it, each office has sinks of its own."""

from pathlib import Path

import pytest

from services.notifier.notify_file import read_notify_file
from tests.faults.offices import OFFICES
from tests.faults.sinks import notify_file, owner_of_sink, secrets, slack_name

ADDRESSES = {
    "page_url": "http://127.0.0.1:8000",
    "webhook_secret": "whsec_c3RhbmRpbi13ZWJob29rLXNlY3JldC0zMg==",
    "salesforce_url": "http://127.0.0.1:8000",
    "salesforce_client_id": "id",
    "salesforce_client_secret": "secret",
}
TENANTS = ("kill-a", "kill-b")


def test_the_notifier_reads_the_file_and_knows_every_sink(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in secrets(ADDRESSES, TENANTS).items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "notify.yaml"
    file.write_text(notify_file(ADDRESSES, TENANTS))

    found = read_notify_file(file)

    assert len(found.sinks) == 1 + 2 * len(TENANTS) * len(OFFICES)
    heard = [getattr(sink, "offices", ()) for sink in found.sinks.values()]
    assert all(heard.count((office,)) == 2 * len(TENANTS) for office in OFFICES)


def test_the_log_of_a_sink_names_its_tenant_and_its_office() -> None:
    assert owner_of_sink("webhook", "kill-a.luzern") == ("kill-a", "luzern")
    assert owner_of_sink("slack", slack_name("kill-a", "romandie")) == ("kill-a", "romandie")
