"""The page that shows every message as its receiver sees it, and the JSON about messages.

What was received is hostile until shown otherwise: templates escape, mails are framed in a sandbox.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from jinja2 import ChainableUndefined, Environment, FileSystemLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from onelead.standins.archive import CHANNELS, Archive
from onelead.standins.mrkdwn import mrkdwn, plain_text

PAGE_SIZE = 25
MAX_LISTED = 1_000
TITLES = {
    "slack": "Slack",
    "slack_bot": "Slack bot",
    "teams": "Teams",
    "email": "E-mail",
    "salesforce": "Salesforce",
    "webhook": "Webhook",
}
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"
    " frame-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
    " style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'"
)
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=ChainableUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _pretty(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _web_link(url: object) -> str | None:
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else None


def _lines(text: object) -> Markup:
    """Text with its line breaks, nothing in it live; join escapes each line."""
    return Markup("<br>").join(str(text).splitlines())


_TEMPLATES.filters |= {"lines": _lines}
_TEMPLATES.filters |= {"mrkdwn": mrkdwn, "plain_text": plain_text}
_TEMPLATES.filters |= {"pretty": _pretty, "web_link": _web_link}


class Page:
    """The handlers of the page, and of what /api tells about messages."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    async def index(self, request: Request) -> Response:
        """GET /?channel=&q=&page=: the messages, newest first."""
        channel = _channel(request)
        query = request.query_params.get("q", "").strip()[:200]
        number = max(1, _number(request, "page", 1))
        threads, found = self._archive.page(
            channel=channel, query=query, page=number, size=PAGE_SIZE
        )

        def link(**changes: Any) -> str:
            wanted = {"channel": channel, "q": query, **changes}
            return "/?" + urlencode({name: value for name, value in wanted.items() if value})

        html = _TEMPLATES.get_template("page.html.j2").render(
            threads=threads,
            found=found,
            channel=channel,
            query=query,
            page=number,
            pages=max(1, -(-found // PAGE_SIZE)),
            titles=TITLES,
            summary=self._archive.summary(),
            link=link,
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": _PAGE_POLICY})

    async def lead(self, request: Request) -> Response:
        """GET /leads/{id}: where links in messages lead; every message about that lead."""
        return RedirectResponse("/?" + urlencode({"q": request.path_params["lead_id"]}))

    async def mail_html(self, request: Request) -> Response:
        """GET /messages/{number}/html: a mail's HTML for its frame, unable to run or load anything."""
        number = request.path_params["number"]
        found = self._archive.after(number - 1, "email", 1)
        if not found or found[0].number != number:
            return Response(status_code=404)
        html = str(found[0].content.get("html", ""))
        html = html.replace("<head>", '<head><base target="_blank">', 1)
        return HTMLResponse(html, headers={"Content-Security-Policy": _MAIL_POLICY})

    async def summary(self, _request: Request) -> Response:
        """GET /api/summary."""
        return JSONResponse(self._archive.summary())

    async def messages(self, request: Request) -> Response:
        """GET /api/messages?channel=&after=&limit=: oldest first."""
        limit = min(MAX_LISTED, max(1, _number(request, "limit", MAX_LISTED)))
        found = self._archive.after(_number(request, "after", 0), _channel(request), limit)
        return JSONResponse({"messages": [message.as_json() for message in found]})


def _channel(request: Request) -> str | None:
    channel = request.query_params.get("channel")
    return channel if channel in CHANNELS else None


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 12 else default
