"""Read Slack's HTTP responses, and name the errors of calls for logs.

A response may come from a proxy instead of Slack. So the bot follows no redirect, and rejects a body of more than
MAX_RESPONSE_BYTES.
"""

import asyncio
import json
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

MAX_RESPONSE_BYTES = 2 * 1024 * 1024
MAX_WORD_LENGTH = 60
"""The maximum length of a value from Slack, such as an error code, in a log line or message, in characters."""
MAX_CAUSES = 8
"""The maximum number of exceptions in a chain of causes that `error_label` looks at."""

CALL_ERRORS = (SlackApiError, SlackClientError, aiohttp.ClientError, TimeoutError, ValueError)
"""The exceptions that slack_sdk raises when a call fails."""
MALFORMED_ERRORS = (AttributeError, KeyError, TypeError)
"""The exceptions that code raises on JSON of an unexpected shape, including slack_sdk's code."""


def granted_scopes(headers: Mapping[str, str]) -> frozenset[str]:
    """Return the scopes of the token that a call was made with; empty if Slack does not list them.

    `headers`: the headers of Slack's answer.
    """
    listed = headers.get("x-oauth-scopes", "")
    return frozenset(scope.strip() for scope in listed.split(",") if scope.strip())


class SlackAnswer(aiohttp.ClientResponse):
    """An HTTP response of Slack that raises an error for a redirect or a large body.

    Pass this class as `response_class` to aiohttp.ClientSession.
    """

    async def start(self, connection: Any) -> "SlackAnswer":
        """Read the status and headers. Raises aiohttp.ClientResponseError for a redirect."""
        await super().start(connection)
        if 300 <= self.status < 400:
            raise aiohttp.ClientResponseError(self.request_info, self.history, status=self.status, message="a redirect")
        return self

    async def read(self) -> bytes:
        """Read the body. Raises aiohttp.ClientPayloadError for a body of more than MAX_RESPONSE_BYTES."""
        if self._body is None:
            is_complete = self.content.is_eof()  # nearly every body arrives together with its headers
            body = self.content.read_nowait() if is_complete else await self._read_chunks()
            if len(body) > MAX_RESPONSE_BYTES:
                self.close()
                raise aiohttp.ClientPayloadError("the answer is too long")
            self._body = body
        return await super().read()

    async def _read_chunks(self) -> bytes:
        """Read and return the body. After more than MAX_RESPONSE_BYTES, return the incomplete body."""
        body = bytearray()
        async for chunk in self.content.iter_any():
            body += chunk
            if len(body) > MAX_RESPONSE_BYTES:
                break
        return bytes(body)


def error_code(error: SlackApiError) -> str:
    """Return the error code in Slack's answer; "" if the answer is not JSON or has no code."""
    data = getattr(error.response, "data", None)
    return word(data.get("error")) if isinstance(data, dict) else ""


def word(value: object) -> str:
    """Convert a value in Slack's answer, such as an error code, to a text. Cut the text to MAX_WORD_LENGTH characters.

    Return "" for None and any other false value, such as 0.
    """
    return str(value or "")[:MAX_WORD_LENGTH]


def retry_after_seconds(error: SlackApiError) -> float:
    """Return the `Retry-After` of Slack's answer in seconds; 0.0 if it is missing or not a number."""
    value = str((getattr(error.response, "headers", None) or {}).get("Retry-After", ""))
    return float(value) if re.fullmatch("[0-9]{1,9}", value) else 0.0


def is_page(body: bytes) -> bool:
    """Return whether a body begins with `<`. Such a body is a web page, such as a proxy's, and not Slack's answer."""
    return body.lstrip().startswith(b"<")


def error_label(error: BaseException | None) -> str:
    """Return a short name of an error for logs, such as `timed_out` or Slack's own error code.

    The name is that of the first known error among `error` and its causes. Return "other" if none of them is known, or
    if `error` is None.
    """
    for each in _with_causes(error):
        if label := _label(each):
            return label
    return "other"


def _with_causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found and len(found) < MAX_CAUSES:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _label(error: BaseException) -> str:
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
        return _label(error.os_error)
    return _connection_label(error) or _response_label(error)


def _connection_label(error: BaseException) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "connection_refused"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return "no_web_socket"
    if isinstance(error, aiohttp.ClientConnectionError | ConnectionError):
        return "connection_lost"
    return "not_connected" if isinstance(error, OSError) else ""


def _response_label(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.WebSocketError):
        return "answer_cut_off"
    if isinstance(error, aiohttp.ClientResponseError):
        return f"http_{error.status}" if error.status else "not_http"
    if isinstance(error, json.JSONDecodeError):
        return "not_json"
    if isinstance(error, (*MALFORMED_ERRORS, ValueError)):
        return "misshapen_answer"
    return "unusable_answer" if isinstance(error, SlackClientError | aiohttp.ClientError) else ""
