"""Our tree keeps the rules of the house, and a tree that breaks one is caught."""

from pathlib import Path

import pytest

from tests.architecture import house

ROOT = Path(__file__).resolve().parents[2]
_LONG_FUNCTION = "def f() -> None:\n" + "    x = 1\n" * house.MAX_FUNCTION_LINES


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A made-up tree with one service that keeps every rule."""
    for folder in ("shared", "onelead", "tests", "bench"):
        write(tmp_path, f"{folder}/__init__.py", '"""A part."""\n')
    for room in ("__init__", *house.ROOMS):
        write(tmp_path, f"services/mail/{room}.py", '"""A room."""\n')
    (tmp_path / "services/mail/domain.py").unlink()
    write(tmp_path, "services/mail/domain/__init__.py", '"""Pure."""\n')
    write(tmp_path, "services/mail/migrations/versions/0001_first.py", "")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def everything_found(root: Path) -> list[str]:
    return [
        *house.oversized(root),
        *house.oversized_services(root),
        *house.missing_rooms(root),
        *house.mocks(root),
        *house.clock_readers(root),
        *house.impure_domains(root),
        *house.undocumented_modules(root),
    ]


def test_files_and_functions_stay_short() -> None:
    assert house.oversized(ROOT) == []


def test_services_stay_small() -> None:
    assert house.oversized_services(ROOT) == []


def test_every_service_has_the_same_rooms() -> None:
    assert house.missing_rooms(ROOT) == []


def test_nobody_uses_mocks() -> None:
    assert house.mocks(ROOT) == []


def test_only_the_clock_reads_the_time() -> None:
    assert house.clock_readers(ROOT) == []


def test_domains_import_only_values_and_pure_functions() -> None:
    assert house.impure_domains(ROOT) == []


def test_every_module_says_what_it_does() -> None:
    assert house.undocumented_modules(ROOT) == []


def test_a_tree_that_keeps_the_rules_passes(tree: Path) -> None:
    assert everything_found(tree) == []


def test_a_long_file_is_caught(tree: Path) -> None:
    write(tree, "shared/long.py", '"""Long."""\n' + "x = 1\n" * house.MAX_FILE_LINES)
    assert house.oversized(tree) == ["shared/long.py: 251 lines, at most 250"]


def test_a_test_file_may_be_longer_but_not_endless(tree: Path) -> None:
    write(tree, "tests/test_a.py", "x = 1\n" * house.MAX_TEST_FILE_LINES)
    assert house.oversized(tree) == []
    write(tree, "tests/test_a.py", "x = 1\n" * (house.MAX_TEST_FILE_LINES + 1))
    assert house.oversized(tree) == ["tests/test_a.py: 401 lines, at most 400"]


@pytest.mark.parametrize("prefix", ["", "async "])
def test_a_long_function_is_caught_wherever_it_is(tree: Path, prefix: str) -> None:
    write(tree, "onelead/a.py", '"""A."""\n' + prefix + _LONG_FUNCTION)
    assert house.oversized(tree) == ["onelead/a.py:2 f: 41 lines, at most 40"]


@pytest.mark.parametrize("part", [p for p in house.COUNTED_APART if p != "migrations"])
def test_a_part_of_a_service_that_has_outgrown_its_size_is_caught(tree: Path, part: str) -> None:
    for number in range(8):
        write(tree, f"services/mail/{part}/m{number}.py", "x = 1\n" * 200)
    assert len(house.oversized_services(tree)) == 1
    assert house.oversized_services(tree)[0].startswith(f"mail, {part}: 160")


def test_migrations_may_grow_for_ever_the_rest_of_a_service_may_not(tree: Path) -> None:
    for number in range(8):
        write(tree, f"services/mail/migrations/versions/{number}.py", "x = 1\n" * 200)
    assert house.oversized_services(tree) == []
    for number in range(8):
        write(tree, f"services/mail/m{number}.py", "x = 1\n" * 200)
    assert house.oversized_services(tree)[0].startswith("mail, the rest: 160")


@pytest.mark.parametrize("room", house.ROOMS)
def test_a_missing_room_is_caught(tree: Path, room: str) -> None:
    path = tree / "services/mail" / room
    if path.is_dir():
        (path / "__init__.py").unlink()
        path.rmdir()
    else:
        path.with_suffix(".py").unlink()
    assert house.missing_rooms(tree) == [f"mail has no {room}"]


def test_a_service_without_migrations_is_caught(tree: Path) -> None:
    (tree / "services/mail/migrations/versions/0001_first.py").unlink()
    assert house.missing_rooms(tree) == ["mail has no migrations"]


@pytest.mark.parametrize(
    "line",
    [
        "import unittest.mock",
        "from unittest import mock",
        "from unittest.mock import patch",
        "import mock",
        "from pytest_mock import MockerFixture",
    ],
)
def test_a_mock_is_caught(tree: Path, line: str) -> None:
    write(tree, "tests/test_a.py", line + "\n")
    assert len(house.mocks(tree)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "time.time()",
        "time.monotonic_ns()",
        "asyncio.get_running_loop().time()",
        "loop.time()",
        "from time import perf_counter",
    ],
)
def test_reading_the_time_is_caught(tree: Path, line: str) -> None:
    write(tree, "services/mail/handlers.py", f'"""H."""\n{line}\n')
    assert house.clock_readers(tree) == ["services/mail/handlers.py:2 reads the time"]


def test_the_clock_itself_and_sleeping_are_no_offence(tree: Path) -> None:
    write(tree, "shared/clock.py", '"""C."""\nimport time\ntime.time_ns()\n')
    write(tree, "onelead/a.py", '"""A."""\nimport time\ntime.sleep(1)\n')
    assert house.clock_readers(tree) == []


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "import sqlalchemy",
        "from shared import clock",
        "from shared.db.engine import Database",
        "from services.mail.tables import leads",
        "from services.other.domain import x",
        "from urllib import request",
    ],
)
def test_an_impure_domain_is_caught(tree: Path, line: str) -> None:
    write(tree, "services/mail/domain/lead.py", f'"""L."""\n{line}\n')
    assert len(house.impure_domains(tree)) == 1


def test_a_pure_domain_is_no_offence(tree: Path) -> None:
    lines = ["import re", "from decimal import Decimal", "from shared.events import LeadFacts"]
    lines += ["from services.mail.domain.other import x", "from rapidfuzz import fuzz"]
    write(tree, "services/mail/domain/lead.py", '"""L."""\n' + "\n".join(lines) + "\n")
    assert house.impure_domains(tree) == []


@pytest.mark.parametrize("text", ["x = 1\n", '"""One\ntwo\nthree\nfour."""\n'])
def test_a_module_that_does_not_say_what_it_does_is_caught(tree: Path, text: str) -> None:
    write(tree, "onelead/a.py", text)
    assert len(house.undocumented_modules(tree)) == 1
