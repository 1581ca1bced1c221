"""Measures name matching: 100,000 new names against 100,000 known ones, next to brute force in the same
run; one name at a time; the questions to a person; the reconciliation of a large import.

    make bench-reconcile        (or: python -m bench.reconcile --names 20000)
"""

import argparse
import random
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rich.console import Console

from bench.candidate_recall import measure
from bench.company_names import companies, spellings
from services.ingest.domain.accounts.directory import Directory, NameUse
from services.ingest.domain.accounts.matching import NameIndex, NameKey, link_names
from services.ingest.domain.accounts.normalise import name_forms, naming_of
from services.ingest.domain.accounts.reconcile import reconcile
from services.ingest.domain.accounts.similar_names import SimilarNames
from shared.rules.load import default_rules

_RULES = default_rules().accounts
_NAMING = naming_of(_RULES)
_ROWS = 250
"""So many new names meet all known ones in one call of cdist: 100 MB of ratios."""
_OUT = Console(soft_wrap=True)


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and of processors: the second also tells where others use the machine."""

    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.wall_s:,.1f} s ({self.cpu_s:,.1f} s of processor)"


@dataclass(frozen=True)
class Matches:
    """All pairs of a new and a known name that reach the ratio, by position, and their ratios."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    ratios: NDArray[np.float32]

    def links(self) -> set[tuple[int, int]]:
        """New name → its best known name, where there is only one."""
        best: dict[int, list[tuple[float, int]]] = {}
        triples = (self.rows.tolist(), self.columns.tolist(), self.ratios.tolist())
        for row, column, ratio in zip(*triples, strict=True):
            best.setdefault(row, []).append((ratio, column))
        links = set()
        for row, found in best.items():
            top = max(found)
            if sum(ratio == top[0] for ratio, _ in found) == 1:
                links.add((row, top[1]))
        return links


def main() -> None:
    """Runs every measurement and says what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=100_000, help="new names, and known ones")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--all-cores", action="store_true", help="compare all with all once more, on every core"
    )
    options = parser.parse_args()
    known_raw = companies(options.names, options.seed)
    new_raw = [each.raw for each in spellings(known_raw, options.names, 0.5, options.seed + 1)]
    known, new = _distinct_forms(known_raw), _distinct_forms(new_raw)
    _OUT.print(f"{len(new):,} new forms of names against {len(known):,} known ones")
    cores = {"one core": 1} | ({"all cores": -1} if options.all_cores else {})
    search_all(known, new, cores)
    one_by_one(known, random.Random(options.seed).sample(new, min(5_000, len(new))))  # noqa: S311
    resolve_all(known_raw, new_raw)
    ask_a_person()
    reconcile_import(options.seed)


def search_all(known: Sequence[str], new: Sequence[str], cores: dict[str, int]) -> None:
    """Every pair of at least 85, by the index and by comparing all with all."""
    before = _peak_mb()
    ours, index_took = _timed(lambda: _by_index(known, new))
    peak = _peak_mb()
    _OUT.print(
        f"index: {index_took}, {len(ours.rows):,} pairs, {len(ours.links()):,} links, "
        f"peak {peak:,.0f} MB (before it {before:,.0f})"
    )
    for of, workers in cores.items():
        brute, brute_took = _timed(partial(_by_brute_force, known, new, workers))
        same = all(
            np.array_equal(getattr(ours, part), getattr(brute, part))
            for part in ("rows", "columns", "ratios")
        )
        verdict = "the same pairs, ratios and links" if same else "DIFFERENT PAIRS"
        assert same == (same and ours.links() == brute.links())
        _OUT.print(
            f"cdist, {of}: {brute_took}, {verdict}; the index is "
            f"{brute_took.wall_s / index_took.wall_s:.1f} times as fast "
            f"({brute_took.cpu_s / index_took.cpu_s:.1f} times by processor time)"
        )
        if not same:
            raise SystemExit(1)


def one_by_one(known: Sequence[str], new: Sequence[str]) -> None:
    """How long one new name takes when all others are known, and it becomes known too."""
    index = NameIndex()
    for form in known:
        index.add(NameKey(form, (form,)), form)
    link_names([NameKey(f"{n} warming up", (f"{n} warming up",)) for n in range(20)], index, _RULES)
    runs = [_timed(partial(link_names, [NameKey(f, (f,))], index, _RULES))[1] for f in new]
    took_ms = [run.wall_s * 1e3 for run in runs]
    _OUT.print(
        f"one name at a time, questions included: median {statistics.median(took_ms):.2f} ms, "
        f"99 of 100 within {statistics.quantiles(took_ms, n=100)[98]:.2f} ms"
    )


def resolve_all(known_raw: Sequence[str], new_raw: Sequence[str]) -> None:
    """The whole of stage 3: links in sorted order, new accounts, guards, questions."""
    index = NameIndex()
    for name in _names(known_raw):
        index.add(name, index.equal(name) or name.key)
    new = [name for name in _names(new_raw) if name.key not in index.founders]
    decisions, took = _timed(lambda: link_names(new, index, _RULES))
    linked = sum(each.founder != each.key for each in decisions)
    asked = sum(bool(each.candidates) for each in decisions)
    _OUT.print(
        f"stage 3 whole: {len(decisions):,} names in {took}: {linked:,} linked, "
        f"{asked:,} with questions, {len(decisions) - linked:,} accounts of their own"
    )


def ask_a_person() -> None:
    """The best three questions per name against brute force."""
    recall, took = _timed(lambda: measure(known=20_000, new=2_000, seed=3))
    _OUT.print(
        f"questions: {recall.names:,} names against 20,000; of the best three that share a territory "
        f"or a rare word {recall.by_rule:.1%} are found, of the best three of all {recall.of_all:.1%}; "
        f"the account meant is among ours for {recall.meant_found:,} of {recall.meant:,} unlinked "
        f"names (brute force {recall.meant_found_by_brute_force:,}); {took}"
    )


def reconcile_import(seed: int) -> None:
    """A directory from 120,000 uses of 17,700 names in 4,000 territories, and again from itself."""
    draw = random.Random(seed)  # noqa: S311 - reproducible, not secret
    base = companies(12_000, seed)
    names = base + [each.raw for each in spellings(base, 5_700, 0, seed + 1)]
    uses = [
        NameUse(
            raw_name=raw,
            territory_id=str(draw.randrange(4_000)),
            rows=draw.randint(1, 9),
            opportunity_rows=draw.randint(0, 2),
            first_row=row,
        )
        for row, raw in enumerate([*draw.choices(names, k=120_000 - len(names)), *names])
    ]
    territories = {use.territory_id for use in uses if use.territory_id}
    directory, first = _timed(lambda: reconcile("default", uses, territories, Directory(), _RULES))
    _, again = _timed(lambda: reconcile("default", uses, territories, directory, _RULES))
    _OUT.print(f"reconcile {len(uses):,} uses of {len(names):,} names: {first}, again {again}")


def _by_index(known: Sequence[str], new: Sequence[str]) -> Matches:
    index, position = SimilarNames(), {name: at for at, name in enumerate(known)}
    for name in known:
        index.add(name)
    found = [
        (row, position[other], ratio)
        for row, name in enumerate(new)
        for other, ratio in index.at_least(name, _RULES.link_at)
    ]
    rows, columns, ratios = (np.array(part) for part in zip(*sorted(found), strict=True))
    return Matches(rows, columns, ratios.astype(np.float32))


def _by_brute_force(known: Sequence[str], new: Sequence[str], workers: int) -> Matches:
    parts = []
    for start in range(0, len(new), _ROWS):
        block = new[start : start + _ROWS]
        scores = process.cdist(
            block, known, scorer=fuzz.ratio, score_cutoff=_RULES.link_at, workers=workers
        )
        rows, columns = scores.nonzero()
        parts.append((rows + start, columns, scores[rows, columns]))
    rows, columns, ratios = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Matches(rows, columns, ratios)


def _distinct_forms(raw: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(form for each in raw for form in name_forms(each, _NAMING)))


def _names(raw: Sequence[str]) -> list[NameKey]:
    forms = (name_forms(each, _NAMING) for each in raw)
    return list({each[0]: NameKey(each[0], each) for each in forms if each}.values())


def _timed(run: Callable[[], Any]) -> tuple[Any, Took]:
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = run()
    return outcome, Took(time.perf_counter() - wall, time.process_time() - cpu)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
