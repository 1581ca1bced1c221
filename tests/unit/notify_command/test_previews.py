"""Messages as they would go out: to whom, what a person reads of them, and the pages of them."""

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from onelead.notify.configured import configured
from onelead.notify.in_words import destinations, verdict_json
from onelead.notify.messages import Message, previews, write_page
from onelead.notify.readable import as_page, as_text
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from shared.errors import UserError
from tests.support.notifier_builders import alert

LEAD = alert(office_id="luzern")
NOW = datetime(2025, 10, 9, 12, tzinfo=UTC)


async def shown(file: Path, lead: Alert = LEAD, purpose: Purpose = Purpose.ALERT) -> list[Message]:
    async with configured(file) as found:
        return list(previews(found, lead, purpose, NOW))


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_every_channel_shows_all_that_it_can_tell(
    notify_file: Path, purpose: Purpose
) -> None:
    async with configured(notify_file) as found:
        able = {sink.name for sink in found.plan.sinks if purpose in sink.sends}
        messages = list(previews(found, LEAD, purpose, NOW))
    assert {message.sink for message in messages} == able
    for message in messages:
        assert "s3cr3t" not in message.wire.decode(errors="replace")
        assert len(as_text(message.wire)) > 20


async def test_an_alert_goes_to_the_owner_and_to_each_other_target(notify_file: Path) -> None:
    found = [(message.sink, message.target.address) for message in await shown(notify_file)]
    assert [sink for sink, _ in found] == [
        *("hook", "bot", "teams", "mail", "mail", "crm", "robots")
    ]
    assert [address for sink, address in found if sink == "mail"] == ["anna@b.c", "boss@b.c"]
    others = await shown(notify_file, alert(account="Other"))
    assert [m.target.address for m in others if m.sink == "mail"] == ["boss@b.c"]
    assert "robots" not in [m.sink for m in others], "it hears of office luzern only"


async def test_a_person_reads_the_same_in_every_alert(notify_file: Path) -> None:
    for message in await shown(notify_file):
        text = as_text(message.wire)
        for said in ("Support Renewal: HP DL360p Gen8", "82.5"):
            assert said in text, f"{message.title}: {text}"


async def test_a_preview_can_be_told_apart_by_where_it_goes(notify_file: Path) -> None:
    titles = [message.title for message in await shown(notify_file)]
    assert titles[3] == "mail: alert to email anna@b.c"
    assert len(set(titles)) == len(titles)
    first = (await shown(notify_file))[0].json()
    assert first.keys() == {"sink", "channel", "address", "purpose", "message"}
    assert json.loads(json.dumps(first))["message"]["blocks"]


async def test_pages_are_written_one_for_each_message(notify_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pages" / "of today"
    paths = [write_page(folder, message) for message in await shown(notify_file)]
    assert sorted(folder.iterdir()) == sorted(set(paths))
    assert all("Support Renewal" in path.read_text() for path in paths)


async def test_a_page_that_cannot_be_written_is_named(notify_file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    message = (await shown(notify_file))[0]
    with pytest.raises(UserError, match=r"taken/hook-T1_B1-alert\.html: cannot be written"):
        write_page(tmp_path / "taken", message)


def test_a_mails_pictures_are_in_its_page() -> None:
    mail = EmailMessage()
    mail.set_content("plain")
    mail.add_alternative('<img src="cid:chart@x">', subtype="html")
    html = mail.get_body(("html",))
    assert html is not None
    html.add_related(b"\x89PNG", "image", "png", cid="<chart@x>")
    assert as_page(mail.as_bytes(), "t").strip() == '<img src="data:image/png;base64,iVBORw==">'


def test_a_page_shows_markup_and_does_not_run_it() -> None:
    page = as_page(b'{"blocks": [{"text": {"text": "<script>alert(1)</script>"}}]}', "<b>")
    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page


def test_of_blocks_and_cards_the_texts_and_buttons_are_read() -> None:
    body = {
        "text": "what a phone shows",
        "blocks": [
            {"type": "section", "fields": [{"type": "plain_text", "text": "Score: 82.5"}]},
            {"elements": [{"text": {"text": "Open"}, "url": "https://x.y/1"}]},
        ],
        "attachments": [
            {"body": [{"type": "FactSet", "facts": [{"title": "Value", "value": "USD 5"}]}]},
            {"actions": [{"title": "Open", "url": "https://x.y/2"}]},
        ],
    }
    assert as_text(json.dumps(body).encode()).splitlines() == [
        "Score: 82.5",
        "[Open] https://x.y/1",
        "Value: USD 5",
        "[Open] https://x.y/2",
    ]


@pytest.fixture
def routed_file(notify_file: Path) -> Path:
    """With routes, and mails to owners only."""
    routes = "routes:\n  - {when: {territory: 1}, to: [bot]}\n  - to: [hook, mail, robots, crm]\n"
    text = notify_file.read_text().replace("[owner, boss@b.c]", "owner")
    notify_file.write_text(text + routes)
    return notify_file


def test_of_other_bodies_each_value_is_read_under_its_name() -> None:
    body = b'{"Name": "A", "Lines": "one\\ntwo", "Score": 82.5}'
    assert as_text(body).splitlines() == ["Name: A", "Lines: |-", "  one", "  two", "Score: 82.5"]


async def test_each_sink_that_is_not_told_has_its_reason(routed_file: Path) -> None:
    async with configured(routed_file) as found:
        lead = alert(account="Other")
        said = dict(destinations(found.plan, lead, Purpose.ALERT))
        for_programs = verdict_json(found.plan, lead, Purpose.ALERT)
    assert said == {
        "hook": "T1/B1",
        "bot": "not told: no route that was taken leads to it",
        "teams": "not told: no route that was taken leads to it",
        "mail": "not told: the lead's owner has no mail address here",
        "crm": "x.y",
        "robots": "not told: it hears of office luzern only",
    }
    assert [target["sink"] for target in for_programs["targets"]] == ["hook", "crm"]
    assert for_programs["routes"][0] == {
        "number": 1,
        "to": ("bot",),
        "taken": False,
        "misses": ("territory is 56088, not 1",),
    }
