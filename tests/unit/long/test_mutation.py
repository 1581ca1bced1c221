"""Mutants are drawn the same for a seed, and the code they are made of is the same code."""

from hypothesis import given
from hypothesis import strategies as st

from tests.long.mutation import sample
from tests.long.workspace import in_reach

SOURCE = '''\
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Box:
    items: int

    @property
    def weight(self) -> int:
        """In kilograms."""
        return self.items * 2

    @classmethod
    def empty(cls) -> "Box":
        return cls(0)

    @property
    def is_heavy(self) -> bool:
        return self.weight > 10


@lru_cache(maxsize=10)
def doubled(value: int) -> int:
    return value * 2
'''


@given(st.lists(st.text(min_size=1), unique=True).map(sorted), st.integers(0, 9), st.integers())
def test_a_sample_is_the_same_for_a_seed_and_all_when_none_is_wanted(
    everyone: list[str], size: int, seed: int
) -> None:
    chosen = sample(everyone, size, seed)
    assert chosen == sample(everyone, size, seed)
    assert chosen == sorted(set(chosen))
    assert set(chosen) <= set(everyone)
    assert len(chosen) == (min(size, len(everyone)) if size else len(everyone))


def test_properties_and_caches_are_put_in_reach_and_mean_the_same() -> None:
    source = in_reach(SOURCE)
    assert "@property" not in source
    assert "@lru_cache" not in source
    assert "doubled = lru_cache(maxsize=10)(plain_doubled)" in source
    assert "@classmethod" in source
    made: dict[str, object] = {}
    exec(source, made)  # noqa: S102 - our own few lines
    found = eval("(Box(6).weight, Box(6).is_heavy, Box.empty().is_heavy, doubled(4))", made)  # noqa: S307
    assert found == (12, True, False, 8)


def test_code_without_either_stays_as_it_is() -> None:
    plain = "def f(x: int) -> int:\n    return x + 1\n"
    assert in_reach(plain) == plain
