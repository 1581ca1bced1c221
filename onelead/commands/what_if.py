"""`onelead what-if`: what would other rules do to a tenant's leads? Reads only, in one snapshot."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, get_args

import orjson
import typer

from onelead import lifecycle
from onelead.addresses import database_address, database_password
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.output import check_output, deliver
from onelead.settings import EditionSettings
from onelead.what_if.export import as_csv, as_json
from onelead.what_if.new_rules import new_rules
from onelead.what_if.present import tables
from onelead.what_if.replay import How, WhatIf, replay
from onelead.what_if.snapshot import snapshot_of
from onelead.whose import checked_tenant
from shared.errors import UserError
from shared.rules.load import default_rules
from shared.rules.model import Rules
from shared.rules.scoring import Scoring
from shared.settings import load_settings

RulesFile = Annotated[
    Path | None, typer.Option(help="a rules file, as for `rules apply`", show_default=False)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="one setting, like leads.renewal.ahead_days=90; may be repeated"),
]
Profile = Annotated[str | None, typer.Option(help="the score's profile: default or classic")]
Tenant = Annotated[str, typer.Option(help="whose leads")]
Everything = Annotated[
    bool, typer.Option("--all", help="also leads of which only score, value or offer changes")
]
NamesAnew = Annotated[
    bool, typer.Option("--names-anew", help="link all names as if they came for the first time")
]
Limit = Annotated[int, typer.Option(min=0, help="so many leads in the table")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object")]
Csv = Annotated[bool, typer.Option("--csv", help="the leads that stand otherwise")]
Out = Annotated[
    Path | None, typer.Option("--out", help="write JSON or CSV here, by --json or --csv")
]


def what_if(
    *,
    rules: RulesFile = None,
    settings: Settings = None,
    profile: Profile = None,
    tenant: Tenant = DEFAULT_TENANT,
    everything: Everything = False,
    names_anew: NamesAnew = False,
    limit: Limit = 25,
    json: Json = False,
    csv: Csv = False,
    output: Out = None,
) -> None:
    """Show what other rules would do to the leads, before they go live. Changes and tells nothing.

    Without --rules the settings are laid over the rules in force: `onelead what-if --profile classic`.
    """
    chosen = [*(settings or []), *_profile_setting(profile)]
    _check_rules(rules, chosen)
    check_output(json=json, csv=csv, output=output)
    checked = checked_tenant(tenant)
    how = How(everything=everything, names_anew=names_anew)
    with err.status("Replaying"):
        found = lifecycle.run(
            _replay(
                load_settings(EditionSettings),
                checked,
                lambda in_force: new_rules(in_force, rules, chosen),
                how,
            )
        )
    if json or csv:
        text = orjson.dumps(as_json(found, how)).decode() + "\n" if json else as_csv(found.changes)
        deliver(text, output)
        return
    for part in tables(found, how, limit):
        out.print(part)


async def _replay(
    settings: EditionSettings, tenant: str, change: Callable[[Rules], Rules], how: How
) -> WhatIf:
    password = database_password(settings)
    async with snapshot_of(database_address(settings), password, tenant) as snapshot:
        return await replay(snapshot, change, how)


def _profile_setting(profile: str | None) -> list[str]:
    known = get_args(Scoring.model_fields["profile"].annotation)
    if profile is not None and profile not in known:
        hint = f"give --profile {' or '.join(known)}"
        raise UserError(f"--profile {profile}: there is no such profile", hint=hint)
    return [] if profile is None else [f"scoring.profile={profile}"]


def _check_rules(rules: Path | None, chosen: list[str]) -> None:
    """Refuses what can be refused before anything is connected to."""
    if rules is None and not chosen:
        raise UserError(
            "which rules?", hint="give --rules FILE, --set PATH=VALUE or --profile classic"
        )
    if rules is not None:
        new_rules(default_rules(), rules, chosen)
