"""A notify file with a sink of every channel, and the secrets it names."""

from pathlib import Path

import pytest

EVERY_CHANNEL = """\
time_zone: Europe/Zurich
sinks:
  hook: {channel: slack, webhook_url: {env: HOOK}}
  bot: {channel: slack_bot, token: {env: TOKEN}, conversation: C0SALES}
  teams: {channel: teams, workflow_url: {env: WORKFLOW}}
  mail: {channel: email, host: mail, sender: a@b.c, recipients: [owner, boss@b.c]}
  crm: {channel: salesforce, url: "https://x.y", client_id: i, client_secret: {env: TOKEN}}
  robots: {channel: webhook, url: "https://r.s/in", secret: {env: SIGNING}, offices: [luzern]}
people:
  anna: {mail: anna@b.c, accounts: [Apple Inc]}
"""
SECRETS = {
    "HOOK": "https://hooks.slack.com/services/T1/B1/s3cr3t",
    "TOKEN": "xoxb-s3cr3t",
    "SIGNING": "whsec_czNjcjN0czNjcjN0czNjcjN0czNjcjN0",
    "WORKFLOW": "https://prod-1.logic.azure.com/workflows/0f3b2a1c4d5e6f708192a3b4c5d6e7f8/triggers/"
    "manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s3cr3t",
}


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The secrets in the environment, and no OneLead to be found."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ONELEAD_HOME", str(tmp_path / "nothing"))


@pytest.fixture
def notify_file(tmp_path: Path) -> Path:
    """The file with a sink of every channel."""
    file = tmp_path / "notify.yaml"
    file.write_text(EVERY_CHANNEL)
    return file
