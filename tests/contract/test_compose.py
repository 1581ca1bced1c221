"""docker-compose.yml fits the settings, the topic map's services and the files it mounts."""

import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from onelead.edition.jars import KAFKA_VERSION
from services.notifier.settings import NotifierSettings
from shared.settings import ServiceSettings
from tests.support.compose import (
    ROOT,
    SERVICE_SETTINGS,
    read_compose,
    settings_of,
    wrong_settings,
)

COMPOSE = read_compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
every_service = pytest.mark.parametrize("name", SERVICE_SETTINGS)
ours = pytest.mark.parametrize("name", [*SERVICE_SETTINGS, "migrate"])


def test_every_variable_is_a_setting_and_every_required_setting_is_set() -> None:
    assert wrong_settings(COMPOSE) == []


def test_a_misspelt_variable_and_a_missing_setting_are_found() -> None:
    compose = read_compose()
    environment = compose["services"]["scoring"]["environment"]
    environment["ONELEAD_KAFKA_BOOTSTRAPS"] = environment.pop("ONELEAD_KAFKA_BOOTSTRAP")
    assert wrong_settings(compose) == [
        "scoring: ONELEAD_KAFKA_BOOTSTRAPS is no setting",
        "scoring: ONELEAD_KAFKA_BOOTSTRAP is not set",
    ]


@every_service
def test_a_service_accepts_the_settings_it_is_given(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "database_services_password"
    secret.write_text("s3cret\n")
    for variable in [v for v in os.environ if v.startswith("ONELEAD_")]:
        monkeypatch.delenv(variable)
    for variable, value in settings_of(SERVICES[name]).items():
        if value is not None:
            monkeypatch.setenv(variable, value.replace("/run/secrets", str(tmp_path)))
    settings = SERVICE_SETTINGS[name]()
    assert settings.url().render_as_string(hide_password=False) == (
        f"postgresql+asyncpg://onelead_{name}:s3cret@postgres:5432/onelead"
    )
    assert settings.ops_host == "0.0.0.0"  # noqa: S104 - inside its container


@every_service
def test_a_service_runs_its_own_module_after_the_migration(name: str) -> None:
    service = SERVICES[name]
    assert service["command"] == ["python", "-m", f"services.{name}"]
    assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


@every_service
def test_a_service_has_longer_to_stop_than_it_may_take(name: str) -> None:
    stop_s = float(SERVICE_SETTINGS[name].model_fields["stop_timeout_s"].default)
    assert int(SERVICES[name]["stop_grace_period"].rstrip("s")) > 2 * stop_s


def test_the_migration_waits_for_kafka_and_postgres() -> None:
    assert SERVICES["migrate"]["depends_on"] == {
        "kafka": {"condition": "service_healthy"},
        "postgres": {"condition": "service_healthy"},
    }
    assert all("healthcheck" in SERVICES[name] for name in ("kafka", "postgres"))


def test_everything_about_sinks_can_be_set_from_outside() -> None:
    own = set(NotifierSettings.model_fields) - set(ServiceSettings.model_fields)
    of_secrets = {name for name in own if name.endswith("_file")} - {"notify_file"}
    wanted = {f"ONELEAD_{name.upper()}" for name in own - of_secrets}
    passed_through = {n for n, value in settings_of(SERVICES["notifier"]).items() if value is None}
    assert passed_through == wanted | {"ONELEAD_AS_OF"}


def test_the_day_reaches_every_service() -> None:
    assert all("ONELEAD_AS_OF" in settings_of(SERVICES[name]) for name in SERVICE_SETTINGS)


@ours
def test_one_image_runs_without_rights_on_a_file_system_it_cannot_write(name: str) -> None:
    service = SERVICES[name]
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert service["image"] == f"onelead:{version}"
    assert service["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile"}
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_no_password_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|WEBHOOK|_URL$", variable) and value is not None:
                by_file = str(value).startswith("/run/secrets/")
                without = re.fullmatch(
                    r"postgresql\+asyncpg://onelead_\w+@postgres:5432/\w+", value
                )
                assert by_file or without, f"{name}: {variable}"


def test_only_this_machine_reaches_the_published_ports() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_kafka_creates_no_topics_by_itself_and_is_the_version_of_the_one_machine_edition() -> None:
    assert SERVICES["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (ROOT / source).is_dir(), source


def test_each_secret_is_declared_and_made_by_the_script(tmp_path: Path) -> None:
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
    assert used == set(COMPOSE["secrets"])
    made = make_secrets(tmp_path)
    assert {f"./deploy/secrets/{p.name}" for p in made} == {
        secret["file"] for secret in COMPOSE["secrets"].values()
    }


def test_secrets_are_random_made_once_and_kept_from_others(tmp_path: Path) -> None:
    first = {path.name: path.read_text() for path in make_secrets(tmp_path)}
    assert all(re.fullmatch("[0-9a-f]{48}", text) for text in first.values())
    assert len(set(first.values())) == len(first)
    assert {path.name: path.read_text() for path in make_secrets(tmp_path)} == first
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def make_secrets(folder: Path) -> list[Path]:
    script = shutil.copy(ROOT / "deploy/make-secrets.sh", folder)
    subprocess.run([script], check=True, capture_output=True)
    return sorted((folder / "secrets").iterdir())


def test_the_image_takes_locked_wheels_and_runs_as_nobody_special() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "--only-binary=:all:" in DOCKERFILE
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", DOCKERFILE, re.MULTILINE)
    assert "apt-get" not in DOCKERFILE
    lock = (ROOT / "requirements/runtime.txt").read_text()
    python = re.search(r"^ARG PYTHON=python:(\d+\.\d+)-slim", DOCKERFILE, re.MULTILINE)
    assert python
    assert f"--python-version {python.group(1)}" in lock


def test_what_the_image_copies_is_there_and_sent_to_the_builder() -> None:
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    sources = re.findall(r"^COPY ([^-\s]\S*) ", DOCKERFILE, re.MULTILINE)
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(Path(source).is_relative_to(each) for each in allowed), source


@every_service
def test_prometheus_scrapes_every_service_where_it_answers(name: str) -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    (found,) = config["scrape_configs"][0]["dns_sd_configs"]
    assert set(found["names"]) == set(SERVICE_SETTINGS)
    assert str(found["port"]) == settings_of(SERVICES[name])["ONELEAD_OPS_PORT"]


@pytest.mark.parametrize(("status", "ends_with"), [(200, 0), (503, 1)])
def test_the_healthcheck_asks_the_service_and_tells_what_it_says(
    status: int, ends_with: int
) -> None:
    with answering(status) as port:
        result = healthcheck(port)
    assert result.returncode == ends_with
    assert '{"ready": "maybe"}' in result.stdout + result.stderr


def test_the_healthcheck_fails_when_nothing_answers() -> None:
    result = healthcheck(9)
    assert result.returncode == 1
    assert "http://127.0.0.1:9/readyz" in result.stderr
    assert "Traceback" not in result.stderr


def healthcheck(port: int) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return subprocess.run(
        [ROOT / "deploy/bin/onelead-healthcheck"],
        env={"PATH": path, "ONELEAD_OPS_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers /readyz, and nothing else, with a status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()
            self.wfile.write(b'{"ready": "maybe"}')

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
