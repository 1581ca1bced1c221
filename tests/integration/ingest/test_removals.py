"""A removal stands against every older change, whichever arrives first."""

from shared.events import RecordKind
from tests.integration.ingest.upstream import Upstream, a_box_row

BOX = RecordKind.INSTALL_BASE
ROW = a_box_row("SN1")


async def test_an_older_change_that_a_removal_has_overtaken_brings_nothing_back(
    upstream: Upstream,
) -> None:
    await upstream.remove(BOX, "SN1", version=3)
    await upstream.settle()

    await upstream.change(BOX, "SN1", ROW, version=2)

    assert await upstream.settle() == []
    assert await upstream.open_leads() == {}


async def test_a_newer_removal_of_what_is_gone_counts(upstream: Upstream) -> None:
    await upstream.change(BOX, "SN1", ROW, version=1)
    await upstream.remove(BOX, "SN1", version=2)
    await upstream.remove(BOX, "SN1", version=5)
    await upstream.settle()

    await upstream.change(BOX, "SN1", ROW, version=4)

    assert await upstream.settle() == []
    await upstream.change(BOX, "SN1", ROW, version=6)
    assert await upstream.settle() != []
