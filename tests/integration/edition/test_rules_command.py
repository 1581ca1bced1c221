"""`onelead rules apply`: to a tenant that is there, above what it had, and only when something differs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from onelead.messages import publisher
from onelead.rules_in_force import applied_rules
from shared.events import RulesApplied
from shared.messaging.codec import encode
from shared.rules.load import default_rules, rules_document, rules_version
from shared.topics import RULES
from tests.support.builders import changed
from tests.support.command import run_onelead
from tests.support.stack import Stack

YAML = "recommendation:\n  margin_floor: 0.3\n"
AHEAD = 4_000_000_000_000_000


@pytest.fixture
def rules_file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(YAML)
    return path


def command(stack: Stack, tmp_path: Path, *arguments: Any) -> Any:
    settings = {"ONELEAD_KAFKA_BOOTSTRAP": stack.bootstrap}
    return run_onelead("rules", *arguments, home=tmp_path / "home", settings=settings)


@pytest.mark.parametrize(
    ("tenant", "said"),
    [("nobody", "there is no tenant nobody"), ("No Body", "No Body")],
)
def test_an_unknown_tenant_is_refused(
    migrated: Stack, tmp_path: Path, rules_file: Path, tenant: str, said: str
) -> None:
    for words in (("apply", rules_file), ("show",)):
        ended = command(migrated, tmp_path, *words, "--tenant", tenant)
        assert ended.returncode == 2
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr


def test_rules_come_above_the_last_ones_even_when_their_clock_was_ahead(
    migrated: Stack, tenant: str, tmp_path: Path, rules_file: Path
) -> None:
    asyncio.run(from_the_future(migrated, tenant))

    ended = command(migrated, tmp_path, "apply", rules_file, "--tenant", tenant)

    applied = asyncio.run(applied_rules(migrated.bootstrap, tenant))
    assert ended.returncode == 0, ended.stderr
    assert applied is not None
    assert applied.version == AHEAD + 1
    assert applied.rules["recommendation"]["margin_floor"] == 0.3


def test_the_same_rules_again_are_not_sent(
    migrated: Stack, tenant: str, tmp_path: Path, rules_file: Path
) -> None:
    command(migrated, tmp_path, "apply", rules_file, "--tenant", tenant)
    first = asyncio.run(applied_rules(migrated.bootstrap, tenant))

    again = command(migrated, tmp_path, "apply", rules_file, "--tenant", tenant)

    assert "already; nothing was sent" in again.stdout
    assert asyncio.run(applied_rules(migrated.bootstrap, tenant)) == first


async def from_the_future(stack: Stack, tenant: str) -> None:
    rules = changed(default_rules(), recommendation__margin_floor=0.2)
    event = RulesApplied(
        version=AHEAD, rules_version=rules_version(rules), rules=rules_document(rules)
    )
    message = encode(
        event, tenant_id=tenant, source="test", subject=tenant, topic=RULES.name, key=tenant
    )
    async with publisher(stack.bootstrap) as out:
        await out.send([message])
