"""Check whether the bot on this machine answers, for the health check of a container."""

import http.client
from collections.abc import Mapping

from bot.config import settings

ANSWER_TIMEOUT = 4.0
ALL, LOOPBACK = ("0.0.0.0", "::", "*"), ("127.0.0.1", "::1")  # noqa: S104 - values of HOST


def liveness_error(environ: Mapping[str, str]) -> str:
    """Send GET /healthz to the bot on this machine, and return what is wrong.

    Return "" if the status of the answer is 200, else a sentence about the problem. Use no proxy. Raises SettingsError
    if HOST, PORT or HEALTH_PORT has a fault.
    """
    host, port = settings.load_part(settings.read_health_address, environ)
    error = ""
    for address in LOOPBACK if host in ALL else (host,):
        error = _liveness_error_at(address, port)
        if not error:
            return ""
    hint = (
        "" if environ.get("HEALTH_PORT") or environ.get("COBROWSE_WORKSPACES") else " In Socket Mode, set HEALTH_PORT."
    )
    return f"The bot does not answer on port {port} of {host}: {error}.{hint}"


def _liveness_error_at(address: str, port: int) -> str:
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_TIMEOUT / 2)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        timed_out = "no answer in time" if isinstance(error, TimeoutError) else "an answer that is not HTTP"
        return getattr(error, "strerror", None) or timed_out
    finally:
        connection.close()
    return "" if status == 200 else f"status {status}"
