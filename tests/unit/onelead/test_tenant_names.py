"""No tenant is called so that what is its own would be ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelead.access import Kind, Pattern, rights_of
from onelead.cli import run_command_line
from onelead.edition.service import SERVICES
from onelead.lag import group_of
from onelead.whose import checked_tenant
from shared.errors import UserError
from shared.topics import DEAD_LETTER_SUFFIX, RECORDS, TOPICS

GROUPS = {group_of(service, topic) for service in SERVICES for topic in TOPICS}
OURS = {word for group in GROUPS for word in group.split(".")} | {"dead-letter", "v1"}


def accepted(name: str) -> bool:
    try:
        return checked_tenant(name) == name
    except UserError:
        return False


@pytest.mark.parametrize("name", ["onelead", "dead-letter"])
def test_a_name_of_ours_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(UserError, match=f"no tenant may be called {name}: .*(groups|topics)"):
        checked_tenant(name)


@pytest.mark.parametrize("name", ["onelead-2", "my-onelead", "one", "scoring", "default", "dead"])
def test_a_name_that_only_resembles_ours_is_taken(name: str) -> None:
    assert accepted(name)


@given(st.sampled_from(sorted(OURS)) | st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True))
def test_no_tenant_has_rights_on_a_services_group_or_a_topic_like_dead_letters(name: str) -> None:
    if not accepted(name):
        return
    [ours] = [right for right in rights_of(name) if right.kind is Kind.GROUP]
    assert ours.pattern is Pattern.PREFIXED
    assert not any(group.startswith(ours.name) for group in GROUPS)
    assert not RECORDS.for_tenant(name).endswith(DEAD_LETTER_SUFFIX)


@pytest.mark.parametrize(
    "words",
    [
        ("tenants", "add", "onelead"),
        ("tenants", "erase", "onelead", "--yes", "onelead"),
        ("topics", "--create", "--tenant", "onelead"),
        ("topics", "acls", "--tenant", "onelead"),
    ],
)
def test_commands_refuse_it_before_they_ask_anybody(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONELEAD_KAFKA_BOOTSTRAP", "localhost:1")
    assert run_command_line(list(words)) == 2
    assert "no tenant may be called onelead" in capsys.readouterr().err
