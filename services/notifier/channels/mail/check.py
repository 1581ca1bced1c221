"""Tries templates with made-up contents: says what is wrong with each, and shows one before it is used."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.notifier.channels.mail.messages import Words, rendered_words
from services.notifier.channels.mail.outreach import render_outreach
from services.notifier.channels.mail.samples import letter_variables, samples
from services.notifier.channels.mail.templates import LETTERS, Templates
from services.notifier.channels.mail.views import View, view_of
from shared.errors import UserError
from shared.events import LeadType
from shared.rules.refusal import known_names


def preview_names() -> tuple[str, ...]:
    """What can be previewed: each kind of mail, and each letter by lead type."""
    letters = (f"{name}.{kind.value}" for name in LETTERS for kind in _types())
    return (*(name for name, _ in samples()), *letters)


def preview(templates: Templates, name: str) -> Words:
    """A mail of made-up content. Raises UserError for an unknown name, or naming template and line."""
    if (lead_type := _type_of(name)) is not None:
        letter = name.partition(".")[0]
        return Words(*render_outreach(templates, letter, letter_variables(lead_type)))
    return rendered_words(_view(name), templates)


def variables_of(name: str) -> Mapping[str, Any]:
    """What the templates of a mail may name, with made-up values. Raises UserError for an unknown name."""
    if (lead_type := _type_of(name)) is not None:
        return letter_variables(lead_type)
    return _view(name).variables


def _type_of(name: str) -> LeadType | None:
    """The lead type that a letter's name ends with; None for other mails."""
    letter, _, kind = name.partition(".")
    return next((t for t in _types() if letter in LETTERS and t.value == kind), None)


def _view(name: str) -> View:
    for known, content in samples():
        if known == name:
            return view_of(content)
    raise UserError(f"there is no mail {name}", hint=known_names(name, preview_names()))


def faults(templates: Templates) -> Iterator[str]:
    """What is wrong with the templates, each fault once, in the order of the mails."""
    seen = set()
    for name in preview_names():
        try:
            preview(templates, name)
        except UserError as error:
            if error.message not in seen:
                seen.add(error.message)
                yield error.message


def checked(templates: Templates) -> Templates:
    """The templates, all of which can be rendered. Raises UserError naming the faults."""
    found = list(faults(templates)) if templates.own else []
    if found:
        templates.close()
        raise UserError("\n".join(found), hint="mend them, or try them: `onelead templates check`")
    return templates


def _types() -> tuple[LeadType, ...]:
    return tuple(kind for kind in LeadType if kind.value != "unknown")
