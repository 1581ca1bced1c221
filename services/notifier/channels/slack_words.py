"""Slack's error words, which its Web API answers instead of statuses, read as outcomes."""

from services.notifier.channels.slack import PAUSE_UNSAID_S
from services.notifier.domain.attempt import Outcome, Rejected, Retryable, Unsure
from shared import clock
from shared.asking import Answer

_REFUSES_THE_MESSAGE = frozenset(
    (
        *("msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format"),
        *("no_text", "too_many_attachments", "invalid_attachments", "invalid_metadata_format"),
        *("invalid_metadata_schema", "metadata_too_large", "invalid_arguments", "invalid_json"),
    )
)
_MAY_HAVE_ARRIVED = frozenset({"internal_error", "fatal_error"})
_TOO_MUCH = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
_AUTH = frozenset(
    (
        *("invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"),
        *("missing_scope", "no_permission", "not_allowed_token_type", "access_denied"),
    )
)


def outcome_of(word: str, answer: Answer) -> Outcome:
    """What `"ok": false` with this word means for a delivery.

    A word not known here, and those of a missing or closed conversation, an operator can mend.
    """
    said, status = f"Slack answered {word[:100]}", answer.status
    if word in _REFUSES_THE_MESSAGE:
        return Rejected(said, status)
    if word in _MAY_HAVE_ARRIVED:
        return Unsure(said, status, "server")
    if word in _TOO_MUCH:
        pause_s = answer.pause_s(clock.now())
        return Retryable(said, PAUSE_UNSAID_S if pause_s is None else pause_s, status, "limited")
    return Retryable(said, status=status, error="auth" if word in _AUTH else "refused")
