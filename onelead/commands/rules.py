"""`onelead rules`: validates a tenant's rules file and publishes it; shows the rules in force."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from onelead import broker, lifecycle
from onelead.addresses import kafka_address
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.messages import publisher
from onelead.rules_in_force import applied_rules, rules_of
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant
from shared.errors import UserError
from shared.events import Actor, RulesApplied
from shared.messaging.codec import encode
from shared.messaging.versions import next_version
from shared.rules.load import (
    DEFAULT_FILE,
    load_rules,
    rules_document,
    rules_version,
)
from shared.rules.model import Rules
from shared.settings import load_settings
from shared.topics import RULES

app = typer.Typer(no_args_is_help=True, help="Apply and show a tenant's rules.")
Tenant = Annotated[str, typer.Option(help="whose rules")]


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(help="a YAML file; what it leaves out stays the default")],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Validate a rules file and put it in force; what follows from it is made anew by itself."""
    rules = load_rules(file)
    settings = load_settings(EditionSettings)
    news = lifecycle.run(_apply(kafka_address(settings), tenant, rules))
    already = "" if news else " already; nothing was sent"
    out.print(f"Rules {rules_version(rules)} apply to tenant {tenant}{already}")


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
    await _refuse_unknown(bootstrap, tenant)
    return await rules_of(bootstrap, tenant)


async def _refuse_unknown(bootstrap: str, tenant: str) -> None:
    """Raises UserError for a tenant that nobody added: a slip of the pen, most of the time."""
    checked_tenant(tenant)
    if tenant not in (known := await broker.tenants_on(bootstrap)):
        there_are = f"there are: {', '.join(known)}" if known else "there is none yet"
        raise UserError(
            f"there is no tenant {tenant}", hint=f"`onelead tenants add {tenant}`; {there_are}"
        )


async def _apply(bootstrap: str, tenant: str, rules: Rules) -> bool:
    """Publishes rules that differ from those applied last. Returns whether they do."""
    await _refuse_unknown(bootstrap, tenant)
    held = await applied_rules(bootstrap, tenant)
    if held is not None and held.rules_version == rules_version(rules):
        return False
    event = RulesApplied(
        # Above the last one even where the clock that numbered it was ahead of ours.
        version=next_version(held.version if held else None),
        actor=Actor(kind="command", id="onelead rules apply"),
        rules_version=rules_version(rules),
        rules=rules_document(rules),
    )
    message = encode(
        event, tenant_id=tenant, source="onelead", subject=tenant, topic=RULES.name, key=tenant
    )
    async with publisher(bootstrap) as out_to:
        await out_to.send([message])
    return True
