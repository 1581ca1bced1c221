from typing import Any

import pytest

from onelead.standins.teams_card import InvalidCardError, check_card

CARD = {
    "type": "AdaptiveCard",
    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
    "version": "1.4",
    "msteams": {"width": "Full"},
    "body": [
        {"type": "TextBlock", "text": "New critical lead", "size": "Large", "wrap": True},
        {"type": "FactSet", "facts": [{"title": "Account", "value": "Apple Inc"}]},
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "*as it is*"}]},
        {"type": "ColumnSet", "columns": [{"type": "Column", "width": "stretch", "items": []}]},
    ],
    "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "https://x.y/leads/1"}],
}


@pytest.mark.parametrize("version", ["1.0", "1.2", "1.4", "1.5"])
def test_a_card_is_judged_by_the_schema_of_its_version(version: str) -> None:
    body = [{"type": "TextBlock", "text": "x"}]
    check_card({"type": "AdaptiveCard", "version": version, "body": body})


def test_a_whole_card_is_taken() -> None:
    check_card(CARD)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"type": "MessageCard"}, "not an AdaptiveCard"),
        ({"version": "1.6"}, "version 1.6"),
        ({"version": None}, "version None"),
        ({"version": "1.0"}, "/"),
        ({"body": [{"type": "TextBlock"}]}, "/body"),
        ({"body": [{"type": "TextBlock", "text": "x", "colour": "red"}]}, "/body"),
        ({"body": [{"type": "Marquee", "text": "x"}]}, "/body"),
        ({"actions": [{"type": "Action.OpenUrl", "title": "x"}]}, "/actions"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_card_the_schema_refuses_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidCardError) as caught:
        check_card(CARD | changes)
    assert said in str(caught.value)
    assert len(str(caught.value)) <= 300


@pytest.mark.parametrize("card", [None, [], "card", 5])
def test_what_is_no_card_is_refused(card: object) -> None:
    with pytest.raises(InvalidCardError):
        check_card(card)
