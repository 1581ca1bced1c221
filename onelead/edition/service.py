"""One service (or the stand-ins) as a process of its own, started by its production entry point."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import orjson

from onelead.edition import ports
from onelead.edition.folder import DataFolder
from onelead.edition.process import POLL_S, Child, ChildSpec
from onelead.standins.settings import StandinSettings
from shared import clock
from shared.errors import UserError
from shared.setting_names import SETTING_NAMES
from shared.settings import load_settings

SERVICES = ("ingest", "scoring", "recommender", "notifier", "lifecycle")
ROOT = Path(__file__).resolve().parents[2]
_INSTANCE = "one-machine"
_OF_SINKS = tuple(
    f"ONELEAD_{of}"
    for of in ("NOTIFY_FILE", "SLACK_", "TEAMS_", "WEBHOOK_", "MAIL_", "SALESFORCE_", "INBOUND_")
)
_READY_TIMEOUT_S = 2.0


class PythonProcess:
    """A module of ours run with `python -m`; ready when its health address answers 200."""

    def __init__(self, name: str, module: str, env: Mapping[str, str], folder: DataFolder) -> None:
        self.name = name
        self.child: Child | None = None
        self.ready_file = folder.run / f"{name}.ready"
        self._module = module
        self._folder = folder
        self._env = env

    def health_url(self) -> str | None:
        """Where to ask whether it is ready, once it has written its ready file."""
        raise NotImplementedError

    async def start(self, timeout_s: float) -> Child:
        """Starts the process and waits until it is ready."""
        self.ready_file.unlink(missing_ok=True)
        self.child = child = Child(
            ChildSpec(
                name=self.name,
                argv=[sys.executable, "-m", self._module],
                env=self._env,
                log_path=self._folder.logs / f"{self.name}.log",
                cwd=ROOT,
            )
        )
        self._folder.remember(self.name, child)
        await self._until_ready(child, timeout_s)
        return child

    async def stop(self, timeout_s: float) -> None:
        """SIGTERM, then SIGKILL for it and its group."""
        if self.child is not None:
            await self.child.stop(timeout_s)

    async def _until_ready(self, child: Child, timeout_s: float) -> None:
        deadline_s = clock.monotonic_s() + timeout_s
        problem = ""
        async with httpx.AsyncClient(timeout=_READY_TIMEOUT_S) as client:
            while clock.monotonic_s() < deadline_s:
                if child.exit_code is not None:
                    raise self._failure(f"ended with exit code {child.exit_code} while starting")
                answer = await self._ask(client)
                if answer is not None and answer.status_code == httpx.codes.OK:
                    return
                problem = answer.text if answer is not None else "no answer"
                await asyncio.sleep(POLL_S)
        raise self._failure(f"is not ready after {timeout_s:.0f} s ({problem[:300]})")

    async def _ask(self, client: httpx.AsyncClient) -> httpx.Response | None:
        if (url := self.health_url()) is None:
            return None
        try:
            return await client.get(url)
        except httpx.HTTPError:
            return None

    def _failure(self, what: str) -> UserError:
        log = self._folder.logs / f"{self.name}.log"
        ending = self.child.log_tail() if self.child else ""
        return UserError(
            f"{self.name} {what}:\n{ending}", hint=f"the whole log is {log}", exit_code=1
        )


class ServiceProcess(PythonProcess):
    """One service; it writes the port it answers health and metrics on into its ready file."""

    def __init__(self, name: str, env: Mapping[str, str], folder: DataFolder) -> None:
        super().__init__(name, f"services.{name}", env, folder)
        self._env = {**env, "ONELEAD_OPS_PORT_FILE": str(self.ready_file)}

    @property
    def port(self) -> int | None:
        """Where it answers HTTP, once it has said so."""
        try:
            return int(self.ready_file.read_text())
        except (OSError, ValueError):
            return None

    def health_url(self) -> str | None:
        """Its readiness page."""
        return f"http://{ports.HOST}:{self.port}/readyz" if self.port else None


class StandinsProcess(PythonProcess):
    """The demo's stand-ins for Slack, a mail server and a CRM; they write their addresses as JSON."""

    def __init__(self, folder: DataFolder) -> None:
        super().__init__("stand-ins", "onelead.standins", {}, folder)
        wanted = load_settings(StandinSettings)
        self._env = our_environment(
            ONELEAD_STANDINS_READY_FILE=self.ready_file,
            # Chosen here: started again, they must be where the notifier knows them.
            ONELEAD_STANDINS_HTTP_PORT=wanted.http_port or ports.claim(0, ""),
            ONELEAD_STANDINS_SMTP_PORT=wanted.smtp_port or ports.claim(0, ""),
        )

    @property
    def addresses(self) -> dict[str, Any]:
        """Where they answer; empty until they have said so."""
        try:
            found: dict[str, Any] = orjson.loads(self.ready_file.read_bytes())
        except (OSError, ValueError):
            return {}
        return found

    def health_url(self) -> str | None:
        """Any of its pages."""
        url = self.addresses.get("page_url")
        return f"{url}/api/summary" if url else None

    def notifier_settings(self) -> dict[str, str]:
        """The notifier's settings that lead every alert here."""
        at = self.addresses
        return {
            # Nothing of what stands in our environment: an alert of the demo must not get out.
            **{name: "" for name in SETTING_NAMES if name.startswith(_OF_SINKS)},
            "ONELEAD_SLACK_WEBHOOK_URL": at["slack_webhook_url"],
            "ONELEAD_MAIL_HOST": at["mail_host"],
            "ONELEAD_MAIL_PORT": str(at["mail_port"]),
            "ONELEAD_MAIL_SECURITY": "none",
            "ONELEAD_MAIL_FROM": "onelead@example.com",
            "ONELEAD_MAIL_TO": "sales@example.com",
            "ONELEAD_SALESFORCE_URL": at["salesforce_url"],
            "ONELEAD_SALESFORCE_CLIENT_ID": at["salesforce_client_id"],
            "ONELEAD_SALESFORCE_CLIENT_SECRET": at["salesforce_client_secret"],
            "ONELEAD_CRM_POLL_S": "5",
            "ONELEAD_CONSOLE_URL": at["page_url"],
            "ONELEAD_OUTBOUND_TRUSTED": str(at["mail_host"]),
        }


def our_environment(**settings: object) -> dict[str, str]:
    """The environment for a Python child: ours, its settings (None: not set), and where the code is."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"}
    # A path is meant from where we stand, and the child stands elsewhere.
    paths = {n: v for n, v in env.items() if v and n in SETTING_NAMES and n.endswith("_FILE")}
    env |= {name: str(Path(path).resolve()) for name, path in paths.items()}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    env |= {name: str(value) for name, value in settings.items() if value is not None}
    return env


def service_environment(
    name: str, *, bootstrap: str, owner_url: str, ops_port: int, log_level: str
) -> dict[str, str]:
    """The settings of one service: the addresses, its own database role, its port."""
    return our_environment(
        ONELEAD_KAFKA_BOOTSTRAP=bootstrap,
        ONELEAD_DATABASE_URL=with_role(owner_url, f"onelead_{name}"),
        ONELEAD_OPS_PORT=ops_port,
        ONELEAD_LOG_LEVEL=log_level,
        # A static member of its groups: killed and started again it goes on at once.
        ONELEAD_INSTANCE_ID=_INSTANCE,
        # Twice in a row at most (consumers, then relay): inside what the supervisor grants.
        ONELEAD_STOP_TIMEOUT_S=2,
    )


def with_role(database_url: str, role: str) -> str:
    """A database address with another user and without a password."""
    parts = urlsplit(database_url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}@{host}"))
