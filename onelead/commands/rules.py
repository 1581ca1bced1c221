"""`onelead rules`: validates a tenant's rules file and publishes it; shows the rules in force."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from onelead import lifecycle
from onelead.addresses import kafka_address
from onelead.applying_rules import put_in_force, refuse_unknown
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.rules_in_force import rules_of
from onelead.settings import EditionSettings
from shared.rules.load import (
    DEFAULT_FILE,
    load_rules,
    rules_document,
    rules_version,
    with_offices_of,
)
from shared.rules.model import Rules
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Apply and show a tenant's rules.")
Tenant = Annotated[str, typer.Option(help="whose rules")]


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(help="a YAML file; what it leaves out stays the default")],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Validate a rules file and put it in force; what follows from it is made anew by itself.

    A file without ranges of offices leaves those that are in force alone.
    """
    load_rules(file)  # refused before anything is asked of the broker
    settings = load_settings(EditionSettings)
    applied, news = lifecycle.run(_apply_file(kafka_address(settings), tenant, file))
    already = "" if news else " already; nothing was sent"
    out.print(f"Rules {rules_version(applied)} apply to tenant {tenant}{already}")


@app.command("show")
def show(
    tenant: Tenant = DEFAULT_TENANT,
    default: Annotated[
        bool, typer.Option("--default", help="the commented file of the defaults, to start from")
    ] = False,
) -> None:
    """Print the rules in force as YAML."""
    if default:
        out.out(DEFAULT_FILE.read_text(), end="")
        return
    settings = load_settings(EditionSettings)
    rules, applied = lifecycle.run(_in_force(kafka_address(settings), tenant))
    err.print(f"Rules {rules_version(rules)}{'' if applied else ', the defaults'}")
    out.out(yaml.safe_dump(rules_document(rules), sort_keys=False, allow_unicode=True), end="")


async def _in_force(bootstrap: str, tenant: str) -> tuple[Rules, bool]:
    await refuse_unknown(bootstrap, tenant)
    return await rules_of(bootstrap, tenant)


async def _apply_file(bootstrap: str, tenant: str, file: Path) -> tuple[Rules, bool]:
    """Puts the rules of a file in force: what applies now, and whether that is news."""
    held, _ = await _in_force(bootstrap, tenant)
    rules = with_offices_of(load_rules(file), file, held)
    return rules, await _apply(bootstrap, tenant, rules)


async def _apply(bootstrap: str, tenant: str, rules: Rules) -> bool:
    await refuse_unknown(bootstrap, tenant)
    return await put_in_force(bootstrap, tenant, rules, by="onelead rules apply")
