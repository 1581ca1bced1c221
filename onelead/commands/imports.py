"""`onelead imports`: which imports there were, what was wrong with them, and flawed rows to be mended."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import BaseModel
from rich.table import Table

from onelead import lifecycle
from onelead.addresses import database_address, database_password
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.mending.store import ImportsStore, ImportSummary, imports_store
from onelead.mending.workbook import MendWorkbook
from onelead.report import groups_table, rows_table
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant, require_known
from services.ingest.domain.batch import Batch
from shared.errors import UserError
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="List imports, show findings, export rows to mend.")
Tenant = Annotated[str, typer.Option(help="whose imports")]
Name = Annotated[str, typer.Argument(help="an import's id, how it begins, or `last`")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON value")]


@app.command("list")
def list_imports(
    tenant: Tenant = DEFAULT_TENANT,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="how many, newest first")] = 20,
    as_json: AsJson = False,
) -> None:
    """Print the newest imports: id, when, state, files, rows read, degraded and quarantined."""
    found = lifecycle.run(_latest(tenant, limit))
    if as_json:
        _print_json([vars(each) for each in found])
        return
    if not found:
        err.print(f"No imports of tenant {tenant}", markup=False)
        return
    table = Table(title="Imports", title_justify="left")
    for heading in ("id", "received", "state", "files"):
        table.add_column(heading, overflow="fold")
    for heading in ("read", "degraded", "quarantined"):
        table.add_column(heading, justify="right")
    for each in found:
        numbers = (f"{number:,}" for number in (each.read, each.degraded, each.quarantined))
        received = f"{each.opened_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(each.batch_id, received, each.state, "\n".join(each.files), *numbers)
    out.print(table)


@app.command("show")
def show(name: Name, tenant: Tenant = DEFAULT_TENANT, as_json: AsJson = False) -> None:
    """Print the report of an import: rows by kind, and every kind of finding with its first place.

    With --json also the findings one by one, up to 1,000.
    """
    batch, report = lifecycle.run(_report(tenant, name))
    if as_json:
        _print_json({"batch_id": batch.batch_id, "state": batch.state, **report})
        return
    out.print(f"Import {batch.batch_id}: {batch.state}", markup=False, soft_wrap=True)
    out.print(rows_table(report["rows"]))
    if report["finding_groups"]:
        out.print(groups_table(report["finding_groups"]))
    out.print(f"{report['findings_total']:,} findings")


@app.command("export")
def export(
    name: Name,
    to: Annotated[Path, typer.Option("--to", help="the workbook to write, like mend.xlsx")],
    tenant: Tenant = DEFAULT_TENANT,
    force: Annotated[bool, typer.Option("--force", help="replace the file if it exists")] = False,
) -> None:
    """Write the quarantined and degraded rows of an import as a workbook, with what is wrong beside.

    Mend its cells and hand it over with `onelead import`: just the rows you changed are taken.
    """
    if to.suffix.lower() != ".xlsx":
        raise UserError(f"{to}: the workbook's name must end with .xlsx")
    if to.exists() and not force:
        raise UserError(f"{to} exists already", hint="give another name, or --force")
    count = lifecycle.run(_export(tenant, name, to))
    if count:
        out.print(f"{count:,} rows are in {to}", markup=False, soft_wrap=True)
        hint = "" if tenant == DEFAULT_TENANT else f" --tenant {tenant}"
        out.print(
            f"Mend their cells, then: onelead import {to}{hint}", markup=False, soft_wrap=True
        )
    else:
        err.print("No row was degraded or quarantined; nothing was written")


async def _latest(tenant: str, limit: int) -> list[ImportSummary]:
    async with _store(tenant) as store:
        return await store.latest(limit)


async def _report(tenant: str, name: str) -> tuple[Batch, dict[str, Any]]:
    async with _store(tenant) as store:
        batch = await store.named(name)
        return batch, await store.report(batch)


async def _export(tenant: str, name: str, to: Path) -> int:
    async with _store(tenant) as store:
        batch = await store.named(name)
        return await export_flawed(store, batch, to)


async def export_flawed(store: ImportsStore, batch: Batch, to: Path) -> int:
    """Writes the flawed rows of an import; nothing is written when there are none.

    Returns how many there are. Raises UserError when the file cannot be written.
    """
    with _telling_what_cannot_be_written(to):
        tempfile.TemporaryFile(dir=to.parent).close()  # before anything is read
    with MendWorkbook(batch.tenant_id, batch.batch_id, batch.parts) as book:
        for kind, columns in (await store.flawed_columns(batch)).items():
            book.begin(kind, columns)
        async for row in store.flawed_rows(batch):
            book.add(row)
        if book.rows:
            with _telling_what_cannot_be_written(to):
                book.save(to)
        return book.rows


@contextmanager
def _telling_what_cannot_be_written(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"{to}: cannot be written: {error.strerror or error}") from None


@asynccontextmanager
async def _store(tenant: str) -> AsyncIterator[ImportsStore]:
    settings = load_settings(EditionSettings)
    await require_known(settings, checked_tenant(tenant))
    password = database_password(settings)
    async with imports_store(database_address(settings), password, tenant) as store:
        yield store


def _print_json(value: object) -> None:
    out.out(orjson.dumps(value, default=_plain).decode(), highlight=False)


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(type(value).__name__)
