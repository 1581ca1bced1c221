"""Entry of the `onelead` command: makes Ctrl-C quiet first, then loads the rest, which takes a while."""

import os
import signal
import sys


def main() -> None:
    """Runs the command line; a Ctrl-C while it is still loading ends it without a traceback."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(128 + signal.SIGINT))
    from onelead.cli import run_command_line  # noqa: PLC0415 - after the line above

    sys.exit(run_command_line())


if __name__ == "__main__":
    main()
