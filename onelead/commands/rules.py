"""`onelead rules`: validates a tenant's rules file and publishes it; shows the rules in force."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from onelead import lifecycle
from onelead.addresses import kafka_address
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.messages import publisher
from onelead.rules_in_force import rules_of
from onelead.settings import EditionSettings
from shared import clock
from shared.events import Actor, RulesApplied
from shared.messaging.codec import encode
from shared.rules.load import (
    DEFAULT_FILE,
    load_rules,
    rules_document,
    rules_version,
)
from shared.rules.model import Rules
from shared.settings import load_settings
from shared.topics import RULES, check_tenant

app = typer.Typer(no_args_is_help=True, help="Apply and show a tenant's rules.")
Tenant = Annotated[str, typer.Option(help="whose rules")]


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(help="a YAML file; what it leaves out stays the default")],
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Validate a rules file and put it in force; leads are scored again by themselves."""
    rules = load_rules(file)
    settings = load_settings(EditionSettings)
    lifecycle.run(_apply(kafka_address(settings), check_tenant(tenant), rules))
    out.print(f"Rules {rules_version(rules)} apply to tenant {tenant}")


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
    rules, applied = lifecycle.run(rules_of(kafka_address(settings), check_tenant(tenant)))
    err.print(f"Rules {rules_version(rules)}{'' if applied else ', the defaults'}")
    out.out(yaml.safe_dump(rules_document(rules), sort_keys=False, allow_unicode=True), end="")


async def _apply(bootstrap: str, tenant: str, rules: Rules) -> None:
    event = RulesApplied(
        version=clock.now_us(),
        actor=Actor(kind="command", id="onelead rules apply"),
        rules_version=rules_version(rules),
        rules=rules_document(rules),
    )
    message = encode(
        event, tenant_id=tenant, source="onelead", subject=tenant, topic=RULES.name, key=tenant
    )
    async with publisher(bootstrap) as out_to:
        await out_to.send([message])
