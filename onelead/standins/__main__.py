"""Runs the stand-ins until SIGINT or SIGTERM; says where they are on standard output, in one line."""

import asyncio
import signal
import sys
from dataclasses import asdict

import orjson

from onelead.standins.app import Addresses, running
from onelead.standins.settings import StandinSettings
from shared.errors import UserError
from shared.settings import load_settings


async def _serve(settings: StandinSettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings) as addresses:
        _tell(settings, addresses)
        await stop.wait()


def _tell(settings: StandinSettings, addresses: Addresses) -> None:
    line = orjson.dumps(asdict(addresses)).decode()
    if settings.ready_file is not None:
        # Renamed into place: a reader never sees half of it.
        draft = settings.ready_file.with_suffix(".draft")
        draft.write_text(line)
        draft.replace(settings.ready_file)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """The exit code: 0 after a stop signal, the error's own for a wrong setting."""
    try:
        asyncio.run(_serve(load_settings(StandinSettings)))
    except UserError as error:
        sys.stderr.write(f"{error.message}\n{error.hint or ''}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
