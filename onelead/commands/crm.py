"""`onelead crm reconcile`: what the CRMs hold of our leads, what drifted there, and mends it on request."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from onelead import broker, lifecycle
from onelead.addresses import kafka_address
from onelead.console import err, out
from onelead.crm.presenting import as_json, parts
from onelead.crm.reconciling import CrmOf, Reconciled, ToldByTenant, reconcile
from onelead.notify.configured import Configured, configured
from onelead.output import deliver
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant
from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.domain.plan import EVERY_TENANT
from services.notifier.repository.crm import CrmRepository
from shared.errors import UserError
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Compare the CRMs with OneLead.")


@app.command("reconcile")
def reconcile_crms(
    *,
    tenant: Annotated[str | None, typer.Option(help="only this tenant's leads")] = None,
    sink: Annotated[str | None, typer.Option(help="only this CRM")] = None,
    mend: Annotated[
        bool, typer.Option("--mend", help="write again what OneLead owns, create what is missing")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--file", help="a notify file; unset: ONELEAD_NOTIFY_FILE")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False,
) -> None:
    """List what is in sync and what is not, field by field; ends with 1 when something is not."""
    only = None if tenant is None else checked_tenant(tenant)
    found = lifecycle.run(_reconciled(only, sink, file, mend=mend))
    if json:
        deliver(orjson.dumps([as_json(each) for each in found]).decode() + "\n", None)
    for part in () if json else (part for each in found for part in parts(each)):
        out.print(part)
    if not all(each.comparison.clean and not each.refused for each in found):
        if not mend and any(each.comparison.drifted or each.comparison.missing for each in found):
            err.print("`onelead crm reconcile --mend` writes again what OneLead owns", markup=False)
        raise SystemExit(1)


async def _reconciled(
    only: str | None, sink: str | None, file: Path | None, *, mend: bool
) -> list[Reconciled]:
    settings = load_settings(EditionSettings)
    async with configured(file) as sinks:
        found = []
        for crm in _crms(sinks, sink):
            tenants = await _tenants(settings, crm)
            if only is not None and only not in tenants:
                continue
            told = await _told(settings, crm, tenants)
            wanted = tenants if only is None else {only}
            found.append(await reconcile(crm, told, sorted(wanted), mend=mend))
    if not found:
        raise UserError(f"no CRM serves tenant {only}", hint="onelead notify check lists the sinks")
    return found


def _crms(sinks: Configured, name: str | None) -> list[CrmOf]:
    """The CRMs among the sinks. Raises UserError when there is none, or none of that name."""
    if name is not None:
        sinks.sink_called(name)
    opened = [
        CrmOf(sink.name, channel)
        for sink in sinks.plan.sinks
        if name in (None, sink.name)
        and isinstance(channel := _channel(sinks, sink.name), CrmChannel)
    ]
    if not opened:
        raise UserError(
            "no CRM among the sinks" if name is None else f"sink {name} is no CRM",
            hint="onelead notify check lists the sinks",
        )
    return opened


def _channel(sinks: Configured, name: str) -> object:
    targets = sinks.sink_called(name).targets
    return sinks.channels[targets[0]] if targets else None


async def _tenants(settings: EditionSettings, crm: CrmOf) -> set[str]:
    named = set(crm.channel.sink.tenants)
    if EVERY_TENANT not in named:
        return named
    return set(await broker.tenants_on(kafka_address(settings)))


async def _told(settings: EditionSettings, crm: CrmOf, tenants: set[str]) -> ToldByTenant:
    (target,) = crm.channel.targets
    told = {}
    for tenant_id in sorted(tenants):
        async with service_connection(settings, "notifier", tenant_id) as connection:
            told[tenant_id] = await CrmRepository().told(connection, tenant_id, target)
    return told
