"""Which account, candidate or decision a person means by what was typed."""

import re

from rapidfuzz import process

from onelead.accounts.registry import Registry
from services.ingest.domain.accounts.candidates import candidates_called
from services.ingest.domain.accounts.decisions import Decision, DecisionState
from services.ingest.domain.accounts.directory import Directory
from services.ingest.domain.accounts.normalise import name_key
from shared.errors import UserError

_DECISION = re.compile(r"d0*(\d+)", re.IGNORECASE | re.ASCII)
_SUGGESTIONS = 3
_SHOWN = 40


def account_called(directory: Directory, text: str) -> str:
    """The id of an account given by id, territory or name in any spelling.

    Raises UserError, with the most similar names, when there is none.
    """
    _require_name(text)
    if text in directory.accounts:
        return text
    if text in directory.territories:
        return directory.territories[text].account_id
    if (link := directory.names.get(name_key(text, directory.naming))) is not None:
        return link.account_id
    shown = {entry.name: key for key, entry in sorted(directory.accounts.items())}
    if text in shown:
        return shown[text]
    similar = [f'"{name}"' for name, *_ in process.extract(text, list(shown), limit=_SUGGESTIONS)]
    raise UserError(
        f'there is no account "{text}"',
        hint=f"an account id, a territory or a name; the most similar: {', '.join(similar)}",
    )


def names_called(directory: Directory, candidate: str, other: str | None) -> tuple[str, str]:
    """The normalised names of a candidate, given by its id, or by the two names in any spelling.

    Raises UserError for an id that no open candidate has. Whether two names are a candidate is for
    ingest to say.
    """
    for each in (candidate, *([] if other is None else [other])):
        _require_name(each)
    if other is not None:
        return _founder(directory, candidate), _founder(directory, other)
    found = candidates_called(directory, candidate)
    if len(found) == 1:
        return found[0].name, found[0].founder
    how_many = "no" if not found else "more than one"
    raise UserError(
        f"there is {how_many} open candidate {candidate}",
        hint="`onelead accounts review` lists them; or give the two names",
    )


def decision_called(registry: Registry, text: str) -> int:
    """The number of a decision given as `d12`, or as the account whose latest merge is meant.

    Raises UserError for a decision that there is not, and for an account that nobody merged.
    """
    if match := _DECISION.fullmatch(text):
        known = {str(each.number): each.number for each in registry.log}
        if match[1] not in known:
            hint = "`onelead accounts explain ACCOUNT` shows the decisions about an account"
            raise UserError(f"no decision is called {_short(text)}", hint=hint)
        return known[match[1]]
    account_id = account_called(registry.accounts, text)
    merged = [d for d in concerning(registry, account_id) if d.merges]
    standing = [each.number for each in merged if each.state is DecisionState.MADE]
    if not standing:
        raise UserError(
            f'nobody merged "{registry.accounts.accounts[account_id].name}" with another account',
            hint="`onelead accounts explain` shows the decisions about an account",
        )
    return max(standing)


def concerning(registry: Registry, account_id: str) -> list[Decision]:
    """The decisions about an account and those that went into it, in their order."""
    accounts = registry.accounts.accounts
    ids = {account_id, *(key for key, e in accounts.items() if e.merged_into == account_id)}
    names = {key for key, link in registry.accounts.names.items() if link.account_id in ids}
    return [
        each
        for each in registry.log
        if not ids.isdisjoint((each.account_id, each.into))
        or not names.isdisjoint((each.name, each.founder))
    ]


def _require_name(text: str) -> None:
    if not text.strip():
        raise UserError("a name is missing", hint="give an account's id, its name or its territory")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _founder(directory: Directory, text: str) -> str:
    key = name_key(text, directory.naming)
    link = directory.names.get(key)
    return link.founder if link else key or text
