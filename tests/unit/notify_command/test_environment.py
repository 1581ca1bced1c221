"""The notify file for a service that is started from another folder."""

from pathlib import Path

import pytest

from onelead.edition.service import our_environment


def test_a_path_in_a_setting_is_meant_from_where_the_command_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ONELEAD_NOTIFY_FILE", "notify.yaml")
    monkeypatch.setenv("ONELEAD_SLACK_WEBHOOK_URL_FILE", "/run/secrets/hook")
    monkeypatch.setenv("ONELEAD_WEBHOOK_SECRET_FILE", "")
    env = our_environment()
    assert env["ONELEAD_NOTIFY_FILE"] == str(tmp_path / "notify.yaml")
    assert env["ONELEAD_SLACK_WEBHOOK_URL_FILE"] == "/run/secrets/hook"
    assert env["ONELEAD_WEBHOOK_SECRET_FILE"] == ""
