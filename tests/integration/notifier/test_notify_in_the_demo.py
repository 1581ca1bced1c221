"""The demo's notifier tells the stand-ins only, whatever sinks the environment names."""

from pathlib import Path

import orjson
import pytest

from onelead.edition.folder import DataFolder
from onelead.edition.service import StandinsProcess
from onelead.standins.app import Addresses
from services.notifier.settings import NotifierSettings
from shared.access import NO_DATABASE
from shared.settings import load_settings

REAL = {
    "ONELEAD_NOTIFY_FILE": "/etc/onelead/notify.yaml",
    "ONELEAD_TEAMS_WORKFLOW_URL": "https://teams.example.com/workflows/w1/x?sig=s",
    "ONELEAD_WEBHOOK_URL": "https://robots.example.com",
    "ONELEAD_WEBHOOK_SECRET": "whsec_czNjcjN0czNjcjN0czNjcjN0czNjcjN0",
    "ONELEAD_MAIL_PASSWORD_FILE": "/etc/onelead/mail",
}


async def test_sinks_of_the_environment_are_not_the_demos(
    standins: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path)
    folder.run.mkdir(parents=True)
    process = StandinsProcess(folder)
    process.ready_file.write_bytes(orjson.dumps(standins))
    for name, value in (REAL | process.notifier_settings()).items():
        monkeypatch.setenv(name, value)
    settings = load_settings(NotifierSettings, kafka_bootstrap="", database_url=NO_DATABASE)
    sinks = settings.notifications().sinks
    told = "".join(repr(sink.model_dump()) for sink in sinks.values())
    assert {"slack", "email", "salesforce"} <= sinks.keys()
    assert "example.com/" not in told
    assert "robots" not in told
