"""The files in deploy/ are read by the programs they are for: docker-compose and promtool."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.test_monitoring import DASHBOARDS, expressions
from tests.support.compose import COMPOSE_FILE, ROOT, SETTINGS, settings_of, wrong_settings
from tests.support.debian import docker_compose, promtool

pytestmark = pytest.mark.slow
PROMETHEUS = ROOT / "deploy/prometheus"
VARIABLES = {"$__rate_interval": "1m", "$service": ".*"}


def output_of(command: Sequence[str | Path], folder: Path = ROOT, **environment: str) -> str:
    """What a command prints; the test fails with its complaint when it fails."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith("ONELEAD_")}
    result = subprocess.run(
        command, cwd=folder, env=plain | environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as docker-compose understands it, without any setting from outside."""
    found: dict[str, Any] = yaml.safe_load(
        output_of([docker_compose(), "-f", str(COMPOSE_FILE), "config"])
    )
    return found


def test_docker_compose_reads_the_file_and_every_setting_fits_its_class(
    compose: dict[str, Any],
) -> None:
    assert set(compose["services"]) > set(SETTINGS)
    assert wrong_settings(compose) == []


def test_settings_reach_the_services_from_outside(compose: dict[str, Any]) -> None:
    command = [docker_compose(), "-f", str(COMPOSE_FILE), "config"]
    webhook = "https://hooks.slack.com/services/T1/B1/x"
    told = yaml.safe_load(
        output_of(command, ONELEAD_LOG_LEVEL="DEBUG", ONELEAD_SLACK_WEBHOOK_URL=webhook)
    )
    notifier = settings_of(told["services"]["notifier"])
    assert notifier["ONELEAD_LOG_LEVEL"] == "DEBUG"
    assert notifier["ONELEAD_SLACK_WEBHOOK_URL"] == webhook
    assert settings_of(compose["services"]["notifier"])["ONELEAD_SLACK_WEBHOOK_URL"] is None


def test_prometheus_accepts_its_configuration_and_the_alerts() -> None:
    told = output_of([promtool(), "check", "config", PROMETHEUS / "prometheus.yml"])
    assert "SUCCESS" in told


def test_every_alert_fires_when_it_must_and_only_then() -> None:
    told = output_of([promtool(), "test", "rules", "alerts_test.yml"], PROMETHEUS)
    assert "SUCCESS" in told


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_every_expression_of_a_dashboard_is_promql(path: Path, tmp_path: Path) -> None:
    asked = [e for e in expressions(json.loads(path.read_text())) if "label_values(" not in e]
    for variable, value in VARIABLES.items():
        asked = [expression.replace(variable, value) for expression in asked]
    rules = [{"record": f"panel:{i}", "expr": text} for i, text in enumerate(asked)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(asked)} rules found" in output_of([promtool(), "check", "rules", file])
