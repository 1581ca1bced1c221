"""Makes the rules to compare with: a file as `rules apply` reads it, or single settings over what holds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import UserError
from shared.rules.document import Document, dotted_path, read_document
from shared.rules.influence import influence_of
from shared.rules.load import changed_rules, load_rules, rules_document, with_offices_of
from shared.rules.model import Rules
from shared.rules.overlay import overlay

_OPTION = "--set"


@dataclass(frozen=True)
class Setting:
    """A rule that is other; a value that is not there is None."""

    path: str
    before: Any
    after: Any


def new_rules(in_force: Rules, file: Path | None, settings: Sequence[str]) -> Rules:
    """The rules that a file would put in force, or else those in force, with `path=value` settings.

    Raises UserError for what cannot hold, with its place, as `rules apply` does.
    """
    rules = in_force if file is None else with_offices_of(load_rules(file), file, in_force)
    if not settings:
        return rules
    values: dict[str, Any] = {}
    for setting in settings:
        values = overlay(values, _parsed(setting), merge_tables=True)
    return changed_rules(rules, Document(_OPTION, values, {}, {}))


def _parsed(setting: str) -> dict[str, Any]:
    """`leads.renewal.ahead_days=90` as a rules file with this one value."""
    path, equals, value = setting.partition("=")
    names = [name.strip() for name in path.split(".")]
    if not equals or not all(names):
        raise UserError(
            f"{_OPTION} {setting}: this is no setting",
            hint=f"write it as in {_OPTION} leads.renewal.ahead_days=90",
        )
    lines = [f"{'  ' * depth}{name}:" for depth, name in enumerate(names)]
    text = "\n".join(lines) + f" {value}\n"
    return read_document(text.encode(), f"{_OPTION} {setting}").values


def settings_changed(before: Rules, after: Rules) -> list[Setting]:
    """Every rule that is other, by its path in the rules file; lists are compared as a whole."""
    old, new = rules_document(before), rules_document(after)
    return list(_differences(old, new, ()))


def _differences(before: Any, after: Any, path: tuple[str, ...]) -> Iterator[Setting]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            yield from _differences(before.get(name), after.get(name), (*path, name))
    elif before != after:
        yield Setting(dotted_path(path), before, after)


_ON_NEW_NAMES = (
    *("accounts.link_at", "accounts.review_at", "accounts.review_token_set_at"),
    *("accounts.min_link_length", "accounts.conflicting_words"),
    "accounts.autolink_conflicting_words",
)


def notes_on(settings: Sequence[Setting], *, names_anew: bool) -> list[str]:
    """What a person must know who wonders why a changed rule shows no effect."""
    paths = [setting.path for setting in settings]
    found = []
    if any(path.startswith("reading.") and not influence_of(path) for path in paths):
        found.append("how cells are read counts for coming imports only: rows keep what was read")
    if not names_anew and any(path.startswith(_ON_NEW_NAMES) for path in paths):
        found.append(
            "how alike names must be counts for new names only, known ones keep their account:"
            " --names-anew shows what it would have made of all names"
        )
    return found
