"""Finds all known names whose `fuzz.ratio` to a name reaches a cut-off (rules.md §2): fast, and exactly
those that comparing with every known name finds.

Why none is lost. With a and b letters, ratio = 100 · (1 − d / (a + b)), d being the least number of
single letters to insert or delete on the way from one name to the other; so a ratio of at least r
means d ≤ (1 − r / 100) · (a + b). Two numbers can only be smaller than d:

1. The difference of the lengths, for each step changes the length by one.
2. The number of bits in which the signatures differ. A signature has 64 bits; the k-th occurrence
   of a letter c turns the bit of (c, k) over. A step makes some count of one letter k instead of
   k − 1, or the reverse: it turns over exactly one bit. (That several (c, k) share a bit only lets
   more names through.)

Names for which either exceeds the limit are left out; the others are few, and rapidfuzz scores them.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import floor

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

_BITS = 64
_NEXT_OCCURRENCE = 29
_COMMON_FIRST = " eaoinrtlscdumphgbvfkywxzqj0123456789"
"""Letters in the order of their bits: the first occurrences of all of them meet no common bit."""

_OUTGROWN = 8
"""A new block takes in those before it that are not so many times as large."""
_ROUNDING = 1e-6


class SimilarNames:
    """Known names, each once; grows at any time. A search takes some 0.1 ms among 100,000.

    Up to `loose_names` are compared one by one; a crowd that came at once is, too, for so many
    searches: signatures are worth their making only for who searches more than that.
    """

    def __init__(self, loose_names: int = 256, loose_searches: int = 8) -> None:
        self._loose_names, self._loose_searches = loose_names, loose_searches
        self._blocks: list[_Block] = []
        self._loose: list[str] = []
        self._searches = 0

    def add(self, name: str) -> None:
        """Makes a name known that was not."""
        self._loose.append(name)

    def at_least(self, name: str, ratio: float) -> list[tuple[str, float]]:
        """All known names with at least this `fuzz.ratio` (0–100) to the name, and their ratios."""
        likely = self.likely(name, ratio)
        found = process.extract(name, likely, scorer=fuzz.ratio, score_cutoff=ratio, limit=None)
        return [(other, score) for other, score, _ in found]

    def likely(self, name: str, ratio: float) -> list[str]:
        """All known names that reach the ratio, and some that do not."""
        self._searches += 1
        if len(self._loose) > self._loose_names and (
            self._blocks or self._searches > self._loose_searches
        ):
            self._pack()
        found = list(self._loose)
        if self._blocks:
            mine = np.uint64(signature(name))
            for block in self._blocks:
                found += block.likely(len(name), mine, ratio)
        return found

    def _pack(self) -> None:
        """Makes a block of the loose names and of the blocks that are no longer large beside it."""
        names = self._loose
        signatures = np.array([signature(name) for name in names], np.uint64)
        while self._blocks and len(self._blocks[-1].names) < _OUTGROWN * len(names):
            absorbed = self._blocks.pop()
            names = absorbed.names + names
            signatures = np.concatenate((absorbed.signatures, signatures))
        self._blocks.append(_Block(names, signatures))
        self._loose = []


class _Block:
    """Names in the order of their lengths, with their signatures."""

    def __init__(self, names: Sequence[str], signatures: NDArray[np.uint64]) -> None:
        lengths = np.array([len(name) for name in names])
        order = lengths.argsort(kind="stable")
        self.names = [names[index] for index in order.tolist()]
        self.signatures = signatures[order]
        self._lengths, self._starts, self._counts = np.unique(
            lengths[order], return_index=True, return_counts=True
        )
        self._reaches: dict[tuple[int, float], _Reach] = {}

    def likely(self, length: int, mine: np.uint64, ratio: float) -> list[str]:
        """The names that may reach the ratio to a name of this length and signature."""
        if (length, ratio) not in self._reaches:
            self._reaches[length, ratio] = self._reach(length, ratio)
        start, limits = self._reaches[length, ratio]
        theirs = self.signatures[start : start + len(limits)]
        near = np.bitwise_count(theirs ^ mine) <= limits
        return [self.names[start + index] for index in near.nonzero()[0].tolist()]

    def _reach(self, length: int, ratio: float) -> "_Reach":
        limits = [most_steps(length + other, ratio) for other in self._lengths.tolist()]
        reached = [
            index
            for index, other in enumerate(self._lengths.tolist())
            if abs(length - other) <= limits[index]
        ]
        if not reached:
            return 0, np.zeros(0, np.uint8)
        first, after = reached[0], reached[-1] + 1
        bits = np.minimum(limits[first:after], _BITS).astype(np.uint8)
        return int(self._starts[first]), np.repeat(bits, self._counts[first:after])


_Reach = tuple[int, NDArray[np.uint8]]
"""Where the names whose lengths are in reach begin, and in how many bits each may differ."""


def most_steps(letters: int, ratio: float) -> int:
    """How many insertions and deletions a ratio allows between names of so many letters together."""
    return floor((1 - ratio / 100) * letters + _ROUNDING)


def signature(name: str) -> int:
    """64 bits, of which one insertion or deletion of a letter turns over exactly one."""
    bits = 0
    for letter in set(name):
        bits ^= _bits_of(letter, name.count(letter))
    return bits


@lru_cache(maxsize=65_536)
def _bits_of(letter: str, count: int) -> int:
    """The bits that the first so many occurrences of a letter turn over."""
    rank = _COMMON_FIRST.find(letter)
    first = rank if rank >= 0 else ord(letter)
    bits = 0
    for occurrence in range(count):
        bits ^= 1 << (first + _NEXT_OCCURRENCE * occurrence) % _BITS
    return bits
