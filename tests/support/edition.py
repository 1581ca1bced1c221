"""A whole edition of one's own for a test: real Kafka, PostgreSQL, services as processes, stand-ins."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import psutil
import pytest

from onelead.demo.results import Results, collect
from onelead.demo.settled import wait_until_settled
from onelead.edition.edition import DEFAULT_TENANT, Edition, running
from onelead.handover import DEFAULT_SOURCE, FileBatch, read_batch
from onelead.importing import hand_over
from onelead.reporting import SilentReporter
from onelead.settings import EditionSettings
from shared.events import BatchMode, ImportProgressed
from tests.support.command import ROOT, SELDOM_ASKING, processes_of

SAMPLES = sorted((ROOT / "samples").glob("*.xlsx"))
AS_OF = date(2025, 10, 9)
_SETTLE_TIMEOUT_S = 120.0
_IDLE_TIMEOUT_S = 60.0


@asynccontextmanager
async def running_edition(home: Path, *, as_of: date = AS_OF) -> AsyncIterator[Edition]:
    """An edition over a data folder, which may hold the data of an earlier one. Own ports, own Kafka."""
    settings = EditionSettings(
        home=home,
        kafka_bootstrap=None,
        database_url=None,
        kafka_port=0,
        ops_base_port=0,
        as_of=as_of,
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SELDOM_ASKING.items():
            patch.setenv(name, str(value))
        async with running(Edition(settings, SilentReporter(), with_standins=True)) as edition:
            yield edition


async def import_into(
    edition: Edition,
    files: Sequence[Path],
    *,
    tenant: str = DEFAULT_TENANT,
    source: str = DEFAULT_SOURCE,
    mode: BatchMode | None = None,
) -> ImportProgressed:
    """Imports files as `onelead import` does; returns the report."""
    batch, _ = await read_batch(edition.bootstrap, FileBatch(tenant, files, source, mode))
    return await hand_over(edition.bootstrap, batch, lambda _: None, idle_timeout_s=_IDLE_TIMEOUT_S)


async def settle(edition: Edition, *tenants: str) -> None:
    """Waits until nothing is under way any more."""
    await wait_until_settled(
        edition.bootstrap,
        edition.owner_url,
        tenants or (DEFAULT_TENANT,),
        SilentReporter(),
        _SETTLE_TIMEOUT_S,
    )


async def results(edition: Edition, report: ImportProgressed) -> Results:
    """What came out for the default tenant, as any subscriber sees it."""
    return await collect(edition.bootstrap, DEFAULT_TENANT, report)


def service_process(edition: Edition, service: str) -> psutil.Process:
    """The process of one service, to be killed by a test."""
    [found] = [p for p in processes_of(edition.folder.home) if f"services.{service}" in _said(p)]
    return found


def _said(process: psutil.Process) -> list[str]:
    """Its command line; nothing of one that has ended meanwhile."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
