"""The import contracts of .importlinter: each bites on a made-up house with the same rooms."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from onelead.edition.service import SERVICES

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "subscribers", "handlers", "repository", "tables", "domain")
SHARED = ("clock", "db", "errors", "events", "messaging", "ops", "rules", "settings", "topics")


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """A house with all the rooms that the contracts name, and nothing in them."""
    names = [f"services/{service}/{room}" for service in SERVICES for room in ROOMS]
    names += [f"shared/{part}" for part in SHARED]
    for name in ["services", "shared", "onelead", *names]:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        (folder / "__init__.py").touch()
    shutil.copy(ROOT / ".importlinter", tmp_path)
    return tmp_path


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    environment = {**os.environ, "PYTHONPATH": str(house), "COLUMNS": "200"}
    arguments = [sys.executable, "-c", command, "--no-cache", "--no-logo"]
    return subprocess.run(
        arguments, cwd=house, env=environment, capture_output=True, text=True, check=False
    )


def test_an_empty_house_keeps_every_contract(made_up: Path) -> None:
    result = lint(made_up)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("importer", "line", "contract"),
    [
        ("services.scoring.handlers", "import services.ingest.domain", "independent of each other"),
        ("shared.db", "import services.ingest.domain", "Only onelead may know several services"),
        ("services.ingest.app", "import onelead", "Only onelead may know several services"),
        ("services.ingest.repository", "import services.ingest.handlers", "app > subscribers"),
        ("services.ingest.domain", "import services.ingest.tables", "app > subscribers"),
        ("services.notifier.handlers", "import services.notifier.subscribers", "app > subscribers"),
        ("services.scoring.domain", "import sqlalchemy", "free of frameworks"),
        ("services.scoring.domain", "import shared.clock", "free of frameworks"),
        ("shared.events", "import httpx", "free of frameworks"),
        ("shared.events", "import shared.topics", "Events import nothing"),
    ],
)
def test_a_forbidden_import_is_caught(
    made_up: Path, importer: str, line: str, contract: str
) -> None:
    (made_up / importer.replace(".", "/") / "__init__.py").write_text(line + "\n")
    result = lint(made_up)
    assert result.returncode != 0
    broken = [text for text in result.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(contract in text for text in broken), result.stdout
