"""Decisions about accounts for tests: asked and decided as ingest does it, in memory."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.ingest.domain.accounts.decisions import Decision, DecisionState, decide
from services.ingest.domain.accounts.directory import Directory, NameUse
from services.ingest.domain.accounts.merges import overlay
from services.ingest.domain.ids import account_id_of_name, account_id_of_territory
from shared.events import AccountAction, Actor
from tests.support.builders import TENANT, reconciled

AT = datetime(2025, 10, 9, 12, tzinfo=UTC)
ANNA = Actor(kind="person", id="anna")


def of_territory(territory: str) -> str:
    """The account that a territory founded."""
    return account_id_of_territory(TENANT, territory)


def of_name(key: str) -> str:
    """The account that a name founded."""
    return account_id_of_name(TENANT, key)


@dataclass
class Desk:
    """A tenant's accounts: imports change the base, decisions go into the log."""

    base: Directory = field(default_factory=Directory)
    log: list[Decision] = field(default_factory=list)

    @property
    def accounts(self) -> Directory:
        """The directory in force."""
        return overlay(self.base, self.log)

    def load(self, *uses: NameUse, **how: Any) -> None:
        """An import after which these are all uses."""
        self.base = reconciled(*uses, known=self.base, **how)

    def ask(self, action: AccountAction, account_id: str = "", **what: Any) -> Decision:
        """A command is decided; returns what became of it."""
        number = len(self.log) + 1
        asked = Decision(
            number=number,
            command_id=f"command-{number}",
            action=action,
            account_id=account_id,
            asked_at=AT,
            actor=what.pop("actor", ANNA),
            **what,
        )
        changed = decide(asked, self.base, self.accounts, self.log, AT)
        by_number = {each.number: each for each in (*self.log, *changed)}
        self.log = [by_number[each] for each in sorted(by_number)]
        return changed[0]

    def merge(self, account_id: str, into: str, **what: Any) -> Decision:
        """One account goes into another."""
        return self.ask(AccountAction.MERGE, account_id, into=into, **what)

    def confirm(self, name: str, founder: str, **what: Any) -> Decision:
        """Two names are one account."""
        return self.ask(AccountAction.CONFIRM, name=name, founder=founder, **what)

    def refuse(self, name: str, founder: str, **what: Any) -> Decision:
        """Two names are two accounts."""
        return self.ask(AccountAction.REFUSE, name=name, founder=founder, **what)

    def undo(self, number: int, **what: Any) -> Decision:
        """A decision is taken back."""
        return self.ask(AccountAction.UNDO, undoes=number, **what)

    def asked(self) -> list[tuple[str, str]]:
        """The open candidates."""
        return [(each.name, each.founder) for each in self.accounts.candidates]


def is_made(decision: Decision) -> bool:
    """Whether a command takes effect."""
    return decision.state is DecisionState.MADE
