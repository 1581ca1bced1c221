import json

import pytest
from pydantic import SecretStr

from onelead.standins.teams_card import check_card
from services.notifier.channels.teams import TeamsChannel, TeamsSink
from services.notifier.channels.teams_card import MOST_BYTES, message
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import Target
from shared.errors import UserError
from shared.outbound import OutboundPolicy
from tests.support.alert_reading import (
    CARD_TEXT_LIMITS,
    card_alive,
    card_line,
    card_of,
    card_shown,
    expected,
    hostile_alert,
)
from tests.support.hostile_texts import hostile_texts
from tests.support.notifier_builders import alert
from tests.support.told_contents import LINK, a_delivery, each_content

URL = (
    "https://prod-7.westeurope.logic.azure.com:443/workflows/0a1b2c/triggers/manual/paths/invoke"
    "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=s3cret-Sign_ature"
)


def is_beginning(shown: str, whole: str) -> bool:
    if shown == (whole or "–"):
        return True
    return len(shown) in CARD_TEXT_LIMITS and shown[-1] == "…" and whole.startswith(shown[:-1])


def test_an_alert_has_title_facts_description_services_and_a_button() -> None:
    card = card_of(message(alert()))
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card_line(card["body"][0]) == f"CRITICAL lead: {alert().title}"
    facts = [[card_line(c["items"][0]) for c in row["columns"]] for row in card["body"][1:5]]
    assert facts == [
        ["Account", "Apple Inc"],
        ["Score", "82.5 of 100"],
        ["Value", "USD 5,613 – 10,525"],
        ["Priority", "CRITICAL"],
    ]
    assert card_line(card["body"][5]) == alert().description
    assert card_line(card["body"][7]) == "• OS Upgrade (HM002A1), list USD 12,000"
    (action,) = card["actions"]
    assert action == {"type": "Action.OpenUrl", "title": "Open the lead", "url": alert().link}


@pytest.mark.parametrize("purpose", [p for p in Purpose if p is not Purpose.OUTREACH])
def test_every_purpose_makes_a_valid_card_that_leads_to_a_page(purpose: Purpose) -> None:
    card = card_of(message(each_content("Apple")[purpose]))
    check_card(card)
    assert [action["url"] for action in card["actions"]] == (
        [] if purpose is Purpose.NOTICE else [LINK]
    )


def test_each_lead_of_a_digest_leads_to_its_page() -> None:
    card = card_of(message(each_content("Apple")[Purpose.DAILY_DIGEST]))
    leads = [b for b in card["body"] if "selectAction" in b.get("inlines", [{}])[0]]
    assert [lead["inlines"][0]["selectAction"]["url"] for lead in leads] == [LINK] * 3


@pytest.mark.slow
def test_ten_thousand_hostile_texts_stay_letters_and_are_read_back_equal() -> None:
    alive: list[str] = []
    changed: list[str] = []
    texts = list(hostile_texts())
    for text in texts:
        lead = hostile_alert(text)
        raw = message(lead)
        assert len(raw) <= MOST_BYTES, f"{len(raw)} bytes: {text[:60]!r}"
        card = card_of(raw)
        alive += card_alive(card, LINK)
        shown, whole = card_shown(card), expected(text, lead)
        changed += [
            f"{place}: {text[:60]!r}"
            for place in shown
            if not is_beginning(shown[place], whole[place])
        ]
    assert alive == [], f"{len(texts)} texts, {len(alive)} alive"
    assert changed == [], f"{len(texts)} texts, {len(changed)} read back different"
    assert len(texts) == 10_000


def test_hostile_texts_of_every_purpose_make_cards_that_teams_takes() -> None:
    alive: list[str] = []
    count = 0
    for text in hostile_texts(1_000):
        for content in each_content(text, lines=30).values():
            raw = message(content)
            assert len(raw) <= MOST_BYTES, f"{len(raw)} bytes: {text[:60]!r}"
            alive += card_alive(card_of(raw), LINK)
            count += 1
    assert alive == [], f"{count} cards, {len(alive)} alive"
    assert count == 10_000


def test_a_function_of_cards_is_kept_as_it_was_written() -> None:
    text = "{{DATE(2025-10-09T12:00:00Z, LONG)}} {{TIME(2025-10-09T12:00:00Z)}} {{{{date("
    card = card_of(message(alert(account=text)))
    runs = card["body"][1]["columns"][1]["items"][0]["inlines"]
    assert "".join(run["text"] for run in runs) == text
    assert [run["text"] for run in runs] == [
        "{",
        "{DATE(2025-10-09T12:00:00Z, LONG)}} {",
        "{TIME(2025-10-09T12:00:00Z)}} {{{",
        "{date(",
    ]


def test_the_target_names_the_workflow_without_its_signature() -> None:
    sink = TeamsSink(workflow_url=SecretStr(URL))
    channel = TeamsChannel.open(sink, OutboundPolicy())
    address = "prod-7.westeurope.logic.azure.com/0a1b2c"
    assert channel.targets == (Target("teams", address),)
    rendered = channel.render(alert(), a_delivery(Purpose.ALERT, "teams"))
    assert "s3cret" not in repr((sink, channel.targets)) + channel.wire(rendered).decode()


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        URL.replace("&sig=", "&nothing="),
        URL.replace("/workflows/", "/flows/"),
        "not an address",
        "https://[",
    ],
)
def test_another_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UserError, match="workflow_url") as refused:
        TeamsChannel.open(TeamsSink(workflow_url=SecretStr(url)), OutboundPolicy())
    assert "s3cret" not in str(refused.value)


def test_news_of_an_announced_lead_is_not_for_a_chat_without_threads() -> None:
    channel = TeamsChannel.open(TeamsSink(workflow_url=SecretStr(URL)), OutboundPolicy())
    with pytest.raises(TypeError, match="update"):
        channel.render(each_content("x")[Purpose.UPDATE], a_delivery(Purpose.UPDATE, "teams"))


def test_the_json_says_what_the_workflow_reads() -> None:
    found = json.loads(message(alert()))
    (attachment,) = found["attachments"]
    assert found["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["contentUrl"] is None
