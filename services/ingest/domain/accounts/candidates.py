"""Open candidates as people speak of them: a short id that stays, and why no link was made (rules.md §2)."""

import hashlib
from collections.abc import Sequence

from services.ingest.domain.accounts.directory import Directory
from services.ingest.domain.accounts.matching import Candidate

_ID_DIGITS = 10


def candidate_id(candidate: Candidate) -> str:
    """`c` and ten digits that follow from the two names alone, in either order."""
    names = "|".join(sorted((candidate.name, candidate.founder)))
    return f"c{hashlib.sha256(names.encode()).hexdigest()[:_ID_DIGITS]}"


def why_not_automatic(candidate: Candidate, link_at: float) -> str:
    """Why a person must decide."""
    measure, _, objection = candidate.evidence.partition(", but ")
    if objection:
        return objection
    if measure.startswith("token set"):
        return "one name has all the words of the other"
    return f"alike, but below {link_at:g}"


def best_first(directory: Directory) -> Sequence[Candidate]:
    """The open candidates, the most similar names first; equally similar ones by name."""
    return sorted(directory.candidates, key=lambda c: (-c.similarity, c.name, c.founder))


def candidates_called(directory: Directory, candidate: str) -> list[Candidate]:
    """The open candidates with this id; more than one only by a freak of hashing."""
    return [each for each in directory.candidates if candidate_id(each) == candidate.lower()]
