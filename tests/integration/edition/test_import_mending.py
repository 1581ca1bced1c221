"""Imports by command over a running edition: hostile files send nothing, flawed rows are mended."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import CompletedProcess

import openpyxl
import pytest

from onelead.edition.edition import DEFAULT_TENANT, Edition
from shared.topics import RECORDS
from tests.support.command import run_onelead
from tests.support.edition import running_edition, settle
from tests.support.hostile import make_hostile
from tests.support.pipeline import end_offsets, leads_of
from tests.support.workbooks import PROJECT_HEADERS, generated, write_workbook

pytestmark = pytest.mark.slow

HOSTILE = ("sparse_giant", "shared_string", "nul_bytes")


@pytest.fixture
async def edition(tmp_path: Path) -> AsyncIterator[Edition]:
    async with running_edition(tmp_path / "home") as running:
        yield running


def onelead(edition: Edition, *arguments: str | Path) -> CompletedProcess[str]:
    run = run_onelead(*arguments, home=edition.folder.home, timeout_s=120)
    assert "Traceback" not in run.stderr
    return run


async def test_hostile_files_send_nothing_and_flawed_rows_are_mended(
    edition: Edition, tmp_path: Path
) -> None:
    await refuse_hostile(edition, tmp_path)

    data = generated(3, boxes=30, opportunities=20, projects=60)
    run = onelead(edition, "import", write_workbook(tmp_path / "export.xlsx", data.sheets()))
    assert run.returncode == 0, run.stderr
    assert "What is wrong with them" in run.stdout
    assert "onelead imports export" in run.stdout
    await settle(edition)
    before = await leads_of(edition, DEFAULT_TENANT)
    assert before

    flawed = flawed_by_list_and_show(edition)
    await export_and_mend(edition, tmp_path / "mend.xlsx", flawed)
    await settle(edition)
    assert (await leads_of(edition, DEFAULT_TENANT)).keys() == before.keys()


async def refuse_hostile(edition: Edition, folder: Path) -> None:
    for name in HOSTILE:
        path = make_hostile(name, folder)
        run = onelead(edition, "import", path)
        assert (run.returncode, run.stdout) == (2, "")
        assert f"Error: {path.name}" in run.stderr
    assert await sent(edition) == 0


def flawed_by_list_and_show(edition: Edition) -> int:
    """How many rows of the only import are flawed."""
    (listed,) = json.loads(onelead(edition, "imports", "list", "--json").stdout)
    shown = json.loads(onelead(edition, "imports", "show", "last", "--json").stdout)
    assert shown["batch_id"] == listed["batch_id"]
    assert listed["degraded"] == sum(row["degraded"] for row in shown["rows"]) > 0
    assert "findings" in onelead(edition, "imports", "show", listed["batch_id"][:8]).stdout
    assert "export.xlsx" in onelead(edition, "imports", "list").stdout
    return int(listed["degraded"] + listed["quarantined"])


async def export_and_mend(edition: Edition, mend: Path, flawed: int) -> None:
    """Exports the flawed rows, imports them as they are, then with one cell mended."""
    run = onelead(edition, "imports", "export", "last", "--to", mend)
    assert f"{flawed} rows are in" in " ".join(run.stdout.split()), run.stderr
    assert onelead(edition, "imports", "export", "last", "--to", mend).returncode == 2
    before = await sent(edition)
    run = onelead(edition, "import", mend)
    assert (run.returncode, "Nothing to import" in run.stdout) == (0, True), run.stderr
    assert await sent(edition) == before

    book = openpyxl.load_workbook(mend)
    headers = [cell.value for cell in book["Projects"][1]]
    book["Projects"].cell(2, headers.index(PROJECT_HEADERS[4]) + 1).value = 12_345
    book.save(mend)
    run = onelead(edition, "import", mend)
    assert run.returncode == 0, run.stderr
    assert f"1 of its {flawed} rows were mended" in " ".join(run.stderr.split())
    assert await sent(edition) == before + 3


async def sent(edition: Edition) -> int:
    """How many messages the tenant's topic of records ever had."""
    return (await end_offsets(edition))[RECORDS.for_tenant(DEFAULT_TENANT)]
