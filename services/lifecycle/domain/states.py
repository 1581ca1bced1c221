"""The states of a lead and the steps between them: which are allowed, and what each asks for."""

from enum import StrEnum

from shared.events import LeadState

CHAIN = (
    LeadState.NEW,
    LeadState.ASSIGNED,
    LeadState.CONTACTED,
    LeadState.QUALIFIED,
    LeadState.MEETING,
    LeadState.PROPOSAL,
    LeadState.CONVERTED,
)
OUTCOMES = (LeadState.WON, LeadState.LOST)
"""Either follows the chain's end."""
STATES = (*CHAIN, *OUTCOMES, LeadState.REJECTED)
CLOSED = frozenset((*OUTCOMES, LeadState.REJECTED))
_REOPENED = frozenset((LeadState.LOST, LeadState.REJECTED))


class Step(StrEnum):
    """What kind of step it is from one state to another."""

    FORWARD = "forward"
    BACK = "back"
    REJECT = "reject"
    REOPEN = "reopen"


def step_between(state: LeadState, to: LeadState) -> Step | None:
    """The step from one state to another, None where there is none (rules.md §7).

    One step back leads from won and from lost to converted.
    """
    if to is LeadState.REJECTED:
        return None if state in CLOSED else Step.REJECT
    if to is LeadState.NEW and state in _REOPENED:
        return Step.REOPEN
    if state is LeadState.REJECTED or LeadState.UNKNOWN in (state, to):
        return None
    ahead = _place(to) - _place(state)
    if ahead > 0:
        return Step.FORWARD
    return Step.BACK if ahead == -1 else None


def allowed_from(state: LeadState, *, withdrawn: bool = False) -> tuple[LeadState, ...]:
    """The states that a lead may be moved to, in their order; a withdrawn one can only be closed."""
    return tuple(
        to
        for to in STATES
        if step_between(state, to) is not None
        and (not withdrawn or (to in CLOSED and state not in CLOSED))
    )


def _place(state: LeadState) -> int:
    return len(CHAIN) if state in OUTCOMES else CHAIN.index(state)
