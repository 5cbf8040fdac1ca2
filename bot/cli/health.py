"""Ask the bot on this machine whether it lives: for the health command of containers. Goes through no proxy."""

import http.client
from collections.abc import Mapping

from bot.config import settings

ANSWER_SECONDS = 4.0
ALL, LOOPBACK = ("0.0.0.0", "::", "*"), ("127.0.0.1", "::1")  # noqa: S104 - what HOST may say


def why_not_alive(environ: Mapping[str, str]) -> str:
    """Return "" when GET /healthz answers 200, else a sentence. Raises SettingsError."""
    host, port = settings.load_health_address(environ)
    tried = ""
    for address in LOOPBACK if host in ALL else (host,):
        tried = _why_not(address, port)
        if not tried:
            return ""
    hint = "" if environ.get("HEALTH_PORT") else " In Socket Mode, set HEALTH_PORT."
    return f"The bot does not answer on port {port} of {host}: {tried}.{hint}"


def _why_not(address: str, port: int) -> str:
    connection = http.client.HTTPConnection(address, port, timeout=ANSWER_SECONDS / 2)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        timed_out = "no answer in time" if isinstance(error, TimeoutError) else "an answer that is not HTTP"
        return getattr(error, "strerror", None) or timed_out
    finally:
        connection.close()
    return "" if status == 200 else f"status {status}"
