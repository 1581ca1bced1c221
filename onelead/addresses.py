"""Where a command finds Kafka and PostgreSQL: the settings, else the edition that runs in the data folder."""

import httpx
from sqlalchemy.engine import make_url

from onelead.edition.folder import DataFolder
from onelead.settings import EditionSettings
from shared.errors import UserError


def kafka_address(settings: EditionSettings) -> str:
    """host:port of the broker. Raises UserError when nothing says where it is."""
    return settings.kafka_bootstrap or _running(settings, "kafka_bootstrap", "KAFKA_BOOTSTRAP")


def database_address(settings: EditionSettings) -> str:
    """The database address of the owner. Raises UserError when nothing says where it is."""
    if settings.database_url is None:
        return _running(settings, "database_url", "DATABASE_URL")
    url = settings.secured(make_url(settings.database_url))
    return url.render_as_string(hide_password=False)


def database_password(settings: EditionSettings) -> str | None:
    """The password of the services' roles; None where the server asks for none."""
    secret = settings.database_password
    return secret.get_secret_value() if secret is not None else None


def ops_addresses(settings: EditionSettings) -> dict[str, str]:
    """Where the services of the running edition answer health and metrics; empty when none runs here."""
    state = DataFolder(settings.home).load_state() or {}
    return {name: f"http://127.0.0.1:{port}" for name, port in state.get("ops", {}).items() if port}


def _running(settings: EditionSettings, field: str, setting: str) -> str:
    folder = DataFolder(settings.home)
    state = folder.load_state()
    if state is None:
        raise UserError(
            f"no OneLead runs in data folder {folder.home}",
            hint=f"start it with `onelead up`, or set ONELEAD_HOME or ONELEAD_{setting}",
        )
    return str(state[field])


async def problems_of(settings: EditionSettings, service: str) -> str:
    """What a service of the running edition says is wrong with it; empty when nothing, or unknown."""
    address = ops_addresses(settings).get(service)
    if address is None:
        return ""
    try:
        async with httpx.AsyncClient(timeout=3) as client:
            answer = await client.get(f"{address}/readyz")
            found = answer.json().get("problems", {})
    except (httpx.HTTPError, ValueError):
        return "no answer"
    return "; ".join(str(problem) for problem in found.values())
