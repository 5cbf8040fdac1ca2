"""Whether the bot could listen where HOST, PORT and HEALTH_PORT say. Nothing listens there afterwards."""

import errno
import socket

from bot.check.results import Finding, right, wrong
from bot.config.settings import Settings
from bot.server import ALL_ADDRESSES, all_addresses


def look(whole: Settings) -> list[Finding]:
    """One finding where something is to listen."""
    ports = {"HEALTH_PORT": whole.health_port} if whole.health_port else {}
    if whole.slack.mode == "http":
        ports["PORT"] = whole.port
    faults = [fault for name, port in ports.items() if port is not None and (fault := _fault(whole.host, port, name))]
    if faults or not ports:
        return faults
    return [right("address", f"{whole.host}, port {' and '.join(map(str, ports.values()))}: is of this machine")]


def _fault(host: str, port: int, name: str) -> Finding | None:
    """A port that is taken is none: the bot itself may run beside this."""
    try:
        if host in ALL_ADDRESSES:
            all_addresses(port).close()
        else:
            family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, proto) as bound:
                bound.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return None
        what = f"HOST: cannot listen on {host}:{port} ({error.strerror})."
        return wrong("address", what, f"Set HOST to an address of this machine, or {name} to another port.")
    return None
