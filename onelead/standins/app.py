"""Puts the stand-ins together and runs them: one HTTP server, one SMTP server, one event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from aiosmtpd.smtp import SMTP
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from onelead.standins.archive import Archive
from onelead.standins.faults import Faults
from onelead.standins.mail import MailReceiver
from onelead.standins.page import Page
from onelead.standins.salesforce import SalesforceOrg
from onelead.standins.settings import StandinSettings
from onelead.standins.slack import SlackReceiver
from shared.errors import UserError

_ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True)
class Addresses:
    """Where the running stand-ins are, ready to be set as the notifier's settings."""

    page_url: str
    slack_webhook_url: str
    mail_host: str
    mail_port: int
    salesforce_url: str
    salesforce_client_id: str
    salesforce_client_secret: str


class _Server(uvicorn.Server):
    """Uvicorn that says when it is up and leaves signals to the process it runs in."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, then says so."""
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures nothing."""
        yield


@asynccontextmanager
async def running(settings: StandinSettings) -> AsyncIterator[Addresses]:
    """Runs all stand-ins for the length of a block. Raises UserError when a port is in use."""
    archive, faults = Archive(settings.kept_messages), Faults()
    web = _bind(settings.host, settings.http_port, "ONELEAD_STANDINS_HTTP_PORT")
    post = _bind(settings.host, settings.smtp_port, "ONELEAD_STANDINS_SMTP_PORT")
    receiver = MailReceiver(archive, faults)
    mail = await asyncio.get_running_loop().create_server(
        lambda: SMTP(
            receiver,
            data_size_limit=settings.mail_max_bytes,
            hostname="mail.standin",
            ident="OneLead stand-in",
            enable_SMTPUTF8=True,
        ),
        sock=post,
    )
    app = web_app(settings, archive, faults)
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            headers=[("x-content-type-options", "nosniff")],
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    faults.server = server
    serving = asyncio.create_task(server.serve(sockets=[web]))
    try:
        await server.up.wait()
        yield _addresses(settings, web, post)
    finally:
        server.should_exit = True
        mail.close()
        await serving


def web_app(settings: StandinSettings, archive: Archive, faults: Faults) -> Starlette:
    """The HTTP side of the stand-ins."""
    slack = SlackReceiver(settings, archive, faults)
    org = SalesforceOrg(settings, archive, faults)
    page = Page(archive, faults, org)
    data = "/services/data/{version:str}"
    webhook = "/slack/services/{team:str}/{webhook:str}/{secret:str}"
    record = f"{data}/sobjects/Opportunity/OneLead_ID__c/{{external_id:path}}"
    return Starlette(
        routes=[
            Route("/", page.index),
            Route("/leads/{lead_id:str}", page.lead),
            Route("/messages/{number:int}/html", page.mail_html),
            Route("/api/summary", page.summary),
            Route("/api/messages", page.messages),
            Route("/api/faults", page.faults, methods=["POST", "DELETE"]),
            Route("/api/salesforce/accounts", page.accounts, methods=["POST"]),
            Route(webhook, slack.receive, methods=["POST"]),
            Route("/services/oauth2/token", org.token, methods=["POST"]),
            Route(f"{data}/query", org.query),
            Route(record, org.opportunity, methods=["PATCH", "DELETE", "POST", "PUT"]),
            Mount("/assets", StaticFiles(directory=_ASSETS)),
        ],
    )


def _bind(host: str, port: int, setting: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UserError(
            f"{setting}: cannot listen on {host}:{port} ({error.strerror})",
            hint="choose another port, or 0 for a free one",
        ) from None
    return listener


def _addresses(settings: StandinSettings, web: socket.socket, post: socket.socket) -> Addresses:
    base = f"http://{settings.host}:{web.getsockname()[1]}"
    return Addresses(
        page_url=base,
        slack_webhook_url=f"{base}/slack/services/{settings.slack_webhook}",
        mail_host=settings.host,
        mail_port=post.getsockname()[1],
        salesforce_url=base,
        salesforce_client_id=settings.salesforce_client_id,
        salesforce_client_secret=settings.salesforce_client_secret,
    )
