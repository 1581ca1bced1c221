"""A small Salesforce REST client: queries page by page, calls about many records, one token."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from services.notifier.channels.crm.base import CrmError
from services.notifier.channels.crm.salesforce_answers import Usage, refused
from services.notifier.channels.crm.salesforce_login import Login, SalesforceSink, Session
from services.notifier.channels.http import Answer, ask, make_client, transport_outcome
from services.notifier.domain.attempt import Retryable
from shared.outbound import OutboundPolicy

MOST_RECORDS = 200
MOST_ANSWER_BYTES = 4_000_000
_MOST_QUERY_BYTES = 12_000
"""Of values in one query: an address may have 16 kB in all."""
_NO_ANSWER = "Salesforce's answer is not what was asked for"


class SalesforceApi:
    """One organisation. Every method raises CrmError."""

    def __init__(self, sink: SalesforceSink, policy: OutboundPolicy) -> None:
        """Raises UserError for a private key that is none."""
        self._base = f"/services/data/{sink.api_version}"
        self._client = make_client(policy, keep_alive=True)
        self._login = Login(sink, self._client)
        self.usage = Usage(sink.api_reserve)

    async def close(self) -> None:
        """Closes the client."""
        await self._client.aclose()

    async def query(self, soql: str) -> list[dict[str, Any]]:
        """All records that a query finds, over as many pages as it has."""
        answer = await self._call("GET", f"{self._base}/query", params={"q": soql})
        found: list[dict[str, Any]] = []
        while True:
            page = _page(answer)
            found += page["records"]
            following = str(page.get("nextRecordsUrl") or "")
            if page.get("done") is not False or not following.startswith("/services/data/"):
                return found
            answer = await self._call("GET", following)

    async def upsert_many(
        self, kind: str, external_id: str, records: Sequence[Mapping[str, Any]]
    ) -> tuple[int, list[Any]]:
        """Upserts up to 200 records, each by its own; the answer's status and what it says of each."""
        body = {
            "allOrNone": False,
            "records": [{"attributes": {"type": kind}, **record} for record in records],
        }
        path = f"{self._base}/composite/sobjects/{kind}/{external_id}"
        answer = await self._call("PATCH", path, json=body)
        results = _parsed(answer)
        if not isinstance(results, list):
            raise CrmError(Retryable(_NO_ANSWER, status=answer.status, error="server"))
        return answer.status, results

    async def _call(self, method: str, path: str, **options: Any) -> Answer:
        """A request with the cached token; an expired one is replaced once."""
        session = await self._login.session()
        answer = await self._ask(session, method, path, options)
        if answer.status == httpx.codes.UNAUTHORIZED:
            session = await self._login.session(expired=session)
            answer = await self._ask(session, method, path, options)
        self.usage.note(answer.headers)
        if answer.status != httpx.codes.OK:
            raise refused(answer)
        return answer

    async def _ask(
        self, session: Session, method: str, path: str, options: dict[str, Any]
    ) -> Answer:
        headers = {"Authorization": f"Bearer {session.token.get_secret_value()}"}
        url = f"{session.instance}{path}"
        try:
            return await ask(
                self._client, method, url, at_most=MOST_ANSWER_BYTES, headers=headers, **options
            )
        except httpx.HTTPError as error:
            raise CrmError(transport_outcome(error)) from None


def literal(text: str) -> str:
    """Text as a SOQL string literal: backslash, quotes and line ends escaped."""
    escapes = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return f"'{''.join(escapes.get(character, character) for character in text)}'"


def in_parts(texts: Sequence[str], most: int = MOST_RECORDS) -> Iterator[str]:
    """The texts as lists of literals, each list short enough for one query."""
    part: list[str] = []
    size = 0
    for found in map(literal, texts):
        length = len(quote(found)) + 3
        if part and (len(part) == most or size + length > _MOST_QUERY_BYTES):
            yield ", ".join(part)
            part, size = [], 0
        part.append(found)
        size += length
    if part:
        yield ", ".join(part)


def _page(answer: Answer) -> dict[str, Any]:
    page = _parsed(answer)
    records = page.get("records") if isinstance(page, dict) else None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise CrmError(Retryable(_NO_ANSWER, status=answer.status, error="server"))
    found: dict[str, Any] = page
    return found


def _parsed(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body)
    except ValueError:
        raise CrmError(Retryable(_NO_ANSWER, status=answer.status, error="server")) from None
