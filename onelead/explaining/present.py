"""An explanation as tables for people: the arithmetic first, then what would change it, then its past."""

from collections.abc import Iterator
from decimal import Decimal

from rich import box
from rich.table import Table
from rich.text import Text

from onelead.explaining.as_json import not_alone
from onelead.explaining.finding import Explained
from onelead.explaining.past import history_table
from shared.events import Outlook, Score, ServiceOffer

Part = Table | Text
_COMPONENTS = ("urgency", "value", "propensity", "strategic_fit")


def parts(found: Explained) -> Iterator[Part]:
    """What to print, piece by piece."""
    score = found.scored.score
    yield from _heading(found)
    yield _components(score)
    yield _sum(score)
    yield _inputs(score)
    if score.outlook is not None and found.scored.state == "open":
        yield from _least_changes(found, score.outlook)
        yield from _crossings(score, score.outlook)
        yield from _missing_dates(score, score.outlook)
    if found.public is not None:
        yield from _services(found.public.services, found.public.no_service_reason)
    yield history_table(found.history)


def words(name: str) -> str:
    """A field's name for reading."""
    return name.replace("_", " ")


def _heading(found: Explained) -> Iterator[Part]:
    lead, score = found.scored.lead, found.scored.score
    yield Text(f"{lead.title}: {score.score} {score.priority}", style="bold")
    least, most = _money(lead.estimated_value_min), _money(lead.estimated_value_max)
    yield Text(
        f"{lead.account_name}, box {lead.box_id}, worth {least} to {most} {lead.currency}\n"
        f"End of life {lead.end_of_life or 'missing'}, end of support "
        f"{lead.service_end or 'missing'}; lead {lead.lead_id}"
    )
    if found.scored.state == "withdrawn":
        yield Text(f"Withdrawn: {found.scored.reason}", style="bold")


def _components(score: Score) -> Table:
    table = _table(f"Points as of {score.as_of}", "component", "because", "points")
    for name in _COMPONENTS:
        lines = [line for line in score.ledger if line.component == name]
        for index, line in enumerate(lines):
            table.add_row(words(name) if index == 0 else "", line.reason, f"{line.points:+.2f}")
        total = Text(f"{getattr(score, name):.2f}", style="bold")
        table.add_row("", f"= {words(name)}", total, end_section=True)
    return table


def _sum(score: Score) -> Table:
    title = f"Score by rules {score.rules_version}, profile {score.profile}"
    table = _table(title, "component", "points", "weight", "weighted")
    for name in _COMPONENTS:
        points, weight = getattr(score, name), getattr(score.weights, name)
        table.add_row(words(name), f"{points:.2f}", f"× {weight:g}", f"{points * weight:.4f}")
    table.add_section()
    rounding = score.ledger[-1]
    table.add_row("sum", "", "", f"{rounding.input:.4f}")
    table.add_row("rounding", "", "", f"{rounding.points:+.4f}")
    table.add_row("score", "", str(score.priority.value), Text(f"{score.score}", style="bold"))
    return table


def _inputs(score: Score) -> Text:
    missing = ", ".join(words(name) for name in score.missing) or "nothing"
    return Text(f"Confidence {score.confidence:.0%} of the inputs; missing: {missing}.")


def _least_changes(found: Explained, outlook: Outlook) -> Iterator[Part]:
    if found.scored.score.priority == "CRITICAL":
        yield Text("It is CRITICAL already.")
        return
    if outlook.to_critical:
        table = _table("One of these alone makes it CRITICAL", "input", "now", "needed", "score")
        for each in outlook.to_critical:
            now = "missing" if each.now is None else str(each.now)
            table.add_row(words(each.input), now, str(each.needed), f"{each.score}")
        yield table
    others = ", ".join(words(name) for name in not_alone(found))
    yield Text(f"Not alone: {others or 'none'}.")


def _crossings(score: Score, outlook: Outlook) -> Iterator[Part]:
    if not outlook.crossings:
        yield Text(f"By itself it stays {score.priority} until {outlook.until}.")
        return
    table = _table(f"What time alone changes until {outlook.until}", "on", "priority", "score")
    for each in outlook.crossings:
        table.add_row(str(each.on), f"{each.before} → {each.after}", f"{each.score}")
    yield table


def _missing_dates(score: Score, outlook: Outlook) -> Iterator[Part]:
    if not outlook.missing_dates:
        return
    table = _table("What a missing date would move", "date", "score", "points", "priority")
    for each in outlook.missing_dates:
        table.add_row(
            words(each.input),
            f"{each.lowest} to {each.highest}",
            f"{each.lowest - score.score:+.1f} to {each.highest - score.score:+.1f}",
            " or ".join(dict.fromkeys((each.lowest_priority, each.highest_priority))),
        )
    yield table


def _services(services: tuple[ServiceOffer, ...], reason: str | None) -> Iterator[Part]:
    if not services:
        yield Text(f"Services: none ({reason})")
        return
    table = _table("Services to offer", "service", "SKUs", "price", "because")
    for each in services:
        price = "" if each.list_price is None else f"{_money(each.list_price)} {each.currency}"
        table.add_row(each.service_type, ", ".join(each.skus), price, each.reason)
    yield table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        is_number = column in ("points", "weight", "weighted", "score", "price")
        table.add_column(column, justify="right" if is_number else "left")
    return table


def _money(amount: Decimal) -> str:
    return f"{amount:,.0f}"
