"""What people are shown, as pictures of a real browser in build/pictures: nothing cut off, nothing blank."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Locator
from pydantic import SecretStr

from onelead.standins.app import Addresses, running
from onelead.standins.settings import StandinSettings
from services.notifier.channels import AnyChannel
from services.notifier.channels.mail.check import preview, preview_names
from services.notifier.channels.mail.samples import samples
from services.notifier.channels.mail.smtp import MailSink, SmtpChannel
from services.notifier.channels.mail.templates import Templates
from services.notifier.channels.slack import SlackChannel, SlackSink
from services.notifier.channels.teams import TeamsChannel, TeamsSink
from services.notifier.domain.attempt import Delivered
from services.notifier.domain.contents import CONTENTS, Content
from services.notifier.domain.delivery import Purpose
from shared.outbound import OutboundPolicy
from tests.integration.notifier.conftest import a_delivery
from tests.support.pictures import FOLDER, Camera, Scheme, camera

pytestmark = pytest.mark.slow
DESKTOP, PHONE = 800, 390
HERE = OutboundPolicy(frozenset({"127.0.0.1"}))
RENDERER = "adaptivecards@3.0.6"
HOST = """<style>
  body { margin: 0; padding: 8px; background: #f5f5f5; }
  .ac-adaptiveCard { border: 1px solid #e0e0e0; border-radius: 6px; background: #fff !important; }
  .ac-pushButton { padding: 7px 14px; border: 1px solid #c7c7c7; border-radius: 4px; background: #fff; }
</style>"""
LOAD_ALL = "document.querySelectorAll('iframe').forEach((frame) => { frame.loading = 'eager'; })"
SHOW = """(card) => {
  const shown = new AdaptiveCards.AdaptiveCard();
  shown.parse(card);
  document.body.appendChild(shown.render());
}"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Camera]:
    async with camera() as found:
        yield found


@pytest.fixture
async def standins() -> AsyncIterator[Addresses]:
    """Receivers in a hurry: they limit nobody."""
    async with running(StandinSettings(slack_burst=100, teams_burst=100)) as addresses:
        yield addresses


async def be_seen(link: Locator, width: int) -> None:
    """The link stands in the window's width, and is large enough for a thumb."""
    await link.scroll_into_view_if_needed()
    assert await link.is_visible()
    box = await link.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["height"] >= 40


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(DESKTOP, "light"), (PHONE, "light"), (PHONE, "dark")],
    ids=["desktop", "phone", "phone-dark"],
)
@pytest.mark.parametrize("name", preview_names())
async def test_a_mail_fits_its_window(
    browser: Camera, name: str, width: int, scheme: Scheme
) -> None:
    async with browser.page(width, scheme) as page:
        await page.set_content(preview(Templates(), name).html)
        label = "desktop" if width == DESKTOP else f"phone-{scheme}"
        picture = await browser.take(page, f"mail-{name}-{label}")
        picture.check()
        for link in await page.locator(".button a").all():
            await be_seen(link, width)


async def test_a_mail_of_hostile_lengths_fits_a_phone(browser: Camera) -> None:
    endless = "x" * 500
    html = preview(Templates(), "alert").html
    for word in ("Northwind Traders", "HM002A1", "OS Upgrade", "Renew support"):
        assert word in html
        html = html.replace(word, endless)
    async with browser.page(PHONE) as page:
        await page.set_content(html)
        (await browser.take(page, "mail-endless-words-phone")).check()
        await be_seen(page.locator(".button a"), PHONE)


async def tell(channel: AnyChannel) -> list[str]:
    """Sends everything the channel can tell; returns the names of what it told."""
    told: list[str] = []
    for name, content in samples():
        purpose = purpose_of(content)
        if purpose in channel.accepts:
            target = channel.targets[0]
            of = a_delivery(target.channel, target.address, purpose=purpose, number=len(told))
            assert isinstance(await channel.send(channel.render(content, of)), Delivered)
            told.append(name)
    await channel.close()
    return told


def purpose_of(content: Content) -> Purpose:
    return next(purpose for purpose, kind in CONTENTS.items() if kind is type(content))


def slack(addresses: Addresses) -> AnyChannel:
    return SlackChannel.open(SlackSink(webhook_url=SecretStr(addresses.slack_webhook_url)), HERE)


def teams(addresses: Addresses) -> AnyChannel:
    return TeamsChannel.open(TeamsSink(workflow_url=SecretStr(addresses.teams_url)), HERE)


def mail(addresses: Addresses) -> AnyChannel:
    sink = MailSink(
        host=addresses.mail_host,
        port=addresses.mail_port,
        security="none",
        sender="alerts@onelead.example",
        recipients=("rep@example.com",),
    )
    return SmtpChannel.open(sink, HERE)


@pytest.mark.parametrize("width", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("open_channel", [slack, teams, mail])
async def test_what_a_receiver_got_fits_the_stand_ins_page(
    browser: Camera,
    standins: Addresses,
    open_channel: Callable[[Addresses], AnyChannel],
    width: int,
) -> None:
    channel = open_channel(standins)
    told = await tell(channel)
    assert len(told) >= 8
    label = "desktop" if width == DESKTOP else "phone"
    async with browser.page(width) as page:
        await page.goto(f"{standins.page_url}/?channel={channel.name}")
        messages = page.locator("article")
        assert await messages.count() == len(told)
        assert await page.locator(".problem").count() == 0
        await page.evaluate(LOAD_ALL)
        await page.wait_for_load_state("networkidle")
        (await browser.take(page, f"received-{channel.name}-{label}")).check()
        await page.evaluate("document.querySelector('header').remove()")  # it would stand over them
        for number, name in enumerate(reversed(told) if channel.name != "email" else ()):
            path = FOLDER / f"{channel.name}-{name}-{label}.png"
            await messages.nth(number).screenshot(path=path)


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Microsoft's own renderer of Adaptive Cards, from npm."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("this test needs Node.js with npm: apt-get install nodejs npm")
    folder = tmp_path_factory.mktemp("renderer")
    (folder / "package.json").write_text('{"private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", RENDERER]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"npm could not install {RENDERER}:\n{result.stderr}"
    return folder / "node_modules/adaptivecards/dist/adaptivecards.min.js"


CARDS = {
    name: content for name, content in samples() if purpose_of(content) in TeamsChannel.accepts
}


@pytest.mark.parametrize("name", CARDS)
async def test_a_card_is_drawn_by_microsofts_renderer(
    browser: Camera, renderer: Path, name: str
) -> None:
    content = CARDS[name]
    signed = "https://example.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=x"
    channel = TeamsChannel.open(TeamsSink(workflow_url=SecretStr(signed)), HERE)
    of = a_delivery("teams", channel.targets[0].address, purpose=purpose_of(content))
    body = json.loads(channel.wire(channel.render(content, of)))
    await channel.close()
    async with browser.page(PHONE) as page:
        await page.set_content(HOST)
        await page.add_script_tag(path=renderer)
        await page.evaluate(SHOW, body["attachments"][0]["content"])
        (await browser.take(page, f"card-{name}")).check()
        buttons = page.locator("button.ac-pushButton")
        for button in await buttons.all():
            assert await button.is_visible()
        has_link = name != "notice"
        assert (await buttons.count() == 1) == has_link
