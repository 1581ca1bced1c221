"""A port for what goes away and comes back: no program is given it as the near end of a connection."""

import random
from pathlib import Path

from onelead.edition import ports
from shared.errors import UserError

_LOWEST, _TRIES = 15_000, 50
_GIVEN_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")
_OFTEN = 32_768


def lasting_port() -> int:
    """A free port below those the system gives to whoever connects. Raises UserError when none is found.

    Of those, one that is free while its server restarts may be anybody's, even the near end of the
    connection that looks for the server.
    """
    highest = int(_GIVEN_OUT.read_text().split()[0]) if _GIVEN_OUT.exists() else _OFTEN
    for port in random.sample(range(_LOWEST, highest), _TRIES):
        try:
            return ports.claim(port, "")
        except UserError:
            continue
    raise UserError(f"no free port on {ports.HOST} between {_LOWEST} and {highest}")
