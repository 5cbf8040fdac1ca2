"""Check whether the bot can listen on the address HOST with PORT and HEALTH_PORT.

The check opens a socket on each port for a moment, and closes the socket again.
"""

import errno
import socket

from bot.check.results import CheckResult, failed, ok
from bot.config.settings import ProcessSettings
from bot.server import ALL_ADDRESSES, all_addresses


def check_ports(settings: ProcessSettings, *, over_http: bool) -> list[CheckResult]:
    """Check whether the bot can listen on its ports, and return the results.

    - A failed result for each port on which the bot cannot listen.
    - One OK result for all ports together, if no port has a failed result.
    - No result, if the bot uses no port.

    `over_http`: whether Slack sends payloads over HTTP, so that the bot uses PORT.
    """
    ports = {"HEALTH_PORT": settings.health_port} if settings.health_port else {}
    if over_http:
        ports["PORT"] = settings.port
    faults = [
        fault for name, port in ports.items() if port is not None and (fault := _check_port(settings.host, port, name))
    ]
    if faults or not ports:
        return faults
    return [ok("address", f"{settings.host}, port {' and '.join(map(str, ports.values()))}: is of this machine")]


def _check_port(host: str, port: int, name: str) -> CheckResult | None:
    """Return a failed result if the bot cannot listen on this port; None if it can, or if the port is in use.

    A port in use is no problem, because the bot itself may be running. `name`: the name of the setting with the port.
    """
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
        message = f"HOST: cannot listen on {host}:{port} ({error.strerror})."
        return failed("address", message, f"Set HOST to an address of this machine, or {name} to another port.")
    return None
