"""Picks ports, or says who holds the one that was asked for and which setting moves it."""

import errno
import socket

import psutil

from shared.errors import UserError

HOST = "127.0.0.1"


def claim(port: int, setting: str) -> int:
    """The port itself if it is free, any free one for 0. Raises UserError when it is in use.

    `setting` is the name of the setting that the port came from.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(
                _why(port, error), hint=f"set {setting} to another port, or to 0 for a free one"
            ) from None
        return int(probe.getsockname()[1])


def claim_range(base: int, names: tuple[str, ...], setting: str) -> dict[str, int]:
    """One port for each name, counted up from `base`; free ones when it is 0."""
    return {
        name: claim(base + position if base else 0, setting) for position, name in enumerate(names)
    }


def answers(port: int, timeout_s: float = 0.5) -> bool:
    """Whether something accepts connections on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(timeout_s)
        return probe.connect_ex((HOST, port)) == 0


def _why(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {HOST} is in use by {_holder(port)}"
    return f"port {port} on {HOST} cannot be used: {error.strerror}"


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN
            local = connection.laddr and connection.laddr[1]
            if listening and local == port and connection.pid:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (process {process.pid})"
    except psutil.Error:
        pass
    return "another program (perhaps a Kafka or an OneLead that runs already)"
