"""Reads the YAML of a rules file, or of another, into plain values and remembers where each of them stands.

Only what such a file needs is accepted: no anchors, aliases, tags, second documents or
repeated keys.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from shared.errors import UserError

Path = tuple[str | int, ...]

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MAX_NUMBER_LENGTH = 40

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?((0|[1-9][0-9_]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|nan)", re.IGNORECASE)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null"), None),
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A position as an editor shows it, counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a rules file; `places` holds the place of every path in it."""

    name: str
    values: dict[str, Any]
    places: dict[Path, Place]
    key_places: dict[Path, Place]

    def place(self, path: Path, *, key: bool = False) -> str:
        """`name:line:column` of a path, or of the nearest one above it that the file holds.

        With `key`, the place of the key rather than of its value.
        """
        while path and path not in self.places:
            path = path[:-1]
        places = self.key_places if key and path in self.key_places else self.places
        place = places.get(path)
        return f"{self.name}:{place}" if place else self.name


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been read yet."""

    path: Path
    values: dict[str, Any] | list[Any]
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    """Builds values from YAML events without recursion, refusing what a rules file never needs."""

    name: str
    kind: str
    places: dict[Path, Place] = field(default_factory=dict)
    key_places: dict[Path, Place] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    root: Any = None
    documents: int = 0

    def take(self, event: Any) -> None:
        """One YAML event. Raises UserError at its place."""
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._refuse(event, f"a second document (---); a {self.kind} is one document")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._refuse(event, f"anchors and aliases (& and *) are not used in {self.kind}s")
        elif getattr(event, "tag", None):
            raise self._refuse(event, f"tags ({event.tag}) are not used in {self.kind}s")
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin(event, {})
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin(event, [])
        elif isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()

    def _refuse(self, event: Any, message: str, path: Path = ()) -> UserError:
        dotted = f"{dotted_path(path)}: " if path else ""
        return UserError(f"{self.name}:{_place(event.start_mark)}: {dotted}{message}")

    def _scalar(self, event: Any) -> None:
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.values, dict) and top.key is None:
            self._key(event, top)
        else:
            self._put(event, event.value if event.style else _plain(event.value))

    def _key(self, event: Any, top: _Open) -> None:
        path = (*top.path, event.value)
        if event.value in top.values:
            first = self.key_places[path]
            raise self._refuse(event, f"stands here twice; first in line {first.line}", path)
        top.key = event.value
        self.key_places[path] = _place(event.start_mark)

    def _put(self, event: Any, value: Any) -> Path:
        if not self.stack:
            self.root = value
            return ()
        top = self.stack[-1]
        if isinstance(top.values, list):
            path = (*top.path, len(top.values))
            top.values.append(value)
        elif top.key is None:
            raise self._refuse(event, "a key must be a word or a number", top.path)
        else:
            path = (*top.path, top.key)
            top.values[top.key] = value
            top.key = None
        in_mapping = isinstance(top.values, dict) and isinstance(value, dict | list)
        self.places[path] = self.key_places[path] if in_mapping else _place(event.start_mark)
        return path

    def _begin(self, event: Any, values: dict[str, Any] | list[Any]) -> None:
        if len(self.stack) >= MAX_DEPTH:
            raise self._refuse(event, f"nested more than {MAX_DEPTH} deep")
        self.stack.append(_Open(self._put(event, values), values))


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _plain(text: str) -> str | int | float | bool | None:
    """A scalar without quotes: nothing, yes/no, a decimal number, otherwise text."""
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if len(text) > MAX_NUMBER_LENGTH:
        return text
    if _INT.fullmatch(text):
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return float(text.replace(".", "")) if _NOT_FINITE.fullmatch(text) else text


def dotted_path(path: Path) -> str:
    """A path as people write it: scoring.value.absolute.steps[1].at (list items count from 1)."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _events(text: str, name: str) -> Iterator[Any]:
    """The YAML events of a text. Raises UserError where it is not YAML."""
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = text.splitlines()[mark.line : mark.line + 1] if mark else []
        hint = "indent with blanks, not with tabs" if "\t" in "".join(line) else None
        reason = ", ".join(filter(None, (error.context, error.problem)))
        place = f"{name}:{_place(mark)}" if mark else name
        raise UserError(f"{place}: this is not YAML: {reason}", hint=hint) from error
    except yaml.reader.ReaderError as error:
        line_number = text.count("\n", 0, error.position) + 1
        raise UserError(f"{name}:{line_number}: this is not YAML: a control character") from error


def read_document(content: bytes, name: str, kind: str = "rules file") -> Document:
    """The document in a file's bytes; `name` is how messages call it, `kind` what it should be.

    Raises UserError, naming line and column, for what is not YAML in UTF-8, is empty, is no
    mapping, holds a key twice, or uses anchors, aliases or tags.
    """
    if len(content) > MAX_BYTES:
        raise UserError(f"{name}: larger than {MAX_BYTES:,} bytes; this is not a {kind}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{name}:{line}: not UTF-8 text; save the file as UTF-8") from error
    builder = _Builder(name, kind)
    for event in _events(text, name):
        builder.take(event)
    if builder.root is None:
        raise UserError(
            f"{name}: the file is empty; write what you want different from the defaults"
        )
    if not isinstance(builder.root, dict):
        raise UserError(f"{name}:1:1: a {kind} consists of `key: value` lines")
    return Document(name, builder.root, builder.places, builder.key_places)
