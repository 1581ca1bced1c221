"""docker-compose.yml as data, and the settings class that each of its services is started with."""

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from onelead.settings import EditionSettings
from services.ingest.settings import IngestSettings
from services.lifecycle.settings import LifecycleSettings
from services.notifier.settings import NotifierSettings
from services.recommender.settings import RecommenderSettings
from services.scoring.settings import ScoringSettings
from shared.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
SERVICE_SETTINGS: dict[str, type[ServiceSettings]] = {
    "ingest": IngestSettings,
    "scoring": ScoringSettings,
    "recommender": RecommenderSettings,
    "notifier": NotifierSettings,
    "lifecycle": LifecycleSettings,
}
SETTINGS: dict[str, type[BaseSettings]] = {**SERVICE_SETTINGS, "migrate": EditionSettings}
_PREFIX = "ONELEAD_"
_WITH_DEFAULT = re.compile(r"\$\{(\w+):-([^}]*)\}")


def read_compose() -> dict[str, Any]:
    """The file with its anchors merged and its defaults filled in."""
    text = _WITH_DEFAULT.sub(lambda match: match.group(2), COMPOSE_FILE.read_text())
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def settings_of(service: dict[str, Any]) -> dict[str, str | None]:
    """A service's ONELEAD_… variables; None is passed through from whoever starts it."""
    return {
        name: None if value is None else str(value)
        for name, value in service.get("environment", {}).items()
        if name.startswith(_PREFIX)
    }


def wrong_settings(compose: dict[str, Any]) -> list[str]:
    """Variables that no settings class has, and required fields that nothing sets."""
    found = []
    for name, kind in SETTINGS.items():
        given = settings_of(compose["services"][name])
        fields = {f"{_PREFIX}{field.upper()}": f for field, f in kind.model_fields.items()}
        found += [f"{name}: {v} is no setting" for v in sorted(given) if v not in fields]
        found += [
            f"{name}: {variable} is not set"
            for variable, field in fields.items()
            if field.is_required() and given.get(variable) is None
        ]
    return found
