"""`onelead demo`: the whole product on the sample workbooks, with stand-ins for Slack, mail and CRM."""

from typing import Annotated

import typer

from onelead import lifecycle
from onelead.console import err, out
from onelead.demo.run import DemoOptions, run_demo
from onelead.reporting import ConsoleReporter
from onelead.settings import EditionSettings
from shared.settings import load_settings


def demo(
    once: Annotated[bool, typer.Option("--once", help="end by itself after the summary")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="the summary as one JSON object on the last line, too")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="keep the data folder (…/demo) for a later `onelead up`")
    ] = False,
) -> None:
    """See it work: import the sample workbooks as of 2025-10-09 and look at what comes out.

    Starts Kafka, PostgreSQL, the services and local stand-ins for Slack, a mail server and a CRM in a
    fresh data folder, imports samples/, waits until everything has settled and prints the leads,
    the alerts and where to look at them. Stays up until Ctrl-C.
    """
    options = DemoOptions(once=once, as_json=json, keep=keep)
    settings = load_settings(EditionSettings)
    lifecycle.run(run_demo(settings, options, out, ConsoleReporter(err)))
