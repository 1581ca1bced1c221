"""The open candidates as a person reviews them: which two accounts, how alike, what they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from rich.table import Table
from rich.text import Text

from onelead.accounts.registry import Registry
from services.ingest.domain.accounts.candidates import best_first, candidate_id, why_not_automatic
from services.ingest.domain.accounts.matching import Candidate
from services.ingest.repository.account_decisions import AccountFacts


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@dataclass(frozen=True)
class Side:
    """One of the two names, with the account it stands for."""

    key: str
    account_id: str
    shown: str
    territories: frozenset[str]
    facts: AccountFacts

    def size(self) -> str:
        """Boxes and open leads in words."""
        return (
            f"{counted(self.facts.boxes, 'box', 'boxes')}, {counted(self.facts.leads, 'open lead')}"
        )


@dataclass(frozen=True)
class Question:
    """A candidate with both sides."""

    candidate: Candidate
    name: Side
    founder: Side
    why: str

    @property
    def shared(self) -> dict[str, list[str]]:
        """What the two have in common."""
        one, other = self.name, self.founder
        return {
            "territories": sorted(one.territories & other.territories),
            "domains": sorted(one.facts.domains & other.facts.domains),
            "postal_codes": sorted(one.facts.postal_codes & other.facts.postal_codes),
        }


@dataclass(frozen=True)
class Page:
    """Some of the open candidates, the best first; pages count from 1."""

    number: int
    pages: int
    total: int
    questions: Sequence[Question]


async def page_of(registry: Registry, number: int, size: int) -> Page:
    """One page of the open candidates."""
    candidates = best_first(registry.accounts)
    shown = candidates[(number - 1) * size : number * size]
    names = registry.accounts.names
    ids = {names[key].account_id for each in shown for key in (each.name, each.founder)}
    facts = await registry.facts_of(ids)
    questions = [_question(registry, each, facts) for each in shown]
    return Page(number, max(1, ceil(len(candidates) / size)), len(candidates), questions)


async def questions_about(registry: Registry, account_id: str) -> list[Question]:
    """The open candidates in which an account is one of the two."""
    names = registry.accounts.names
    concerned = [
        each
        for each in best_first(registry.accounts)
        if account_id in (names[each.name].account_id, names[each.founder].account_id)
    ]
    ids = {names[key].account_id for each in concerned for key in (each.name, each.founder)}
    facts = await registry.facts_of(ids)
    return [_question(registry, each, facts) for each in concerned]


def _question(registry: Registry, candidate: Candidate, facts: Any) -> Question:
    return Question(
        candidate,
        _side(registry, candidate.name, facts),
        _side(registry, candidate.founder, facts),
        why_not_automatic(candidate, registry.rules.link_at),
    )


def _side(registry: Registry, key: str, facts: Any) -> Side:
    account_id = registry.accounts.names[key].account_id
    entry = registry.accounts.accounts[account_id]
    return Side(key, account_id, entry.name, frozenset(entry.territory_ids), facts[account_id])


def questions_table(questions: Sequence[Question], title: str) -> Table:
    """One line for each side of a candidate."""
    table = Table(title=title, title_justify="left", show_lines=True)
    table.add_column("candidate", no_wrap=True)
    table.add_column("alike", justify="right", no_wrap=True)
    for heading in ("accounts", "shared", "why a person decides"):
        table.add_column(heading, overflow="fold")
    for each in questions:
        sides = Text("\n").join(
            Text.assemble(side.shown, (f"\n  {side.size()}", "dim"))
            for side in (each.name, each.founder)
        )
        shared = "\n".join(f"{what}: {', '.join(v)}" for what, v in each.shared.items() if v)
        alike = f"{each.candidate.similarity:.1f}"
        table.add_row(candidate_id(each.candidate), alike, sides, Text(shared), each.why)
    return table


def question_json(each: Question) -> dict[str, Any]:
    """A candidate as JSON; `name` and `founder` are what a command takes."""
    return {
        "id": candidate_id(each.candidate),
        "name": each.candidate.name,
        "founder": each.candidate.founder,
        "similarity": each.candidate.similarity,
        "evidence": each.candidate.evidence,
        "why_not_automatic": each.why,
        "shared": each.shared,
        "accounts": [
            {
                "account_id": side.account_id,
                "name": side.shown,
                "territory_ids": sorted(side.territories),
                "boxes": side.facts.boxes,
                "open_leads": side.facts.leads,
            }
            for side in (each.name, each.founder)
        ],
    }


def page_json(page: Page) -> dict[str, Any]:
    """A page as JSON."""
    return {
        "total": page.total,
        "page": page.number,
        "pages": page.pages,
        "candidates": [question_json(each) for each in page.questions],
    }
