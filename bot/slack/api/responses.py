"""What may be taken from an answer of Slack's, which need not be Slack's at all: something on the way may have spoken.

No redirect is followed, since a command's answer holds a link that is nobody else's; no body is read without an end.
"""

import re
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

MOST_BYTES = 2 * 1024 * 1024
WORD_LENGTH = 60
"""Characters of a word of Slack's; its longest is half as long."""

TROUBLE = (SlackApiError, SlackClientError, aiohttp.ClientError, TimeoutError, ValueError)
"""What slack_sdk raises when a call comes to nothing."""
MISSHAPEN = (AttributeError, KeyError, TypeError)
"""And when an answer is JSON of another shape: slack_sdk itself takes it for an object."""


class SlackAnswer(aiohttp.ClientResponse):
    """For a session's `response_class`."""

    async def start(self, connection: Any) -> "SlackAnswer":
        """Raises ClientResponseError for a redirect."""
        await super().start(connection)
        if 300 <= self.status < 400:
            raise aiohttp.ClientResponseError(self.request_info, self.history, status=self.status, message="a redirect")
        return self

    async def read(self) -> bytes:
        """Raises ClientPayloadError for what is too long."""
        if self._body is None:
            is_here = self.content.is_eof()  # with its headers, as nearly all are
            body = self.content.read_nowait() if is_here else await self._pieces()
            if len(body) > MOST_BYTES:
                self.close()
                raise aiohttp.ClientPayloadError("the answer is too long")
            self._body = body
        return await super().read()

    async def _pieces(self) -> bytes:
        """The body, or a little more of it than is read of any."""
        body = bytearray()
        async for chunk in self.content.iter_any():
            body += chunk
            if len(body) > MOST_BYTES:
                break
        return bytes(body)


def error_code(error: SlackApiError) -> str:
    """Slack's word for it, "" when the answer had none: of one that is no JSON, slack_sdk keeps the bare response."""
    data = getattr(error.response, "data", None)
    return word(data.get("error")) if isinstance(data, dict) else ""


def word(value: object) -> str:
    """A word of an answer, such as an error code, cut to WORD_LENGTH; it reaches logs and people. "" for none."""
    return str(value or "")[:WORD_LENGTH]


def retry_after_seconds(error: SlackApiError) -> float:
    """Read Slack's `Retry-After` in seconds; 0.0 when there is none that can be used."""
    value = str((getattr(error.response, "headers", None) or {}).get("Retry-After", ""))
    return float(value) if re.fullmatch("[0-9]{1,9}", value) else 0.0


def is_page(body: bytes) -> bool:
    """Whether it is a web page, which is somebody else's answer, such as a proxy's."""
    return body.lstrip().startswith(b"<")
