"""`onelead explain LEAD`: why a lead has its score, what would change it, and how it came to it."""

from typing import Annotated

import orjson
import typer

from onelead import lifecycle
from onelead.console import out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.explaining.as_json import explanation_json
from onelead.explaining.finding import Explained, explained
from onelead.explaining.present import parts
from onelead.output import deliver
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant, require_known
from shared.errors import UserError
from shared.events import LeadType
from shared.settings import load_settings


def explain(
    lead: Annotated[str, typer.Argument(help="a lead's id, its beginning, or a serial number")],
    *,
    lead_type: Annotated[
        LeadType | None, typer.Option("--type", help="which lead, when a box has several")
    ] = None,
    tenant: Annotated[str, typer.Option(help="whose lead")] = DEFAULT_TENANT,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Show a lead's arithmetic, the least change that makes it CRITICAL, and its score history.

    Also on which days its priority changes by itself, and what a missing date would move.
    """
    checked = checked_tenant(tenant)
    if not lead.strip():
        raise UserError(
            "a name is missing",
            hint="give a lead's id, the beginning of it, or the box's serial number",
        )
    found = lifecycle.run(_explained(checked, lead, lead_type))
    if json:
        deliver(orjson.dumps(explanation_json(found)).decode() + "\n", None)
        return
    for part in parts(found):
        out.print(part)


async def _explained(tenant: str, lead: str, lead_type: LeadType | None) -> Explained:
    settings = load_settings(EditionSettings)
    await require_known(settings, tenant)
    return await explained(settings, tenant, lead, lead_type)
