"""An account's explanation as tables on a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from onelead.accounts.explaining import Explanation, LinkShown
from onelead.accounts.review import counted, questions_table
from services.ingest.domain.accounts.decisions import Decision


def explanation_report(explanation: Explanation) -> Iterator[RenderableType]:
    """Who it is, what is linked to it and why, what people decided, what they have still to decide."""
    entry, facts = explanation.entry, explanation.facts
    yield Text(entry.name, style="bold")
    yield Text(f"account      {entry.account_id}, founded by {entry.founded_by}")
    if explanation.resolved_from:
        yield Text(f"asked for    {explanation.resolved_from}, which is merged into it")
    yield Text(f"territories  {', '.join(entry.territory_ids) or 'none'}")
    size = f"{counted(facts.boxes, 'box', 'boxes')}, {counted(facts.leads, 'open lead')}"
    yield Text(f"size         {size}")
    for each in explanation.merged:
        yield Text(f"took in      {each.name} ({each.account_id})")
    if explanation.links:
        yield _links(explanation.links)
    if explanation.decisions:
        yield _decisions(explanation.decisions)
    if explanation.questions:
        yield questions_table(explanation.questions, "Open candidates")


def _links(links: Sequence[LinkShown]) -> Table:
    table = Table(title="Links", title_justify="left")
    for heading in ("name or territory", "stage", "evidence"):
        table.add_column(heading, overflow="fold")
    table.add_column("alike", justify="right", no_wrap=True)
    table.add_column("since", no_wrap=True)
    for each in links:
        subject = f"territory {each.subject}" if each.kind == "territory" else each.subject
        spelled = ", ".join(f"{s.raw_name} ×{s.rows}" for s in each.spellings)
        evidence = each.link.evidence
        if each.decided:
            evidence += f"\nbefore: {each.base.stage.value}, {each.base.evidence}"
        table.add_row(
            Text.assemble(subject, (f"\n{spelled}" if spelled else "", "dim")),
            each.link.stage.value,
            Text(evidence),
            "" if each.similarity is None else f"{each.similarity:.1f}",
            "" if each.since is None else str(each.since.date()),
        )
    return table


def _decisions(decisions: Sequence[Decision]) -> Table:
    table = Table(title="Decisions", title_justify="left")
    for heading in ("decision", "who", "when"):
        table.add_column(heading, no_wrap=heading == "when", overflow="fold")
    for heading in ("what", "state"):
        table.add_column(heading, overflow="fold")
    for each in decisions:
        state = each.state.value
        if each.undone_by is not None and each.undone_at is not None:
            state += f" by {each.undone_by.id} on {each.undone_at.date()}"
        what = f"{each.action.value}: {each.detail}" + (f"\n{each.why}" if each.why else "")
        day = str((each.decided_at or each.asked_at).date())
        row = (Text(text) for text in (f"d{each.number}", each.actor.id, day, what, state))
        table.add_row(*row)
    return table
