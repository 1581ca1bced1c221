"""What a person sees of work in progress, on a terminal and elsewhere."""

import io

import pytest
from rich.console import Console

from onelead.bar import import_bar
from onelead.importing import Progress
from onelead.reporting import ConsoleReporter
from tests.support.set_clock import SetClock

pytestmark = pytest.mark.usefixtures("set_clock")


def plain() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=100), out


def test_without_a_terminal_each_new_subject_is_a_line_and_changes_are_rare(
    set_clock: SetClock,
) -> None:
    console, out = plain()
    reporter = ConsoleReporter(console)
    for jars in range(40):
        reporter.doing(f"Fetching Kafka: {jars} of 40 jars")
        set_clock.pass_s(0.1)
    reporter.doing("Starting Kafka")
    reporter.done()
    assert out.getvalue().splitlines() == [
        "Fetching Kafka: 0 of 40 jars",
        "Fetching Kafka: 20 of 40 jars",
        "Starting Kafka",
    ]


def test_square_brackets_in_a_text_are_shown_as_they_are() -> None:
    console, out = plain()
    ConsoleReporter(console).say("folder [bold]x[/bold]")
    assert out.getvalue() == "folder [bold]x[/bold]\n"


def test_an_import_without_a_terminal_tells_its_phases() -> None:
    console, out = plain()
    with import_bar(console) as watch:
        watch(Progress("sending", 2_000, 2_540))
        watch(Progress("deriving", 3, None))
    assert out.getvalue().splitlines() == [
        "Import, sending: 2,000 of 2,540",
        "Import, deriving: 3",
    ]


def test_on_a_terminal_an_import_has_a_bar_that_goes_away() -> None:
    out = io.StringIO()
    with import_bar(Console(file=out, force_terminal=True, width=100)) as watch:
        watch(Progress("sending", 1, 2))
        watch(Progress("deriving", 1, 2))
    assert "deriving" in out.getvalue()
