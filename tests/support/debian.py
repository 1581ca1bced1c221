"""Tools from Debian's packages, fetched when they are missing; where that fails, says what to install."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from onelead.settings import EditionSettings

_TIMEOUT_S = 240


def docker_compose() -> str:
    """The path of docker-compose, installed when it is missing."""
    return _installed("docker-compose")


def chromium() -> str:
    """The path of Chromium, installed when it is missing."""
    return _installed("chromium")


def promtool() -> str:
    """The path of promtool; taken out of its package, because installing that starts a server."""
    kept = EditionSettings().cache_dir / "promtool"
    found = shutil.which("promtool") or (str(kept) if kept.exists() else None)
    if found:
        return found
    _run(["apt-get", "update"], "prometheus")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(["apt-get", "download", "prometheus"], "prometheus", folder)
        (package,) = folder.glob("prometheus_*.deb")
        _run(["dpkg-deb", "-x", str(package), str(folder)], "prometheus")
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "usr/bin/promtool", kept)
    return str(kept)


def _installed(package: str) -> str:
    """The path of a program that has its package's name."""
    found = shutil.which(package)
    if found is None:
        _run(["apt-get", "update"], package)
        _run(["apt-get", "install", "--yes", "--no-install-recommends", package], package)
        found = shutil.which(package)
    return found or _tell(package, "it was installed and is not on the PATH")


def _run(command: Sequence[str], package: str, folder: Path | None = None) -> None:
    try:
        subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S
        )
    except subprocess.CalledProcessError as error:
        _tell(package, error.stderr.strip()[-500:])
    except (OSError, subprocess.TimeoutExpired) as error:
        _tell(package, str(error))


def _tell(package: str, why: str) -> str:
    pytest.fail(f"this test needs Debian's package {package}: apt-get install {package}\n{why}")


def postgres_binaries() -> str:
    """The folder of a PostgreSQL server's programs, the newest that is installed."""
    if not (found := _postgres_servers()):
        _run(["apt-get", "update"], "postgresql")
        _run(["apt-get", "install", "--yes", "--no-install-recommends", "postgresql"], "postgresql")
        found = _postgres_servers()
    return str(found[-1]) if found else _tell("postgresql", "it was installed and is not there")


def _postgres_servers() -> list[Path]:
    return sorted(path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres"))
