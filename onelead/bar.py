"""An import's progress: a bar on a terminal, a line now and then elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as RichProgress

from onelead.importing import Progress, Watcher
from onelead.reporting import ConsoleReporter, Reporter


@contextmanager
def import_bar(console: Console) -> Iterator[Watcher]:
    """A watcher that shows where an import stands, for the length of a block."""
    if not console.is_terminal:
        yield plain_watcher(ConsoleReporter(console))
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with RichProgress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("sending")

        def show(progress: Progress) -> None:
            bars.update(
                bar, description=progress.doing, completed=progress.done, total=progress.total
            )

        yield show


def plain_watcher(reporter: Reporter) -> Watcher:
    """A watcher that tells a reporter."""

    def tell(progress: Progress) -> None:
        total = f" of {progress.total:,}" if progress.total is not None else ""
        reporter.doing(f"Import, {progress.doing}: {progress.done:,}{total}")

    return tell
