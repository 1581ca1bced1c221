"""An import over a running edition: followed to its report, settled, and the same again changes nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onelead.demo.settled import look
from onelead.edition.edition import DEFAULT_TENANT, Edition
from shared.events import ImportPhase
from tests.support.edition import SAMPLES, import_into, results, running_edition, settle


@pytest.fixture
async def edition(tmp_path: Path) -> AsyncIterator[Edition]:
    async with running_edition(tmp_path / "home") as running:
        yield running


async def test_an_import_is_followed_to_its_report_and_the_same_again_changes_nothing(
    edition: Edition,
) -> None:
    report = await import_into(edition, SAMPLES)
    assert report.phase is ImportPhase.COMPLETED
    assert report.leads_open == 77
    assert {count.kind: count.read for count in report.rows}["install_base"] == 63
    await settle(edition)
    assert await look(edition.bootstrap, edition.owner_url, [DEFAULT_TENANT]) == {}
    first = await results(edition, report)
    again = await import_into(edition, SAMPLES)
    await settle(edition)
    second = await results(edition, again)
    assert second.leads == first.leads
    assert second.deliveries == first.deliveries
