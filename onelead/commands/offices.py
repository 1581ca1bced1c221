"""`onelead offices`: which office has which postal codes; applied from a file, shown, checked, exported."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer

from onelead import lifecycle
from onelead.addresses import kafka_address
from onelead.applying_rules import put_in_force, refuse_unknown
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.offices import files, present
from onelead.output import deliver
from onelead.rules_in_force import rules_of
from onelead.settings import EditionSettings
from shared import clock
from shared.errors import UserError
from shared.rules.load import default_rules
from shared.rules.model import Rules
from shared.rules.offices import Offices
from shared.rules.refusal import known_names
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Say which office has which postal codes.")
File = Annotated[Path, typer.Argument(help="a YAML or CSV file; samples/offices.yaml is one")]
Tenant = Annotated[str, typer.Option(help="whose offices")]
Day = Annotated[str | None, typer.Option("--day", help="as of this day (YYYY-MM-DD); today if not")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]


@app.command("list")
def list_offices(
    *, tenant: Tenant = DEFAULT_TENANT, day: Day = None, as_json: AsJson = False
) -> None:
    """Show the offices and the postal codes that each has."""
    as_of, offices = _day(day), _in_force(tenant).offices
    if as_json:
        deliver(orjson.dumps(present.as_json(offices, as_of)).decode() + "\n", None)
    elif offices.ranges:
        out.print(present.offices_table(offices, as_of))
    for line in present.summary(offices, as_of):
        err.print(line, markup=False)


@app.command("show")
def show(
    office: Annotated[
        str, typer.Argument(help="an office, or a postal code to find the office of")
    ],
    *,
    country: Annotated[str | None, typer.Option(help="of the postal code")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    day: Day = None,
) -> None:
    """Show the ranges of an office; or, for a postal code, which office has it and why."""
    as_of, offices = _day(day), _in_force(tenant).offices
    names = dict.fromkeys(each.office for each in offices.ranges)
    called = [name for name in names if name.casefold() == office.strip().casefold()]
    if called:
        ranges = [each for each in offices.ranges if each.office == called[0]]
        out.print(present.office_table(ranges, as_of))
    elif any(char.isdigit() for char in office):
        out.print(present.found_in_words(offices, office, country, as_of), markup=False)
    else:
        raise UserError(
            f"tenant {tenant} has no office {office!r}",
            hint=known_names(office, tuple(names))
            if names
            else "`onelead offices apply` adds them",
        )


@app.command("check")
def check(
    file: File,
    *,
    code: Annotated[
        list[str] | None, typer.Option(help="a postal code to find the office of; repeat it")
    ] = None,
    country: Annotated[str | None, typer.Option(help="of these postal codes")] = None,
    day: Day = None,
) -> None:
    """Read a file of offices without applying it; say what it holds and what it leaves open."""
    as_of = _day(day)
    offices = files.offices_over(default_rules(), file).offices
    for line in present.summary(offices, as_of):
        out.print(line, markup=False)
    for each in code or ():
        out.print(present.found_in_words(offices, each, country, as_of), markup=False)


@app.command("apply")
def apply(file: File, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Put a file of offices in force in place of those before; leads go to their offices by themselves."""
    bootstrap = kafka_address(load_settings(EditionSettings))
    before, after, news = lifecycle.run(_apply(bootstrap, tenant, file))
    for line in present.differences(before, after):
        out.print(line, markup=False)
    already = "" if news else " already; nothing was sent"
    out.print(f"The offices of {file} apply to tenant {tenant}{already}", markup=False)
    for line in present.summary(after, _day(None)):
        err.print(line, markup=False)


@app.command("export")
def export(
    *,
    tenant: Tenant = DEFAULT_TENANT,
    form: Annotated[Literal["yaml", "csv"], typer.Option("--as", help="the form")] = "yaml",
    output: Annotated[Path | None, typer.Option("--out", help="write it here")] = None,
) -> None:
    """Write the offices in force as a file that `apply` reads again."""
    offices = _in_force(tenant).offices
    deliver(files.as_csv(offices) if form == "csv" else files.as_yaml(offices), output)


def _in_force(tenant: str) -> Rules:
    bootstrap = kafka_address(load_settings(EditionSettings))

    async def read() -> Rules:
        await refuse_unknown(bootstrap, tenant)
        return (await rules_of(bootstrap, tenant))[0]

    return lifecycle.run(read())


async def _apply(bootstrap: str, tenant: str, file: Path) -> tuple[Offices, Offices, bool]:
    """Publishes the tenant's rules with other offices: before, after, and whether that was news."""
    await refuse_unknown(bootstrap, tenant)
    rules, _ = await rules_of(bootstrap, tenant)
    changed = files.offices_over(rules, file)
    news = await put_in_force(bootstrap, tenant, changed, by="onelead offices apply")
    return rules.offices, changed.offices, news


def _day(written: str | None) -> date:
    """A day as it is written, else the one by which leads are judged. Raises UserError for what is none."""
    if written is None:
        return load_settings(EditionSettings).as_of or clock.today()
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise UserError(f"--day {written}: not a day", hint="write it as in 2026-01-31") from None
