"""What a person decides about accounts: commands on `onelead.account-commands.v1`, ingest's answers on
`onelead.account-decisions.v1` (rules.md §2)."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import Field

from shared.events.base import Event, OpenEnum

DecisionNumber = Annotated[int, Field(ge=1, le=2**63 - 1)]
"""What an answer numbered a decision; what is beyond no database could hold as it was written."""


class AccountAction(OpenEnum):
    """Confirm or refuse a candidate, merge two accounts, undo any of these."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    MERGE = "merge"
    UNDO = "undo"
    UNKNOWN = "unknown"


class AccountOutcome(OpenEnum):
    """What became of a command; `undone` is the outcome of an undo that was carried out."""

    MADE = "made"
    UNDONE = "undone"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class AccountRefusal(OpenEnum):
    """Why a command was refused."""

    UNKNOWN_ACCOUNT = "unknown_account"
    ITSELF = "itself"
    ALREADY_MERGED = "already_merged"
    NOT_A_CANDIDATE = "not_a_candidate"
    NOTHING_TO_UNDO = "nothing_to_undo"
    UNKNOWN_ACTION = "unknown_action"
    FAILED = "failed"
    UNKNOWN = "unknown"


class AccountCommand(Event):
    """Asks ingest to decide something about accounts; the same `command_id` counts once.

    merge: `account_id` goes into `into`, whose id and name stay. confirm, refuse: the candidate's two
    normalised names in either order, as `onelead accounts review --json` has them; `account_id` is
    the account of one of them. undo: the `decision` to take back; `account_id` is one it concerns.
    """

    event_type: ClassVar[str] = "com.onelead.account.commanded.v1"

    command_id: str
    action: AccountAction
    account_id: str
    into: str | None = None
    name: str | None = None
    founder: str | None = None
    decision: DecisionNumber | None = None
    why: str = ""


class AccountDecided(Event):
    """The answer to a command. `decision` numbers what was decided; an undo takes it back by that.

    `account_id` went into `into` (or, when undone, is an account of its own again); `detail` says the
    outcome in words for a person.
    """

    event_type: ClassVar[str] = "com.onelead.account.decided.v1"

    command_id: str
    action: AccountAction
    outcome: AccountOutcome
    decision: int
    account_id: str
    into: str | None = None
    name: str | None = None
    founder: str | None = None
    undoes: int | None = None
    refusal: AccountRefusal | None = None
    detail: str = ""
    why: str = ""
    decided_at: datetime
