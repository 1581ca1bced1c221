"""`onelead templates`: the texts of mails, those of one's own among them: lists, checks and previews them."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.table import Table
from rich.text import Text

from onelead.console import err, out
from onelead.output import deliver
from services.notifier.channels.mail import check as checking
from services.notifier.channels.mail.templates import FOLDER, Templates
from services.notifier.settings import NotifierSettings
from shared.access import NO_DATABASE
from shared.errors import UserError
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="The texts of mails: list, check and preview them.")
Folder = Annotated[
    Path | None, typer.Option("--dir", help="your own templates; unset: ONELEAD_TEMPLATES_DIR")
]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]


@app.command("list")
def list_templates(folder: Folder = None, *, as_json: AsJson = False) -> None:
    """Say which templates there are and where each stands; copy one into your folder to change it."""
    templates = _templates(folder)
    rows = {name: str(templates.own.get(name, FOLDER / name)) for name in templates.names}
    templates.close()
    if as_json:
        found = [{"name": n, "path": p, "own": n in templates.own} for n, p in rows.items()]
        deliver(orjson.dumps(found).decode() + "\n", None)
        return
    table = Table("template", "whose", "file")
    for name, path in rows.items():
        whose = "yours" if name in templates.own else "built in"
        table.add_row(Text(name), whose, Text(path, overflow="fold"))
    out.print(table)
    err.print(f"Previews: {', '.join(checking.preview_names())}", markup=False)


@app.command("check")
def check(folder: Folder = None) -> None:
    """Try every mail with made-up content, within the limits; say what is wrong, with file and line."""
    templates = _templates(folder)
    try:
        found = list(checking.faults(templates))
    finally:
        templates.close()
    if found:
        raise UserError("\n".join(found), exit_code=1)
    err.print(
        f"In order: {len(checking.preview_names())} mails, {len(templates.own)} templates of yours"
    )


@app.command("preview")
def preview(
    name: Annotated[str, typer.Argument(help="a mail that `onelead templates list` names")],
    *,
    folder: Folder = None,
    html: Annotated[Path | None, typer.Option(help="write the HTML into this file")] = None,
    variables: Annotated[
        bool, typer.Option("--variables", help="show what its templates may name instead")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a mail with made-up content as its reader would get it. Sends nothing."""
    if variables:
        found = checking.variables_of(name)
        deliver(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode() + "\n", None)
        return
    templates = _templates(folder)
    try:
        words = checking.preview(templates, name)
    finally:
        templates.close()
    if as_json:
        deliver(orjson.dumps(asdict(words)).decode() + "\n", None)
    else:
        out.print(f"Subject: {words.subject}\n\n{words.text}", markup=False, soft_wrap=True)
    if html is not None:
        _write(html, words.html)
        err.print(f"Written to {html}", markup=False)


def _templates(folder: Path | None) -> Templates:
    if folder is None:
        settings = load_settings(NotifierSettings, kafka_bootstrap="", database_url=NO_DATABASE)
        folder = settings.templates_dir
    return Templates(folder)


def _write(path: Path, html: str) -> None:
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}") from error
