"""A plain word for what ended a call to Slack: for log lines and `check`, which carry no names of classes (pure)."""

import asyncio
import json
import socket
import ssl

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.slack.api.responses import MISSHAPEN, error_code

MAX_CAUSES = 8
"""So many causes of a cause are looked at."""


def word_for(error: BaseException | None) -> str:
    """Return a word such as `timed_out`, `connection_refused` or Slack's own code."""
    for each in _with_causes(error):
        if word := _word(each):
            return word
    return "other"


def _with_causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found and len(found) < MAX_CAUSES:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _word(error: BaseException) -> str:
    if isinstance(error, SlackApiError):
        return error_code(error) or "no_code"
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return "timed_out"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
        return "tls_failed"
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "name_not_found"
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return "proxy_refused"
    if isinstance(error, aiohttp.ClientConnectorError):
        return _word(error.os_error)
    return _word_of_connection(error) or _word_of_answer(error)


def _word_of_connection(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection_refused"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return "no_web_socket"
    if isinstance(error, aiohttp.ClientConnectionError | ConnectionError):
        return "connection_lost"
    return "not_connected" if isinstance(error, OSError) else ""


def _word_of_answer(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.WebSocketError):
        return "answer_cut_off"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"http_{error.status}" if error.status else "not_http"
    if isinstance(error, json.JSONDecodeError):
        return "not_json"
    if isinstance(error, (*MISSHAPEN, ValueError)):
        return "misshapen_answer"
    return "unusable_answer" if isinstance(error, SlackClientError | aiohttp.ClientError) else ""
