"""A tenant that ingest never heard of is said to be unknown; an import is asked for by name."""

from pathlib import Path

import pytest

from onelead.commands.imports import export_flawed
from onelead.mending.store import ImportsStore
from onelead.settings import EditionSettings
from onelead.whose import require_known
from shared.errors import UserError
from tests.integration.ingest.upstream import Upstream, a_box_row, tables


async def test_a_tenant_is_known_once_something_was_imported(
    upstream: Upstream, ingest_url: str
) -> None:
    settings = EditionSettings(database_url=ingest_url)
    with pytest.raises(UserError, match=f"tenant {upstream.tenant} is unknown"):
        await require_known(settings, upstream.tenant)
    await upstream.load(tables([a_box_row()]))
    await require_known(settings, upstream.tenant)


@pytest.mark.parametrize("name", ["", " "])
async def test_an_import_without_a_name_is_not_the_last_one(upstream: Upstream, name: str) -> None:
    await upstream.load(tables([a_box_row()]))
    async with upstream.base.database.transaction({upstream.tenant}) as connection:
        with pytest.raises(UserError, match="no import is named") as refused:
            await ImportsStore(connection, upstream.tenant).named(name)
    assert "give an import's id" in (refused.value.hint or "")


@pytest.mark.parametrize("folder", ["/proc", "/nonexist"])
async def test_a_workbook_that_cannot_be_written_is_refused_before_rows_are_read(
    upstream: Upstream, folder: str
) -> None:
    await upstream.load(tables([a_box_row(serial_number=None)]))
    async with upstream.base.database.transaction({upstream.tenant}) as connection:
        store = ImportsStore(connection, upstream.tenant)
        batch = await store.named("last")
    to = Path(folder) / "mend.xlsx"
    # The connection is closed: whatever read a row would fail otherwise.
    with pytest.raises(UserError, match=rf"{to}: cannot be written"):
        await export_flawed(store, batch, to)
