"""Reads the notify file: YAML into checked settings of every sink, or a refusal that names each place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from services.notifier.channels import CHANNEL_BY_NAME
from services.notifier.channels.sink import SinkSettings
from services.notifier.notify_file.contradictions import Sinks, contradictions
from services.notifier.notify_file.model import NotifyFile, SinkOptions, sink_model
from shared.errors import UserError
from shared.rules.document import Document, read_document
from shared.rules.document import Path as Where
from shared.rules.refusal import known_names, mistake, mistakes, refused

OWNER = "owner"
"""Stands among a sink's recipients for the person whose lead it is."""
_RECIPIENTS = "recipients"


@dataclass(frozen=True)
class Notifications:
    """The sinks by name, and what the file says beside them; without a file, its defaults.

    `owners`: by sink, the addresses that are told only of the leads which are theirs.
    """

    sinks: Mapping[str, SinkSettings]
    file: NotifyFile = field(default_factory=NotifyFile)
    options: Mapping[str, SinkOptions] = field(default_factory=dict)
    owners: Mapping[str, frozenset[str]] = field(default_factory=dict)
    document: Document | None = None

    def refusal(self, name: str, fault: str, hint: str | None = None) -> UserError:
        """The refusal of a sink, with its place in the file where there is one."""
        if self.document is None:
            return UserError(f"ONELEAD_ settings of sink {name}: {fault}", hint=hint)
        return UserError(mistake(self.document, ("sinks", name), fault, key=True), hint=hint)


def read_notify_file(path: Path) -> Notifications:
    """The notify file at `path`. Raises UserError: each mistake with file, line, column and what is right."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: cannot read the notify file: {error.strerror}",
            hint="samples/notify.yaml shows what one looks like",
        ) from error
    document = read_document(content, str(path), "notify file")
    try:
        file = NotifyFile.model_validate(document.values)
    except ValidationError as error:
        raise refused(mistakes(error, document, NotifyFile)) from None
    lines: list[str] = []
    sinks: dict[str, SinkSettings] = {}
    owners: dict[str, frozenset[str]] = {}
    for name, given in file.sinks.items():
        written, owners[name] = _with_owners(given, file)
        settings = _sink(document, name, written, lines)
        if settings is not None:
            sinks[name] = settings
    # The model of a sink is made of both.
    options = {name: cast(SinkOptions, settings) for name, settings in sinks.items()}
    faults = contradictions(file, Sinks(sinks, options))
    if found := [*lines, *(mistake(document, *fault) for fault in faults)]:
        raise refused(found)
    return Notifications(sinks, file, options, owners, document)


def _sink(
    document: Document, name: str, given: Mapping[str, Any], lines: list[str]
) -> SinkSettings | None:
    """The settings of one sink; None when they are wrong, which `lines` then says."""
    at: Where = ("sinks", name)
    channel = given.get("channel")
    if not isinstance(channel, str) or channel not in CHANNEL_BY_NAME:
        known = known_names(str(channel), tuple(CHANNEL_BY_NAME))
        fault = "is missing" if channel is None else f"unknown channel {channel!r}"
        lines.append(mistake(document, (*at, "channel"), f"{fault}; {known}"))
        return None
    if OWNER in _listed(given.get(_RECIPIENTS)):
        fault = "`owner` is nobody: no one among `people` has a mail address"
        lines.append(mistake(document, (*at, _RECIPIENTS), fault))
        return None
    model = sink_model(channel)
    try:
        return model.model_validate(_from(Path(document.name).parent, given, model))
    except ValidationError as error:
        lines += mistakes(error, document, model, at)
        return None


def _from(folder: Path, given: Mapping[str, Any], model: type[SinkSettings]) -> dict[str, Any]:
    """A sink whose paths, those of secrets too, lead from the folder of the notify file."""
    made = dict(given)
    for key, value in given.items():
        known = model.model_fields.get(key)
        is_path = known is not None and known.annotation in (Path, Path | None)
        if isinstance(value, str) and is_path:
            made[key] = folder / value
        if isinstance(value, dict) and isinstance(value.get("file"), str):
            made[key] = {**value, "file": str(folder / value["file"])}
    return made


def _with_owners(
    given: Mapping[str, Any], file: NotifyFile
) -> tuple[dict[str, Any], frozenset[str]]:
    """A sink with the people's addresses in place of OWNER, and those of them that stand for it only."""
    listed = _listed(given.get(_RECIPIENTS))
    mails = [person.mail for person in file.people.values() if person.mail]
    if OWNER not in listed or not mails:
        return dict(given), frozenset()
    added = [mail for mail in dict.fromkeys(mails) if mail not in listed]
    # In place of the word, the others behind the list: what stays keeps its place in the file.
    at = listed.index(OWNER)
    whole = [*listed[:at], *added[:1], *listed[at + 1 :], *added[1:]]
    return {**given, _RECIPIENTS: whole}, frozenset(added)


def _listed(recipients: object) -> list[Any]:
    return recipients if isinstance(recipients, list) else [recipients]
