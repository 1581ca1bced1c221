"""What a mail's templates may name: each content as plain texts and numbers, with its subject.

Every text is on one line and no longer than TEXT_LIMIT; links lead to the web or are empty.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.notifier.channels.mail.digest_view import digest
from services.notifier.channels.mail.words import bounded, lead_words, web_link
from services.notifier.domain.contents import (
    CallTask,
    Content,
    Digest,
    FollowUp,
    Notice,
    Update,
    Withdrawal,
)
from services.notifier.domain.message import Alert

SUBJECT_LIMIT = 200


@dataclass(frozen=True)
class View:
    """A template's name without its ending, and what it may name."""

    template: str
    variables: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """The subject, at most SUBJECT_LIMIT characters."""
        return str(self.variables["subject"])


def view_of(content: Content) -> View:
    """What is told, for templates. Raises TypeError for an outreach, which was rendered already."""
    make = _VIEWS.get(type(content))
    if make is None:
        raise TypeError(f"no template tells {type(content).__name__}")
    return make(content)


def _view(template: str, variables: Mapping[str, Any]) -> View:
    """Every view has subject, preview, tone, kicker, headline, under and foot."""
    found = bounded(dict(variables))
    for name in ("link", "unsubscribe_url"):
        if name in found:
            found[name] = web_link(found[name])
    subject = found["subject"]
    if len(subject) > SUBJECT_LIMIT:
        found["subject"] = subject[: SUBJECT_LIMIT - 1] + "…"
    return View(template, found)


def _about(alert: Alert, **more: Any) -> dict[str, Any]:
    """What all mails about one lead have."""
    return {
        "subject": f"Action Required: {alert.title}",
        "preview": "",
        "tone": alert.priority.value.lower(),
        "headline": alert.title,
        "under": alert.account,
        "lead": lead_words(alert),
        "foot": f"Scored as of {alert.as_of.isoformat()} · tenant {alert.tenant_id} · sent by OneLead",
        **more,
    }


def _alert(alert: Alert) -> View:
    lead = lead_words(alert)
    preview = f"{alert.account} · score {alert.score} · {lead['value']} · {alert.description}"
    found = _about(alert, kicker=f"{alert.priority.value} lead", preview=preview[:300])
    return _view("alert", found)


def _update(update: Update) -> View:
    changes = [
        {"what": each.what, "before": each.before, "after": each.after} for each in update.changes
    ]
    preview = ", ".join(f"{c['what']}: {c['before']} → {c['after']}" for c in changes)
    more = {"kicker": "A lead changed", "preview": preview, "changes": changes}
    found = _about(update.alert, **more, status=update.status or "")
    return _view("update", {**found, "subject": f"Re: {found['subject']}"})


def _withdrawal(withdrawal: Withdrawal) -> View:
    more = {
        "tone": "low",
        "kicker": "No longer holds",
        "preview": f"No longer holds: {withdrawal.reason}",
        "reason": withdrawal.reason,
    }
    found = _about(withdrawal.alert, **more)
    return _view("withdrawal", {**found, "subject": f"Re: {found['subject']}"})


def _follow_up(follow_up: FollowUp) -> View:
    at = f"{follow_up.at:%A, %Y-%m-%d, %H:%M %Z}".strip(" ,")
    what = "Follow-up due" if follow_up.kind == "due" else "Follow-up"
    what = "Follow-up cancelled" if follow_up.cancelled else what
    title = follow_up.alert.title
    more = {
        "subject": f"{what}: {title} ({follow_up.at:%Y-%m-%d %H:%M %Z})",
        "tone": "low" if follow_up.cancelled else "calm",
        "kicker": what,
        "preview": f"{at} · {follow_up.alert.account} · {follow_up.note}",
        "at": at,
        "note": follow_up.note,
        "owner": follow_up.owner or "",
        "kind": follow_up.kind,
        "cancelled": follow_up.cancelled,
    }
    return _view("follow_up", _about(follow_up.alert, **more))


def _digest(content: Digest) -> View:
    return _view("digest", digest(content))


def _call_task(task: CallTask) -> View:
    due = task.due.isoformat()
    more = {
        "subject": f"Please call {task.contact}: {task.alert.title}",
        "kicker": "Time for a call",
        "preview": f"{task.contact}, {task.alert.account}, by {due}",
        "contact": task.contact,
        "campaign": task.campaign,
        "due": due,
    }
    return _view("call_task", _about(task.alert, **more))


def _notice(notice: Notice) -> View:
    found = {
        "subject": f"OneLead: {notice.title}",
        "preview": notice.text,
        "tone": "calm",
        "kicker": "Notice",
        "headline": notice.title,
        "under": "",
        "text": notice.text,
        "foot": f"Tenant {notice.tenant_id} · sent by OneLead",
    }
    return _view("notice", found)


_VIEWS: Mapping[type[Content], Callable[[Any], View]] = {
    Alert: _alert,
    Update: _update,
    Withdrawal: _withdrawal,
    Digest: _digest,
    FollowUp: _follow_up,
    CallTask: _call_task,
    Notice: _notice,
}
