"""The rules of the house as functions: each takes the root of a tree and returns what breaks the rule.

They run on our own tree, and on made-up ones that show that each of them bites.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 250
MAX_TEST_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_PART_LINES = 1_500
CODE = ("services", "shared", "onelead", "tests", "bench")
PRODUCT = ("services", "shared", "onelead")
COUNTED_APART = (
    "dispatcher",
    "channels/crm",
    "channels/mail",
    "migrations",
    "channels",
    "sources",
    "notify_file",
    "inbound",
    "repository",
    "domain/accounts",
    "domain/outlook",
    "domain/plan",
    "domain/crm",
    "domain",
)
ROOMS = ("__main__", "app", "subscribers", "handlers", "repository", "tables", "settings", "domain")
CLOCK = Path("shared", "clock.py")

_DOMAIN_MAY_IMPORT = {
    *("abc", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum"),
    *("fractions", "functools", "hashlib", "heapq", "itertools", "math", "numbers", "operator"),
    *(
        "re",
        "statistics",
        "string",
        "types",
        "typing",
        "unicodedata",
        "urllib.parse",
        "uuid",
        "zlib",
    ),
    *("pydantic", "rapidfuzz", "numpy", "shared.events", "shared.rules"),
}
_MOCKS = frozenset(("unittest.mock", "mock", "pytest_mock"))
_TIME_READERS = {
    *("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"),
    *("process_time", "localtime", "gmtime", "ctime"),
}
_CLOCK_METHODS = frozenset(("now", "utcnow", "today"))


def python_files(root: Path, *folders: str) -> Iterator[Path]:
    """Every Python file below the folders, in order."""
    for folder in folders or CODE:
        yield from sorted((root / folder).rglob("*.py"))


def oversized(root: Path) -> list[str]:
    """Files and functions that are longer than a reader should have to hold in the head."""
    found = []
    for path in python_files(root):
        limit = MAX_TEST_FILE_LINES if path.is_relative_to(root / "tests") else MAX_FILE_LINES
        if (lines := _lines(path)) > limit:
            found.append(f"{path.relative_to(root)}: {lines} lines, at most {limit}")
        for node in ast.walk(_parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > MAX_FUNCTION_LINES:
                    place = f"{path.relative_to(root)}:{node.lineno} {node.name}"
                    found.append(f"{place}: {length} lines, at most {MAX_FUNCTION_LINES}")
    return found


def oversized_services(root: Path) -> list[str]:
    """Services that have outgrown their size: what is counted apart, and the rest of them."""
    found = []
    for service in services(root):
        sizes = dict.fromkeys((*COUNTED_APART, "the rest"), 0)
        for path in service.rglob("*.py"):
            room = path.relative_to(service).parent.as_posix()
            parts = (part for part in COUNTED_APART if f"{room}/".startswith(f"{part}/"))
            sizes[next(parts, "the rest")] += _lines(path)
        found += [
            f"{service.name}, {part}: {lines} lines, at most {MAX_PART_LINES}"
            for part, lines in sizes.items()
            if part != "migrations" and lines > MAX_PART_LINES
        ]
    return found


def missing_rooms(root: Path) -> list[str]:
    """Rooms that every service has and one of them lacks."""
    found = []
    for service in services(root):
        for room in ROOMS:
            if not (service / f"{room}.py").exists() and not (service / room).is_dir():
                found.append(f"{service.name} has no {room}")
        if not list((service / "migrations" / "versions").glob("*.py")):
            found.append(f"{service.name} has no migrations")
    return found


def mocks(root: Path) -> list[str]:
    """Places that use mocks instead of fakes."""
    found = []
    for path in python_files(root):
        for name, line in _imports(_parsed(path)):
            if any(name == mock or name.startswith(f"{mock}.") for mock in _MOCKS):
                found.append(f"{path.relative_to(root)}:{line} imports {name}")
    return found


def clock_readers(root: Path) -> list[str]:
    """Places in the product that read the time themselves; only shared/clock.py may."""
    found = []
    for path in python_files(root, *PRODUCT):
        if path.relative_to(root) != CLOCK:
            tree = _parsed(path)
            lines = [*_clock_imports(tree), *_clock_calls(tree)]
            found += [f"{path.relative_to(root)}:{line} reads the time" for line in sorted(lines)]
    return found


def impure_domains(root: Path) -> list[str]:
    """Imports in a domain of anything but values and pure functions."""
    found = []
    for service in services(root):
        allowed = _DOMAIN_MAY_IMPORT | {f"services.{service.name}.domain"}
        for path in sorted((service / "domain").rglob("*.py")):
            for name, line in _imports(_parsed(path)):
                if not any(name == a or name.startswith(f"{a}.") for a in allowed):
                    found.append(f"{path.relative_to(root)}:{line} imports {name}")
    return found


def undocumented_modules(root: Path) -> list[str]:
    """Modules of the product that do not say what they do, or take more than three lines for it."""
    found = []
    for path in python_files(root, *PRODUCT):
        if "versions" in path.parts or not path.read_text().strip():
            continue
        summary = (ast.get_docstring(_parsed(path)) or "").split("\n\n")[0]
        if not 1 <= len(summary.splitlines()) <= 3:
            found.append(f"{path.relative_to(root)}: says what it does in one to three lines?")
    return found


def subscriptions(root: Path, service: str) -> set[str]:
    """The names of the topics that a service subscribes to, as `base.consume(NAME, …)` writes them."""
    tree = _parsed(root / "services" / service / "subscribers.py")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        call.args[0].id
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "consume"
        and call.args
        and isinstance(call.args[0], ast.Name)
    }


def services(root: Path) -> list[Path]:
    """The folder of each service."""
    return sorted(p for p in (root / "services").iterdir() if (p / "__init__.py").exists())


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def _imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Imported names with their lines; `from a import b` counts as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def _clock_imports(tree: ast.Module) -> Iterator[int]:
    for name, line in _imports(tree):
        module, _, member = name.rpartition(".")
        if module == "time" and member in _TIME_READERS:
            yield line


def _clock_calls(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = ast.unparse(node.func.value).rpartition(".")[2]
            of_time = owner == "time" and node.func.attr in _TIME_READERS
            of_dates = owner in {"datetime", "date"} and node.func.attr in _CLOCK_METHODS
            of_loop = owner in {"loop", "get_running_loop()"} and node.func.attr == "time"
            if of_time or of_dates or of_loop:
                yield node.lineno
