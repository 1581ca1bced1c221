"""A copy of the product and its unit tests, in which mutmut breaks the domains one change at a time."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.stats import status_by_exit_code
from mutmut.utils.format_utils import get_mutant_name

ROOT = Path(__file__).resolve().parents[2]
TESTS = ("ingest", "scoring", "recommender", "notifier", "lifecycle", "laws")
_COPIED = ("services", "shared", "onelead", "samples", "requirements")
_WORKERS = 2
_EXAMPLES = 12
_SETTINGS = f"""\
[mutmut]
source_paths=
    services
only_mutate=
    services/*/domain/*
also_copy=
    shared
    onelead
    samples
    requirements
    conftest.py
pytest_add_cli_args=
    -p
    no:cacheprovider
pytest_add_cli_args_test_selection=
    {(chr(10) + "    ").join(f"tests/unit/{part}" for part in TESTS)}
use_git_change_detection=false
track_dependencies=false
"""
_CONFTEST = '''\
"""A law is tried on few cases, always the same ones, and a failure is not made smaller."""

import sys

from hypothesis import Phase, settings

FEW = {
    "derandomize": True,
    "database": None,
    "deadline": None,
    "phases": (Phase.explicit, Phase.generate),
}


def pytest_collection_modifyitems(items):
    # What the process that this one was forked from has cached is of the original.
    domains = [each for name, each in sys.modules.items() if ".domain" in name]
    for member in [member for domain in domains for member in list(vars(domain).values())]:
        if hasattr(member, "cache_clear"):
            member.cache_clear()
    for law in {item.function for item in items}:
        used = getattr(law, "_hypothesis_internal_use_settings", None)
        if used is not None:
            cases = min(used.max_examples, EXAMPLES)
            law._hypothesis_internal_use_settings = settings(used, max_examples=cases, **FEW)
'''


class Workspace:
    """The copy, in a folder that is empty before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in _COPIED:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
        for name in ("__init__.py", "unit", "support", "data"):
            _copy(ROOT / "tests" / name, folder / "tests" / name)
        _copy(ROOT / "pyproject.toml", folder / "pyproject.toml")
        (folder / "setup.cfg").write_text(_SETTINGS)
        (folder / "conftest.py").write_text(_CONFTEST.replace("EXAMPLES", str(_EXAMPLES)))
        for path in self._domains():
            path.write_text(in_reach(path.read_text()))

    def mutants(self) -> list[str]:
        """The names of all mutants there can be, in order."""
        found: list[str] = []
        with chdir(self._folder):
            for path in self._domains():
                here = path.relative_to(self._folder)
                made = mutate_file_contents(str(here), path.read_text()).mutant_names
                found += (get_mutant_name(here, name) for name in made)
        return sorted(found)

    def run(self, mutants: Sequence[str]) -> dict[str, str]:
        """What became of these mutants: killed, timeout, survived, no tests, …

        Raises RuntimeError when mutmut itself fails, with the end of what it said: mostly because
        the unit tests are not green without any mutant.
        """
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(_WORKERS)]
        log = self._folder / "mutmut.log"
        with log.open("w") as out:
            done = subprocess.run(
                [*command, *mutants],
                cwd=self._folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise RuntimeError("mutmut failed:\n" + log.read_text().replace("\r", "\n")[-6_000:])
        outcomes = self._outcomes()
        return {name: status_by_exit_code[outcomes[name]] for name in mutants}

    def change(self, mutant: str) -> tuple[str, str]:
        """(what stood there, what the mutant made of it); a removed line is nothing."""
        with chdir(self._folder):
            lines = get_diff_for_mutant(mutant).splitlines()
        before = [line[1:].strip() for line in lines if line[:1] == "-" and line[:3] != "---"]
        after = [line[1:].strip() for line in lines if line[:1] == "+" and line[:3] != "+++"]
        return " ".join(before), " ".join(after)

    def _domains(self) -> list[Path]:
        return sorted(self._folder.glob("services/*/domain/**/*.py"))

    def _outcomes(self) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        for path in self._folder.glob("mutants/services/*/domain/**/*.meta"):
            found |= json.loads(path.read_text())["exit_code_by_key"]
        return found


def in_reach(source: str) -> str:
    """The same code, so written that mutmut mutates what it leaves alone: decorated functions.

    A property or a cached function becomes a plain one, and `property(…)` or the cache of it.
    """
    lines = source.splitlines()
    for function in sorted(_decorated(ast.parse(source)), key=lambda each: -each.lineno):
        (decorator,) = function.decorator_list
        indent, name = " " * function.col_offset, f"plain_{function.name}"
        wrapped = f"{indent}{function.name} = {ast.unparse(decorator)}({name})"
        lines.insert(function.end_lineno or 0, wrapped)
        at = function.lineno - 1
        lines[at] = lines[at].replace(f"def {function.name}(", f"def {name}(", 1)
        del lines[decorator.lineno - 1]
    return "\n".join(lines) + "\n"


def _decorated(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The functions with a property or a cache for their only decorator."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and len(node.decorator_list) == 1:
            decorator = ast.unparse(node.decorator_list[0])
            if decorator == "property" or decorator.startswith("lru_cache("):
                yield node


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.pyc"))
    else:
        shutil.copy(source, target)
