"""The comparison as tables for people."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from onelead.what_if.changes import TURNS, Change, Effect, Standing
from onelead.what_if.new_rules import Setting, notes_on, settings_changed
from onelead.what_if.replay import How, WhatIf
from onelead.what_if.why import ComponentChange, LineChange, Why
from shared.events import LeadType, Priority
from shared.rules.load import rules_version

_SETTINGS = 10
_LINES = 2
_COMPONENTS = 2
_LEAD_WIDTH = 28
_TURNED = {
    Effect.APPEARS: "appear",
    Effect.RAISED: "rise in priority",
    Effect.LOWERED: "fall in priority",
    Effect.DISAPPEARS: "disappear",
}
_TYPES = [each for each in LeadType if each is not LeadType.UNKNOWN]
_PRIORITIES = [each for each in Priority if each is not Priority.UNKNOWN]


def tables(found: WhatIf, how: How, shown: int) -> Iterator[Table | Text]:
    """What to print, piece by piece; of the leads the first `shown`."""
    old, new = rules_version(found.rules_before), rules_version(found.rules_after)
    title = f"Tenant {found.tenant_id} as of {found.as_of}: rules {old} → {new}, nothing is changed"
    yield Text(title, style="bold")
    settings = settings_changed(found.rules_before, found.rules_after)
    yield from (Text(f"  {_told(setting)}") for setting in settings[:_SETTINGS])
    if len(settings) > _SETTINGS:
        yield Text(f"  and {len(settings) - _SETTINGS} more settings")
    if not settings:
        yield Text("These are the rules in force.")
    for note in (*notes_on(settings, names_anew=how.names_anew), *caveats(found)):
        yield Text(f"Note: {note}.")
    yield _pipeline(found, "priority", _PRIORITIES)
    yield _pipeline(found, "type", _TYPES)
    yield Text(summary(found))
    if found.changes:
        yield _leads(found.changes[:shown])
    if len(found.changes) > shown:
        yield Text(f"{len(found.changes) - shown:,} more: --limit, --csv or --json show them")


def caveats(found: WhatIf) -> list[str]:
    """Why "before" may not be what people see now."""
    notes = list(found.under_way)
    if found.otherwise_now:
        notes.append(
            f'{found.otherwise_now:,} leads stand otherwise now than under "before",'
            " which takes everything as worked off"
        )
    return notes


def summary(found: WhatIf) -> str:
    """The counts in one sentence."""
    turned = [f"{found.effects[each]:,} {_TURNED[each]}" for each in TURNS if found.effects[each]]
    others = sum(count for effect, count in found.effects.items() if effect not in TURNS)
    if others:
        turned.append(f"{others:,} with another score, value or offer only")
    leads = ", ".join(turned) or "no lead stands otherwise"
    return f"{leads[0].upper()}{leads[1:]}; {found.alerts:,} alerts would go out."


def _told(setting: Setting) -> str:
    return f"{setting.path}: {_short(setting.before)} → {_short(setting.after)}"


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left")
    return table


def _pipeline(found: WhatIf, what: str, kinds: Sequence[Priority | LeadType]) -> Table:
    currency = found.rules_after.currency
    numbers = ("leads", "→", "change", f"open pipeline, {currency}", "→ ", "change ")
    table = _table(f"By {what}", "", *numbers, numbers=numbers)
    rows: list[tuple[str, Priority | LeadType | None]] = [(each.value, each) for each in kinds]
    for name, kind in (*rows, ("all", None)):
        leads = found.before.count(of=kind), found.after.count(of=kind)
        worth = found.before.open(of=kind), found.after.open(of=kind)
        if kind is None:
            table.add_section()
        table.add_row(
            name,
            *(f"{leads[0]:,}", f"{leads[1]:,}", _signed(leads[1] - leads[0])),
            *(f"{worth[0]:,.0f}", f"{worth[1]:,.0f}", _signed(worth[1] - worth[0])),
        )
    return table


def _signed(difference: Any) -> str:
    return f"{difference:+,.0f}" if difference else ""


def _leads(changes: list[Change]) -> Table:
    table = _table("Leads", "what", "score", "account, lead", "why", numbers=("score",))
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    table.columns[2].width = _LEAD_WIDTH
    for each in changes:
        score = "\n".join(_score(side) for side in (each.before, each.after))
        lead = f"{each.account}\n{each.title} ({each.box_id})"
        table.add_row(_what(each), score, lead, "\n".join(words(each.why)))
    return table


def _what(change: Change) -> str:
    old = change.before.priority.value if change.before else "–"
    new = change.after.priority.value if change.after else "–"
    words = f"{old} →\n{new}" if change.effect in TURNS else f"{change.effect.value}\n{new}"
    return f"{words}, alert" if change.alert else words


def _score(standing: Standing | None) -> str:
    return "–" if standing is None else f"{standing.score:.1f}"


def words(why: Why) -> list[str]:
    """The facts and the components that weigh most, a line each."""
    lines = [*why.facts, *(_component(each) for each in why.components[:_COMPONENTS])]
    return lines or ["its services are ranked or bundled otherwise"]


def _component(change: ComponentChange) -> str:
    name, effect = change.component.replace("_", " "), f"({change.effect:+.1f})"
    if not change.lines:
        return f"{name} {change.after:.1f} weighs otherwise {effect}"
    told = [_line(line) for line in sorted(change.lines, key=_weight)[:_LINES]]
    return f"{name} {change.before:.1f} → {change.after:.1f} {effect}: {'; '.join(told)}"


def _line(line: LineChange) -> str:
    if line.before is None:
        return f"{line.reason} {_points(line.after)}"
    if line.after is None:
        return f"no more: {line.reason} {_points(line.before)}"
    return f"{line.reason} {_points(line.before)} → {_points(line.after)}"


def _points(points: float | None) -> str:
    return f"{points or 0.0:+.1f}".replace("+0.0", "0").replace("-0.0", "0")


def _weight(line: LineChange) -> float:
    return -abs((line.after or 0.0) - (line.before or 0.0))
