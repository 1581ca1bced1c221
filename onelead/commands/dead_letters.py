"""`onelead dead-letters`: what could not be handled; shows it, sends it again, drops it."""

from typing import Annotated

import typer
from rich.table import Table

from onelead import lifecycle
from onelead.addresses import database_address, database_password, kafka_address
from onelead.console import err, out
from onelead.dead_letters import DROPPED, OPEN, REPLAYED, LetterBox, StoredLetter, send_again
from onelead.edition.service import SERVICES
from onelead.settings import EditionSettings
from shared.errors import UserError
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="List, show, replay and drop messages that failed.")
_SHOWN_BYTES = 4_000
Service = Annotated[str | None, typer.Option(help=f"one of: {', '.join(SERVICES)}")]
Names = Annotated[
    list[str] | None, typer.Argument(help="names from the list, like scoring/12; or --all")
]
AllOpen = Annotated[bool, typer.Option("--all", help="every open one (of --service)")]


@app.command("list")
def list_letters(
    service: Service = None,
    settled: Annotated[bool, typer.Option("--settled", help="replayed and dropped too")] = False,
) -> None:
    """Print the open dead letters: name, tenant, where they stood, why they failed."""
    box = _box(load_settings(EditionSettings))
    letters = lifecycle.run(box.find(_services(service), None if settled else OPEN))
    if not letters:
        err.print("No dead letters")
        return
    table = Table(title="Dead letters", title_justify="left")
    for heading in ("name", "tenant", "topic / partition / offset", "error", "state"):
        table.add_column(heading, overflow="fold")
    for letter in letters:
        position = f"{letter.topic} / {letter.partition} / {letter.offset}"
        error = f"{letter.error_class}: {letter.error}"[:120]
        table.add_row(letter.name, letter.tenant_id, position, error, letter.state)
    out.print(table)


@app.command("show")
def show(name: Annotated[str, typer.Argument(help="like scoring/12")]) -> None:
    """Print one dead letter whole: headers, body and the error."""
    letter = lifecycle.run(_box(load_settings(EditionSettings)).get(name))
    out.print(f"{letter.name} ({letter.state}), tenant {letter.tenant_id}", markup=False)
    out.print(f"consumer  {letter.consumer}", markup=False)
    out.print(f"position  {letter.topic} / {letter.partition} / {letter.offset}", markup=False)
    out.print(f"received  {letter.received_at.isoformat()}", markup=False)
    out.print(f"error     {letter.error_class}: {letter.error}", markup=False)
    for header, value in letter.headers:
        out.print(f"  {header}: {_shown(value)}", markup=False)
    out.print(_shown(letter.body), markup=False)


@app.command("replay")
def replay(names: Names = None, every: AllOpen = False, service: Service = None) -> None:
    """Send dead letters to their topic again, after their cause was mended."""
    settings = load_settings(EditionSettings)
    bootstrap = kafka_address(settings)
    box = _box(settings)
    count = lifecycle.run(_replay(box, bootstrap, names or [], every, _services(service)))
    out.print(f"{count} sent again")


@app.command("drop")
def drop(names: Names = None, every: AllOpen = False, service: Service = None) -> None:
    """Settle dead letters as dropped; they stay in the table."""
    box = _box(load_settings(EditionSettings))
    count = lifecycle.run(_drop(box, names or [], every, _services(service)))
    out.print(f"{count} dropped")


async def _replay(
    box: LetterBox, bootstrap: str, names: list[str], every: bool, services: tuple[str, ...]
) -> int:
    letters = await _chosen(box, names, every, services)
    for letter in letters:
        await send_again(bootstrap, [letter])
        await box.settle(letter, REPLAYED)
    return len(letters)


async def _drop(box: LetterBox, names: list[str], every: bool, services: tuple[str, ...]) -> int:
    letters = await _chosen(box, names, every, services)
    for letter in letters:
        await box.settle(letter, DROPPED)
    return len(letters)


async def _chosen(
    box: LetterBox, names: list[str], every: bool, services: tuple[str, ...]
) -> list[StoredLetter]:
    if every:
        return await box.find(services)
    if not names:
        raise UserError("which dead letters?", hint="give names from the list, or --all")
    return [await box.get(name) for name in names]


def _box(settings: EditionSettings) -> LetterBox:
    return LetterBox(database_address(settings), database_password(settings))


def _services(service: str | None) -> tuple[str, ...]:
    if service is None:
        return SERVICES
    if service not in SERVICES:
        raise UserError(f"there is no service {service}", hint=f"one of: {', '.join(SERVICES)}")
    return (service,)


def _shown(raw: bytes | None) -> str:
    if raw is None:
        return "(empty)"
    rest = f" … {len(raw) - _SHOWN_BYTES} more bytes" if len(raw) > _SHOWN_BYTES else ""
    return raw[:_SHOWN_BYTES].decode(errors="backslashreplace") + rest
