"""The packages of a lock as they are installed: version, licence in their own words, what they need."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_LOCKED = re.compile(r"^([A-Za-z0-9][\w.\-]*)==([^ ;\\]+)", re.MULTILINE)
_LICENCE_FILE = re.compile(r"licen[cs]e|copying|notice", re.IGNORECASE)
_BUNDLED = re.compile(r"^\s*(?:License|SPDX-License-Identifier):\s*(.*\S)", re.MULTILINE)
_CLASSIFIER = "License :: "
_LONGEST_NAME = 60


class NotInstalledError(Exception):
    """A lock names a package that is not installed, or another version of it."""


@dataclass(frozen=True)
class Package:
    """A package with the licence that it declares, and those its files name for what they bundle."""

    name: str
    version: str
    licence: str
    is_expression: bool
    needs: tuple[str, ...] = ()
    bundled: tuple[str, ...] = ()


def locked(lock: Path) -> dict[str, str]:
    """Names and versions of a lock."""
    return {canonicalize_name(n): v for n, v in _LOCKED.findall(lock.read_text())}


def packages_of(lock: Path) -> list[Package]:
    """Every package of a lock, by name. Raises NotInstalledError when the environment differs."""
    versions = locked(lock)
    return [_package(name, version, versions) for name, version in sorted(versions.items())]


def _package(name: str, version: str, all_of_them: Iterable[str]) -> Package:
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise NotInstalledError(f"{name} {version} is locked and not installed") from None
    if found.version != version:
        raise NotInstalledError(f"{name} {version} is locked, {found.version} is installed")
    expression = _field(found, "License-Expression")
    return Package(
        name,
        version,
        licence=expression or declared(found),
        is_expression=expression is not None,
        needs=_needs(found.requires or (), all_of_them),
        bundled=bundled(found),
    )


def declared(found: Distribution) -> str:
    """The licence in the words of older metadata; empty when it says none."""
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in found.metadata.get_all("Classifier", [])
        if text.startswith(_CLASSIFIER) and " :: " in text.removeprefix(_CLASSIFIER)
    ]
    if classifiers:
        return " or ".join(classifiers)
    lines = (_field(found, "License") or "").strip().splitlines()
    return lines[0][:_LONGEST_NAME] if lines else ""


def _field(found: Distribution, name: str) -> str | None:
    # The type in the standard library has no `get`.
    values = found.metadata.get_all(name)
    return str(values[0]) if values else None


def bundled(found: Distribution) -> tuple[str, ...]:
    """Licences that a wheel's licence files name one by one, as those of libraries inside it."""
    names: set[str] = set()
    for file in found.files or ():
        if _LICENCE_FILE.search(file.name) and file.suffix not in (".py", ".pyc"):
            text = Path(str(file.locate())).read_text(errors="replace")
            names |= set(_BUNDLED.findall(text))
    return tuple(sorted(names))


def _needs(requirements: Sequence[str], all_of_them: Iterable[str]) -> tuple[str, ...]:
    """The packages of the same lock that this one asks for here."""
    wanted = [Requirement(text) for text in requirements]
    here = {
        canonicalize_name(each.name)
        for each in wanted
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }
    return tuple(sorted(here & set(all_of_them)))
