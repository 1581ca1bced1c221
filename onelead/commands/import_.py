"""`onelead import FILE…`: hands workbooks and CSV files to ingest as one batch and follows it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from onelead import lifecycle
from onelead.addresses import kafka_address, problems_of
from onelead.bar import import_bar
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.edition.folder import DataFolder
from onelead.handover import DEFAULT_SOURCE, FileBatch, read_batch
from onelead.importing import hand_over
from onelead.report import print_report
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant
from shared.errors import UserError
from shared.events import BatchMode, ImportPhase, ImportProgressed, RecordKind
from shared.settings import load_settings


def import_files(
    files: Annotated[list[Path], typer.Argument(help="workbooks (.xlsx) and CSV files; one batch")],
    tenant: Annotated[str, typer.Option(help="whose rows these are")] = DEFAULT_TENANT,
    snapshot: Annotated[
        bool | None,
        typer.Option(
            "--snapshot/--delta",
            help="does it replace what its source had, or add to it? "
            "By default a workbook replaces, a CSV file adds",
        ),
    ] = None,
    source: Annotated[
        str, typer.Option(help="the system they come from; each replaces only its own rows")
    ] = DEFAULT_SOURCE,
    kind: Annotated[
        RecordKind | None, typer.Option(help="what the rows are, when their columns do not say it")
    ] = None,
) -> None:
    """Hand over workbooks and CSV files, wait until leads are derived, and print the report.

    The files of one call belong together: leads are derived once from all of them. The same files
    twice change nothing. Of a workbook that `onelead imports export` wrote, just the rows that were
    mended are taken.
    """
    mode = None if snapshot is None else BatchMode.SNAPSHOT if snapshot else BatchMode.DELTA
    wanted = FileBatch(checked_tenant(tenant), files, source, mode, kind)
    settings = load_settings(EditionSettings)
    report = lifecycle.run(_import(settings, wanted))
    if report is None:
        out.print("Nothing to import: no row was mended")
        return
    print_report(out, report)
    if report.phase is ImportPhase.REFUSED:
        raise UserError(f"the batch was refused: {report.detail or 'no reason given'}", exit_code=1)


async def _import(settings: EditionSettings, wanted: FileBatch) -> ImportProgressed | None:
    bootstrap = kafka_address(settings)
    batch, notes = await read_batch(bootstrap, wanted)
    _say(notes)
    if not batch.messages:
        return None
    try:
        with import_bar(err) as watch:
            return await hand_over(
                bootstrap,
                batch,
                watch,
                idle_timeout_s=settings.import_idle_timeout_s,
                check=lambda: _require_room(settings),
            )
    except UserError as error:
        problems = await problems_of(settings, "ingest")
        if problems:
            raise UserError(
                f"{error.message}; ingest says: {problems}", hint=error.hint, exit_code=1
            ) from None
        raise


def _say(notes: Sequence[str]) -> None:
    for note in notes:
        err.print(f"Note: {note}", markup=False)


def _require_room(settings: EditionSettings) -> None:
    """Gives up before the disk of an edition that runs here is full."""
    folder = DataFolder(settings.home)
    if folder.state_file.exists():
        folder.require_room(settings.min_free_mb)
