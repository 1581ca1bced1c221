"""Decides whether a newly scored lead is news, or only the same lead a day older."""

from operator import attrgetter

from shared.events import LeadFacts, LeadScored

_facts = attrgetter(*(name for name in LeadFacts.model_fields if name != "catalogue_version"))
_account = attrgetter("account_id", "name", "segment")
_judgement = attrgetter("score.score", "score.priority")
_standing = attrgetter("state", "reason", "episode", "episode_open", "critical_since", "office_id")


def differs(previous: LeadScored, new: LeadScored) -> bool:
    """Whether subscribers must be told: the lead's facts (dates, risk, values, status), the rounded
    score, the priority, the account, the office or the state differ.

    Unrounded components, the day, the rules version and which version of the catalogue gave the
    same value are no news.
    """
    return (
        _judgement(previous) != _judgement(new)
        or _standing(previous) != _standing(new)
        or _facts(previous.lead) != _facts(new.lead)
        or _account(previous.account) != _account(new.account)
    )
