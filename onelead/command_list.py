"""The commands of `onelead`, in the order of its help page; what each runs is loaded when it is called."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

TRY = "Try it"
WORK = "Work with it"
OPERATE = "Operate it"


@dataclass(frozen=True)
class Command:
    """A command, the group of the help page it stands in, where it is in `onelead.commands`, what it does."""

    name: str
    panel: str
    where: str
    summary: str

    def load(self) -> Callable[..., Any] | typer.Typer:
        """What it runs. Loading it may take a second or two: all of them together take four."""
        found: Callable[..., Any] | typer.Typer = pkgutil.resolve_name(
            f"onelead.commands.{self.where}"
        )
        return found


COMMANDS: tuple[Command, ...] = (
    Command(
        "demo",
        TRY,
        "demo:demo",
        "See it work: import the sample workbooks as of 2025-10-09 and look at what comes out.",
    ),
    Command(
        "assess",
        TRY,
        "assess:assess",
        "Show the leads that files would give, without importing them.",
    ),
    Command(
        "up",
        WORK,
        "up:up",
        "Run everything on this machine, without importing anything, until Ctrl-C.",
    ),
    Command(
        "import",
        WORK,
        "import_:import_files",
        "Hand over workbooks and CSV files, wait until leads are derived, and print the report.",
    ),
    Command(
        "accounts", WORK, "accounts:app", "Review, merge, undo and explain a tenant's accounts."
    ),
    Command("imports", WORK, "imports:app", "List imports, show findings, export rows to mend."),
    Command(
        "explain",
        WORK,
        "explain:explain",
        "Show a lead's arithmetic, the least change that makes it CRITICAL, and its score history.",
    ),
    Command("leads", WORK, "leads:app", "Work on leads: states, owners, reminders, history."),
    Command(
        "calendar",
        WORK,
        "calendar:calendar",
        "Show which leads will fire, cross a threshold or end if nothing but time passes.",
    ),
    Command("notify", WORK, "notify:app", "Check, preview and test what is told to whom."),
    Command(
        "campaigns", WORK, "campaigns:app", "Write to customers in steps: day 0, 3, 7, then a call."
    ),
    Command("deliveries", WORK, "deliveries:app", "See what was told to whom; send again, cancel."),
    Command(
        "digests",
        WORK,
        "digests:digests",
        "Show what a digest would say now: new leads, critical ones, the pipeline, the best to call.",
    ),
    Command("crm", WORK, "crm:app", "Compare the CRMs with OneLead."),
    Command("rules", WORK, "rules:app", "Apply and show a tenant's rules."),
    Command("offices", WORK, "offices:app", "Say which office has which postal codes."),
    Command(
        "what-if",
        WORK,
        "what_if:what_if",
        "Show what other rules would do to the leads, before they go live. Changes and tells nothing.",
    ),
    Command(
        "templates", WORK, "templates:app", "The texts of mails: list, check and preview them."
    ),
    Command("tenants", WORK, "tenants:app", "Add, list, show and erase tenants."),
    Command(
        "service",
        OPERATE,
        "service:service",
        "Run one service in the foreground, as its container does.",
    ),
    Command("topics", OPERATE, "topics:app", "Show and create topics, and rights on them."),
    Command(
        "migrate",
        OPERATE,
        "migrate:migrate",
        "Create or upgrade every service's schema and its database roles.",
    ),
    Command(
        "dead-letters",
        OPERATE,
        "dead_letters:app",
        "List, show, replay and drop messages that failed.",
    ),
)
