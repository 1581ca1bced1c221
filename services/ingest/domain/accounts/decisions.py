"""What people decided about accounts, as a log, and what becomes of a command (rules.md §2).

A decision is never deleted: an undo marks it, and the accounts are as if it had never been made.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from services.ingest.domain.accounts.directory import Directory
from services.ingest.domain.accounts.normalise import Naming, name_key
from shared.events import AccountAction, AccountRefusal, Actor, Value
from shared.events.account_commands import DecisionNumber


class DecisionState(StrEnum):
    """Only what was made and not undone has an effect."""

    ASKED = "asked"
    MADE = "made"
    UNDONE = "undone"
    REFUSED = "refused"


class Decision(Value):
    """A command and what became of it; `number` is the tenant's unit of work that decides it.

    `account_id` went into `into`; `name` and `founder` are the names that founded the two, if any:
    a merge is about whom they name, also when a territory changes hands. `undone_by`, `undone_at`:
    of the undo that took it back.
    """

    number: int
    command_id: str
    action: AccountAction
    account_id: str
    into: str | None = None
    name: str | None = None
    founder: str | None = None
    undoes: DecisionNumber | None = None
    why: str = ""
    actor: Actor = Actor()
    office_id: str | None = None
    asked_at: datetime
    decided_at: datetime | None = None
    state: DecisionState = DecisionState.ASKED
    refusal: AccountRefusal | None = None
    detail: str = ""
    undone_by: Actor | None = None
    undone_at: datetime | None = None

    @property
    def merges(self) -> bool:
        """Whether it makes one account of two."""
        return self.action in (AccountAction.MERGE, AccountAction.CONFIRM)

    @property
    def refuses(self) -> bool:
        """Whether it says that two names are two accounts."""
        return self.action is AccountAction.REFUSE

    def told(self) -> str:
        """Who merged or refused, on which day, why."""
        verb = "merged" if self.merges else "refused"
        day = (self.decided_at or self.asked_at).date()
        return f"{verb} by {self.actor.id} on {day}" + (f": {self.why}" if self.why else "")


def pairs_of(decision: Decision, naming: Naming) -> set[frozenset[str]]:
    """The two names a decision is about, as they were normalised when it was made, and as they are now."""
    names = (decision.name or "", decision.founder or "")
    return {frozenset(names), frozenset(name_key(name, naming) for name in names)}


def decide(
    asked: Decision, base: Directory, effective: Directory, log: Sequence[Decision], at: datetime
) -> tuple[Decision, ...]:
    """Judges a command by the directory in force. Returns what changed in the log, the command first."""
    asked = asked.model_copy(update={"decided_at": at})
    match asked.action:
        case AccountAction.MERGE:
            return (_merge(asked, base, effective),)
        case AccountAction.CONFIRM:
            return (_confirm(asked, base, effective),)
        case AccountAction.REFUSE:
            return (_refuse(asked, effective, log),)
        case AccountAction.UNDO:
            return _undo(asked, log, at)
    return (refused(asked, AccountRefusal.UNKNOWN_ACTION, "this action is not known here", at),)


def refused(asked: Decision, refusal: AccountRefusal, detail: str, at: datetime) -> Decision:
    """The command, refused."""
    return asked.model_copy(
        update={
            "state": DecisionState.REFUSED,
            "refusal": refusal,
            "detail": detail,
            "decided_at": at,
        }
    )


def _no(asked: Decision, refusal: AccountRefusal, detail: str) -> Decision:
    return refused(asked, refusal, detail, asked.decided_at or asked.asked_at)


def _made(asked: Decision, detail: str, **changes: object) -> Decision:
    return asked.model_copy(update={"state": DecisionState.MADE, "detail": detail, **changes})


def _merge(asked: Decision, base: Directory, effective: Directory) -> Decision:
    into = asked.into or ""
    for account_id in (asked.account_id, into):
        if account_id not in effective.accounts:
            return _no(
                asked,
                AccountRefusal.UNKNOWN_ACCOUNT,
                f"there is no account {account_id or '(none)'}",
            )
    if asked.account_id == into:
        return _no(asked, AccountRefusal.ITSELF, "an account cannot be merged with itself")
    for account_id in (asked.account_id, into):
        entry = effective.accounts[account_id]
        if entry.merged_into is not None:
            taker = effective.accounts[entry.merged_into]
            detail = f"{entry.name} is merged into {taker.name} already ({taker.account_id})"
            return _no(asked, AccountRefusal.ALREADY_MERGED, detail)
    return _made(
        asked,
        _merged_told(effective, asked.account_id, into),
        name=_founding_name(base, asked.account_id),
        founder=_founding_name(base, into),
    )


def _founding_name(base: Directory, account_id: str) -> str | None:
    """The name that stands for an account; None for a territory that no opportunity names."""
    own = (key for key, link in base.names.items() if link.founder == key)
    return next((key for key in own if base.names[key].account_id == account_id), None)


def _merged_told(effective: Directory, account_id: str, into: str) -> str:
    return f"{effective.accounts[account_id].name} is merged into {effective.accounts[into].name}"


def _confirm(asked: Decision, base: Directory, effective: Directory) -> Decision:
    pair = _open_pair(asked, effective)
    if pair is None:
        homes = [effective.names[n].account_id for n in _names(asked) if n in effective.names]
        if len(homes) > 1 and len(set(homes)) == 1:
            name = effective.accounts[homes[0]].name
            return _no(asked, AccountRefusal.ALREADY_MERGED, f"both are one account, {name}")
        return _no(asked, AccountRefusal.NOT_A_CANDIDATE, _not_open(asked, effective))
    name, founder = pair
    account_id, into = (effective.names[each].account_id for each in pair)
    return _made(
        asked,
        _merged_told(effective, account_id, into),
        name=name,
        founder=founder,
        account_id=base.names[name].account_id,
        into=base.names[founder].account_id,
    )


def _refuse(asked: Decision, effective: Directory, log: Sequence[Decision]) -> Decision:
    pair = _open_pair(asked, effective)
    if pair is None:
        same = (d for d in log if frozenset(_names(asked)) in pairs_of(d, effective.naming))
        known = next((d for d in same if d.refuses and d.state is DecisionState.MADE), None)
        detail = f"it is {known.told()} already" if known else _not_open(asked, effective)
        return _no(asked, AccountRefusal.NOT_A_CANDIDATE, detail)
    name, founder = pair
    detail = f"{name} and {founder} stay two accounts"
    return _made(asked, detail, name=name, founder=founder)


def _undo(asked: Decision, log: Sequence[Decision], at: datetime) -> tuple[Decision, ...]:
    known = {each.number: each for each in log}.get(asked.undoes or 0)
    if known is None or known.action is AccountAction.UNDO:
        detail = f"there is no decision d{asked.undoes} that could be undone"
    elif known.state is DecisionState.UNDONE:
        by = known.undone_by.id if known.undone_by else "somebody"
        detail = f"decision d{known.number} was undone already, by {by}"
    elif known.state is not DecisionState.MADE:
        detail = f"decision d{known.number} was {known.state.value}: nothing came of it"
    else:
        undone = known.model_copy(
            update={"state": DecisionState.UNDONE, "undone_by": asked.actor, "undone_at": at}
        )
        concerns = {"account_id": known.account_id, "into": known.into}
        names = {"name": known.name, "founder": known.founder}
        return _made(asked, f"{known.detail}: undone", **concerns, **names), undone
    return (_no(asked, AccountRefusal.NOTHING_TO_UNDO, detail),)


def _names(asked: Decision) -> tuple[str, str]:
    return asked.name or "", asked.founder or ""


def _open_pair(asked: Decision, effective: Directory) -> tuple[str, str] | None:
    """The names of the open candidate a command means, in the candidate's order."""
    found = (c for c in effective.candidates if {c.name, c.founder} == set(_names(asked)))
    return next(((c.name, c.founder) for c in found), None)


def _not_open(asked: Decision, effective: Directory) -> str:
    links = [effective.names.get(name) for name in _names(asked)]
    one, other = _names(asked)
    detail = f'"{one}" and "{other}" are no open candidate'
    if None not in links and len({link.account_id for link in links if link}) == 1:
        detail += ": they are one account; undo the merge, or part them in the rules' name map"
    return detail
