"""Two tenants with something everywhere, and commands against the real broker and database."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from onelead.cli import run_command_line
from shared.topics import LEADS
from tests.integration.db.conftest import all_role_urls, bench, role_urls
from tests.integration.tenants.world import (
    World,
    a_name,
    empty_tables,
    fill_tables,
    fill_topics,
    read_in_a_group,
)
from tests.support.stack import Stack


class Result(NamedTuple):
    code: int
    out: str
    err: str


OneLead = Callable[..., Result]


__all__ = ["all_role_urls", "bench", "role_urls"]


@pytest.fixture
async def world(migrated: Stack) -> AsyncIterator[World]:
    """Two tenants that are everywhere."""
    found = World(migrated, a_name(), a_name())
    tenants = (found.gone, found.stays)
    await fill_tables(migrated.owner_url, tenants)
    await fill_topics(migrated, tenants)
    for tenant in tenants:
        await read_in_a_group(migrated, LEADS.for_tenant(tenant), f"{tenant}.reader")
    yield found
    await empty_tables(migrated.owner_url, tenants)


@pytest.fixture
def onelead(
    migrated: Stack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> OneLead:
    """Runs a command against the stack."""
    monkeypatch.setenv("ONELEAD_KAFKA_BOOTSTRAP", migrated.bootstrap)
    monkeypatch.setenv("ONELEAD_DATABASE_URL", migrated.owner_url)
    monkeypatch.setenv("ONELEAD_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> Result:
        capsys.readouterr()
        code = run_command_line(list(arguments))
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run
