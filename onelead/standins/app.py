"""Puts the stand-ins together and runs them: one HTTP server, one SMTP server, one event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from aiosmtpd.smtp import SMTP
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from onelead.standins.archive import Archive
from onelead.standins.control import Control
from onelead.standins.faults import Faults
from onelead.standins.mail import MailReceiver
from onelead.standins.page import Page
from onelead.standins.salesforce import SalesforceOrg
from onelead.standins.settings import StandinSettings
from onelead.standins.slack import SlackReceiver
from onelead.standins.slack_api import SlackApi
from onelead.standins.teams import API_VERSION, TeamsReceiver
from onelead.standins.webhook import WebhookReceiver
from shared.errors import UserError

_ASSETS = Path(__file__).parent / "assets"
_ALL_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_INVOKE = "/triggers/manual/paths/invoke"


@dataclass(frozen=True)
class Addresses:
    """Where the running stand-ins are, ready to be set as the notifier's settings."""

    page_url: str
    slack_webhook_url: str
    slack_api_url: str
    slack_bot_token: str
    slack_conversation: str
    teams_url: str
    webhook_url: str
    webhook_secret: str
    mail_host: str
    mail_port: int
    salesforce_url: str
    salesforce_client_id: str
    salesforce_client_secret: str
    salesforce_username: str
    salesforce_private_key_file: str | None


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
    archive, faults = Archive(settings.kept_messages, settings.log_file), Faults()
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
        archive.close()


def web_app(settings: StandinSettings, archive: Archive, faults: Faults) -> Starlette:
    """The HTTP side of the stand-ins."""
    org = SalesforceOrg(settings, archive, faults)
    return Starlette(
        routes=[
            *_page_routes(Page(archive)),
            *_control_routes(Control(faults, org)),
            *_sink_routes(settings, archive, faults),
            *_crm_routes(org),
            Mount("/assets", StaticFiles(directory=_ASSETS)),
        ],
        exception_handlers={ClientDisconnect: _nobody_is_there},
    )


async def _nobody_is_there(_request: Request, _error: Exception) -> Response:
    """A sender that went away in the middle of its message: nothing was taken, nobody is answered."""
    return Response(status_code=400)


def _page_routes(page: Page) -> list[Route]:
    return [
        Route("/", page.index),
        Route("/leads/{lead_id:str}", page.lead),
        Route("/messages/{number:int}/html", page.mail_html),
        Route("/api/summary", page.summary),
        Route("/api/messages", page.messages),
    ]


def _control_routes(control: Control) -> list[Route]:
    crm = "/api/salesforce"
    one = f"{crm}/opportunities/{{external_id:str}}"
    return [
        Route("/api/faults", control.faults, methods=["POST", "DELETE"]),
        Route(f"{crm}/accounts", control.accounts, methods=["POST"]),
        Route(f"{crm}/records/{{kind:str}}", control.records),
        Route(one, control.change_opportunity, methods=["POST"]),
        Route(f"{one}/copies", control.copy_opportunity, methods=["POST"]),
    ]


def _sink_routes(settings: StandinSettings, archive: Archive, faults: Faults) -> list[Route]:
    incoming = SlackReceiver(settings, archive, faults).receive
    bot = SlackApi(settings, archive, faults).call
    teams = TeamsReceiver(settings, archive, faults).receive
    webhook = WebhookReceiver(settings, archive, faults).receive
    return [
        Route("/slack/services/{team:str}/{webhook:str}/{secret:str}", incoming, methods=["POST"]),
        Route("/slack/api/{method:str}", bot, methods=["GET", "POST"]),
        Route(f"/workflows/{{workflow:str}}{_INVOKE}", teams, methods=["POST"]),
        Route("/webhook/{name:str}", webhook, methods=["POST"]),
    ]


def _crm_routes(org: SalesforceOrg) -> list[Route]:
    """The organisation, also below /org/{any name}: so that a fault can be aimed at one way to it."""
    return [
        route
        for above in ("", "/org/{way:str}")
        for route in (
            Route(f"{above}/services/oauth2/token", org.token, methods=["POST"]),
            Route(
                f"{above}/services/data/{{version:str}}/{{path:path}}",
                org.data,
                methods=_ALL_METHODS,
            ),
        )
    ]


def _bind(host: str, port: int, setting: str) -> socket.socket:
    # With the protocol named asyncio switches off Nagle's algorithm, which holds answers back for 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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
    workflow = settings.teams_workflow.partition(",")[0]
    signed = {"api-version": API_VERSION, "sp": "/triggers/manual/run", "sv": "1.0"}
    query = urlencode({**signed, "sig": settings.teams_signature})
    key = settings.salesforce_private_key_file
    return Addresses(
        page_url=base,
        slack_webhook_url=f"{base}/slack/services/{settings.slack_webhook.partition(',')[0]}",
        slack_api_url=f"{base}/slack/api",
        slack_bot_token=settings.slack_bot_token,
        slack_conversation=settings.slack_conversation.partition(",")[0],
        teams_url=f"{base}/workflows/{workflow}{_INVOKE}?{query}",
        webhook_url=f"{base}/webhook/onelead",
        webhook_secret=settings.webhook_secret,
        mail_host=settings.host,
        mail_port=post.getsockname()[1],
        salesforce_url=base,
        salesforce_client_id=settings.salesforce_client_id,
        salesforce_client_secret=settings.salesforce_client_secret,
        salesforce_username=settings.salesforce_username,
        salesforce_private_key_file=None if key is None else str(key),
    )
