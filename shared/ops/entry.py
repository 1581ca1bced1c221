"""The entry point all services share: settings, logs, then the service's own composition root."""

import asyncio
import sys
from collections.abc import Callable
from typing import TypeVar

from shared.errors import UserError
from shared.ops.logs import configure_logs, get_logger
from shared.ops.runtime import Service, run_until_signalled
from shared.settings import ServiceSettings, load_settings

S = TypeVar("S", bound=ServiceSettings)


def run_service(name: str, settings_class: type[S], make: Callable[[S], Service]) -> None:
    """Runs a service until SIGTERM or SIGINT; a wrong setting ends it with 2 and one line."""
    try:
        settings = load_settings(settings_class)
        configure_logs(name, settings.log_level)
        asyncio.run(run_until_signalled(lambda: make(settings)))
    except UserError as error:
        get_logger(name).error("cannot run", error=error.message, hint=error.hint)
        sys.stderr.write(f"onelead {name}: {error.message}\n")
        sys.exit(error.exit_code)
