"""An erasure waits as long as the services' relays may hold a message, by the same setting."""

from datetime import timedelta

import pytest

from onelead.tenants.erasing import RelaySettings, relay_done
from shared.errors import UserError
from shared.settings import ServiceSettings

SETTING = "ONELEAD_RELAY_PUBLISH_TIMEOUT_S"


@pytest.mark.parametrize(("given", "seconds"), [(None, 10), ("", 10), ("60", 65), ("0.5", 1)])
def test_it_waits_for_the_time_of_the_setting_and_for_an_answer(
    given: str | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    if given is not None:
        monkeypatch.setenv(SETTING, given)
    assert relay_done() == timedelta(seconds=seconds)


@pytest.mark.parametrize("wrong", ["0", "61", "soon"])
def test_what_services_would_refuse_it_refuses(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, wrong)
    with pytest.raises(UserError, match=SETTING):
        relay_done()


def test_it_is_the_services_own_setting() -> None:
    [(name, ours)] = RelaySettings.model_fields.items()
    theirs = ServiceSettings.model_fields[name]
    assert (ours.default, ours.metadata) == (theirs.default, theirs.metadata)
