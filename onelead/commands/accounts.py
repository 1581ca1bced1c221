"""`onelead accounts`: shows which names may be one account, takes decisions about it, and explains links."""

from collections.abc import Callable
from typing import Annotated, Any

import orjson
import typer

from onelead import lifecycle
from onelead.accounts.asking import ask, new_command_id
from onelead.accounts.explaining import Explanation, explain, explanation_json
from onelead.accounts.explanation_tables import explanation_report
from onelead.accounts.finding import account_called, decision_called, names_called
from onelead.accounts.registry import Registry, registry_of
from onelead.accounts.review import Page, page_json, page_of, questions_table
from onelead.addresses import kafka_address
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant, user_name
from shared import clock
from shared.errors import UserError
from shared.events import AccountAction, AccountCommand, AccountDecided, AccountOutcome, Actor
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Review, merge, undo and explain a tenant's accounts.")
Tenant = Annotated[str, typer.Option(help="whose accounts")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]
Why = Annotated[str, typer.Option(help="the reason, kept with the decision")]
By = Annotated[str, typer.Option(help="who decides; your user name by default")]
Wait = Annotated[float, typer.Option(help="seconds to wait for the answer", min=1)]
Asked = Annotated[str, typer.Argument(help="an id from `review`, or one of the two names")]
Other = Annotated[str | None, typer.Argument(help="the other name")]
Wish = Callable[[Registry], dict[str, Any]]
"""What a command says, once the accounts it is about are found."""


@app.command("review")
def review(
    tenant: Tenant = DEFAULT_TENANT,
    page: Annotated[int, typer.Option(help="which page", min=1)] = 1,
    limit: Annotated[int, typer.Option(help="candidates on a page", min=1, max=1_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """Print the open candidates: names that may be one account, the most similar first."""
    found = lifecycle.run(_page(checked_tenant(tenant), page, limit))
    if as_json:
        _print_json(page_json(found))
    elif not found.total:
        err.print("No open candidates")
    else:
        out.print(questions_table(found.questions, f"Open candidates: {found.total:,}"))
        more = f"page {found.number} of {found.pages} (--page); " if found.pages > 1 else ""
        err.print(f"{more}onelead accounts confirm|refuse CANDIDATE")


@app.command("explain")
def explain_account(
    account: Annotated[str, typer.Argument(help="an account id, a name or a territory")],
    tenant: Tenant = DEFAULT_TENANT,
    as_json: AsJson = False,
) -> None:
    """Print why an account is what it is: links with their evidence, decisions, candidates."""
    found = lifecycle.run(_explanation(checked_tenant(tenant), account))
    if as_json:
        _print_json(explanation_json(found))
        return
    for part in explanation_report(found):
        out.print(part)


@app.command("confirm")
def confirm(
    candidate: Asked,
    other: Other = None,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    why: Why = "",
    by: By = "",
    wait: Wait = 60,
) -> None:
    """Say that a candidate's two names are one account; the known one keeps its id and name."""
    _decide(_about_names(AccountAction.CONFIRM, candidate, other), tenant, why, by, wait)


@app.command("refuse")
def refuse(
    candidate: Asked,
    other: Other = None,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    why: Why = "",
    by: By = "",
    wait: Wait = 60,
) -> None:
    """Say that a candidate's two names are two accounts; it is not asked again."""
    _decide(_about_names(AccountAction.REFUSE, candidate, other), tenant, why, by, wait)


@app.command("merge")
def merge(
    account: Annotated[str, typer.Argument(help="the account that goes: id, name or territory")],
    into: Annotated[str, typer.Argument(help="the one that takes it in; its id and name stay")],
    *,
    tenant: Tenant = DEFAULT_TENANT,
    why: Why = "",
    by: By = "",
    wait: Wait = 60,
) -> None:
    """Make one account of two, candidates or not."""

    def command(registry: Registry) -> dict[str, Any]:
        ids = [account_called(registry.accounts, each) for each in (account, into)]
        return {"action": AccountAction.MERGE, "account_id": ids[0], "into": ids[1]}

    _decide(command, tenant, why, by, wait)


@app.command("undo")
def undo(
    decision: Annotated[str, typer.Argument(help="like d12, or the account of the latest merge")],
    *,
    tenant: Tenant = DEFAULT_TENANT,
    why: Why = "",
    by: By = "",
    wait: Wait = 60,
) -> None:
    """Take a decision back: accounts, leads and scores are as if it had never been made."""

    def command(registry: Registry) -> dict[str, Any]:
        number = decision_called(registry, decision)
        about = (each.account_id for each in registry.log if each.number == number)
        return {
            "action": AccountAction.UNDO,
            "decision": number,
            "account_id": next(about, ""),
        }

    _decide(command, tenant, why, by, wait)


def _about_names(action: AccountAction, candidate: str, other: str | None) -> Wish:
    def command(registry: Registry) -> dict[str, Any]:
        name, founder = names_called(registry.accounts, candidate, other)
        link = registry.accounts.names.get(name)
        account_id = link.account_id if link else ""
        return {"action": action, "name": name, "founder": founder, "account_id": account_id}

    return command


def _decide(wish: Wish, tenant: str, why: str, by: str, wait_s: float) -> None:
    answer = lifecycle.run(_asked(wish, checked_tenant(tenant), why, by or user_name(), wait_s))
    if answer.outcome is AccountOutcome.REFUSED:
        raise UserError(f"refused: {answer.detail}", exit_code=1)
    out.print(f"{answer.detail} (decision d{answer.decision})", markup=False, soft_wrap=True)
    if answer.outcome is AccountOutcome.MADE:
        err.print(f"To take it back: onelead accounts undo d{answer.decision} --tenant {tenant}")


async def _asked(wish: Wish, tenant: str, why: str, by: str, wait_s: float) -> AccountDecided:
    settings = load_settings(EditionSettings)
    async with registry_of(settings, tenant) as registry:
        what = wish(registry)
    event = AccountCommand(
        version=clock.now_us(),
        actor=Actor(kind="person", id=by),
        command_id=new_command_id(),
        why=why,
        **what,
    )
    return await ask(kafka_address(settings), tenant, event, timeout_s=wait_s)


async def _page(tenant: str, page: int, limit: int) -> Page:
    async with registry_of(load_settings(EditionSettings), tenant) as registry:
        return await page_of(registry, page, limit)


async def _explanation(tenant: str, account: str) -> Explanation:
    async with registry_of(load_settings(EditionSettings), tenant) as registry:
        return await explain(registry, account_called(registry.accounts, account))


def _print_json(value: object) -> None:
    out.out(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), highlight=False)
