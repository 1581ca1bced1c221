import pytest
from pydantic import SecretStr, ValidationError

from services.notifier.channels.slack_bot import BotMessage, SlackBotChannel, SlackBotSink
from services.notifier.channels.slack_words import outcome_of
from services.notifier.domain.attempt import Outcome, Rejected, Retryable, Unsure
from services.notifier.domain.contents import Outreach
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import Target
from shared.asking import Answer
from shared.outbound import OutboundPolicy
from tests.support.told_contents import a_delivery, each_content

SINK = SlackBotSink(token=SecretStr("xoxb-secret"), conversation="C0ALERTS")
ALERT_AT = {"channel": "C0ALERTS", "ts": "1760011200.000100"}


def rendered(purpose: Purpose, **changes: object) -> BotMessage:
    channel = SlackBotChannel.open(SINK, OutboundPolicy())
    delivery = a_delivery(purpose, "slack_bot", **changes)
    return channel.render(each_content("Apple")[purpose], delivery)


def test_each_message_carries_its_delivery_as_metadata() -> None:
    message = rendered(Purpose.ALERT)
    about = {"delivery_id": a_delivery(Purpose.ALERT, "slack_bot").id, "lead_id": "lead-1"}
    assert message.arguments["metadata"] == {
        "event_type": "onelead_delivery",
        "event_payload": about,
    }
    assert message.arguments["channel"] == "C0ALERTS"
    assert message.oldest == "1760010900.000000"


@pytest.mark.parametrize("purpose", [Purpose.UPDATE, Purpose.WITHDRAWAL])
def test_later_news_of_a_lead_answer_in_its_alerts_thread(purpose: Purpose) -> None:
    assert rendered(purpose, thread=ALERT_AT).thread == ALERT_AT["ts"]


@pytest.mark.parametrize("purpose", [Purpose.UPDATE, Purpose.WITHDRAWAL])
def test_without_an_alert_to_answer_they_stand_by_themselves(purpose: Purpose) -> None:
    assert rendered(purpose).thread is None


@pytest.mark.parametrize("purpose", [Purpose.ALERT, Purpose.DAILY_DIGEST, Purpose.FOLLOW_UP])
def test_what_is_news_of_its_own_answers_nothing(purpose: Purpose) -> None:
    assert rendered(purpose, thread=ALERT_AT).thread is None


def test_a_letter_to_a_customer_is_refused() -> None:
    channel = SlackBotChannel.open(SINK, OutboundPolicy())
    letter = Outreach(
        tenant_id="default",
        lead_id="lead-1",
        campaign="drip",
        step=0,
        subject="Hello",
        text="Hello",
        html="<p>Hello</p>",
        unsubscribe_url="https://onelead.example/u",
    )
    with pytest.raises(TypeError, match="outreach"):
        channel.render(letter, a_delivery(Purpose.OUTREACH, "slack_bot"))


def test_the_target_is_the_conversation_and_the_token_is_nowhere() -> None:
    channel = SlackBotChannel.open(SINK, OutboundPolicy())
    assert channel.targets == (Target("slack_bot", "C0ALERTS"),)
    message = rendered(Purpose.ALERT)
    assert b"secret" not in channel.wire(message)
    assert "secret" not in repr((channel.targets, SINK, message))


def test_a_name_is_not_taken_for_a_conversation() -> None:
    with pytest.raises(ValidationError, match="conversation"):
        SlackBotSink(token=SecretStr("xoxb-x"), conversation="#alerts")


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("msg_too_long", Rejected("Slack answered msg_too_long", 200)),
        ("invalid_blocks", Rejected("Slack answered invalid_blocks", 200)),
        ("msg_blocks_too_long", Rejected("Slack answered msg_blocks_too_long", 200)),
        ("internal_error", Unsure("Slack answered internal_error", 200, "server")),
        ("fatal_error", Unsure("Slack answered fatal_error", 200, "server")),
        ("invalid_auth", Retryable("Slack answered invalid_auth", None, 200, "auth")),
        ("token_revoked", Retryable("Slack answered token_revoked", None, 200, "auth")),
        ("missing_scope", Retryable("Slack answered missing_scope", None, 200, "auth")),
        ("channel_not_found", Retryable("Slack answered channel_not_found", None, 200, "refused")),
        ("not_in_channel", Retryable("Slack answered not_in_channel", None, 200, "refused")),
        ("is_archived", Retryable("Slack answered is_archived", None, 200, "refused")),
        ("word_of_tomorrow", Retryable("Slack answered word_of_tomorrow", None, 200, "refused")),
    ],
)
def test_each_word_of_slack_has_its_outcome(word: str, outcome: Outcome) -> None:
    assert outcome_of(word, Answer(200, {}, b"")) == outcome


@pytest.mark.usefixtures("set_clock")
@pytest.mark.parametrize(
    ("headers", "pause_s"),
    [({}, 30.0), ({"retry-after": "7"}, 7.0), ({"retry-after": "soon"}, 30.0)],
)
def test_a_limit_rests_as_long_as_slack_says(headers: dict[str, str], pause_s: float) -> None:
    found = outcome_of("ratelimited", Answer(200, headers, b""))
    assert found == Retryable("Slack answered ratelimited", pause_s, 200, "limited")
