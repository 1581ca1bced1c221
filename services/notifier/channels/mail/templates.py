"""The templates of mails: the built-in ones, and a folder's that replace them by file name.

Built-in ones are rendered here; as soon as there are others, they render in a child with limits.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from services.notifier.channels.mail.child import OutOfLimitsError, RenderingChild
from services.notifier.channels.mail.sandbox import MAX_OUTPUT_BYTES, environment, fault, rendered
from shared.errors import UserError
from shared.events import LeadType
from shared.rules.refusal import known_names

FOLDER = Path(__file__).parent.parent / "templates"
LETTERS = ("first_outreach", "value", "last_reminder")
"""What campaigns write to customers: for each lead type one of its own, else one for all of them."""
_BUILT_IN = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.j2"))}
_TYPES = tuple(kind.value for kind in LeadType)
_MOST_FILES = 200
_SPACE = re.compile(r"\n{3,}")


class Templates:
    """Templates by name. Raises UserError for a folder that cannot be read or names what is not known.

    The folder is read once: who changes it begins anew.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.own: Mapping[str, Path] = {} if folder is None else _files(folder)
        self._sources = {**_BUILT_IN, **{n: _source(path) for n, path in self.own.items()}}
        self._built_in = environment(_BUILT_IN)
        self._child = RenderingChild(self._sources) if self.own else None
        self._out_of_limits: dict[str, str] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The file names of all templates."""
        return tuple(sorted(self._sources))

    def letter_name(self, name: str, lead_type: str) -> str:
        """The text template of a campaign's mail for a lead type. Raises UserError for an unknown name."""
        for found in (f"{name}.{lead_type}.txt.j2", f"{name}.txt.j2"):
            if found in self._sources:
                return found
        raise UserError(
            f"there is no template {name}.{lead_type}.txt.j2, nor {name}.txt.j2",
            hint=f"campaigns know {', '.join(LETTERS)}",
        )

    def text(self, name: str, variables: Mapping[str, Any]) -> str:
        """A template's text, without surplus blank lines. Raises UserError naming file and line.

        What took too long once is not tried again by this process.
        """
        if self._child is None:
            return self.built_in(name, variables)
        if name in self._out_of_limits:
            self._refuse(name, None, self._out_of_limits[name])
        try:
            answer = self._child.ask(name, variables)
        except OutOfLimitsError as error:
            self._out_of_limits[name] = str(error)
            self._refuse(name, None, str(error))
        if "text" not in answer:
            self._refuse(answer["name"], answer["line"], answer["error"])
        return _tidy(answer["text"])

    def built_in(self, name: str, variables: Mapping[str, Any]) -> str:
        """The same from the built-in template of that name."""
        try:
            return _tidy(rendered(self._built_in, name, variables))
        except Exception as error:  # noqa: BLE001 - whatever its reason, the place is what helps
            found = fault(error, name)
            self._refuse(found["name"], found["line"], found["error"])

    def close(self) -> None:
        """Ends the child."""
        if self._child is not None:
            self._child.close()

    def _refuse(self, name: str, line: int | None, words: str) -> NoReturn:
        where = str(self.own.get(name, name)) + (f", line {line}" if line else "")
        raise UserError(
            f"{where}: {words}",
            hint="`onelead templates check` tries every template; `preview` shows one",
        )


def _files(folder: Path) -> dict[str, Path]:
    try:
        found = {path.name: path for path in sorted(folder.iterdir()) if path.suffix == ".j2"}
    except OSError as error:
        raise UserError(f"templates in {folder}: {error.strerror}") from None
    if len(found) > _MOST_FILES:
        raise UserError(f"{folder}: more than {_MOST_FILES} templates")
    letters = (f"{n}{kind}.txt.j2" for n in LETTERS for kind in ("", *(f".{t}" for t in _TYPES)))
    known = {*_BUILT_IN, *letters}
    for name, path in found.items():
        if name not in known and not name.startswith("_"):
            hint = known_names(name, tuple(sorted(known)))
            raise UserError(
                f"{path}: replaces no template",
                hint=f"{hint}; a part that yours include has a name that begins with _",
            )
    return found


def _source(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_OUTPUT_BYTES:
            raise UserError(f"{path}: longer than {MAX_OUTPUT_BYTES // 1024} kB")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None


def _tidy(text: str) -> str:
    return _SPACE.sub("\n\n", text).strip() + "\n"
