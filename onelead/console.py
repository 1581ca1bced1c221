"""The two consoles: results on standard output, everything about their making on standard error."""

from rich.console import Console

MAX_WIDTH = 100

out = Console(soft_wrap=False, highlight=False)
err = Console(stderr=True, highlight=False)
for _console in (out, err):
    if _console.width > MAX_WIDTH or not _console.is_terminal:
        _console.width = MAX_WIDTH
