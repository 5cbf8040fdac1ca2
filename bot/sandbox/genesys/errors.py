"""Define the error responses of the sandbox's Genesys, and check the bodies of HTTP requests."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from aiohttp import web

CORRELATION_HEADER = "ININ-Correlation-Id"
USER_CONTEXT = "This request requires a user context. Client credentials cannot be used for requests to this resource."

OTHER_DIVISION = (
    "Unable to perform the requested action. You are missing the following permission(s):"
    " conversation:communication:view in division Billing"
)
ACTIVE_CONVERSATION = (
    "There is an active conversation with this address. Set useExistingActiveConversation to send the message in it."
)


class ApiError(Exception):
    """An error that the sandbox's Genesys sends as an error response in the shape of Genesys's API.

    - `status`: the HTTP status of the response.
    - `code`: Genesys's error code, such as `not.found`.
    - `headers`: additional headers of the response.
    """

    def __init__(
        self, status: int, message: str, code: str = "bad.request", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.headers = status, message, code, dict(headers or {})

    def body(self, context_id: str) -> dict[str, Any]:
        fields = {"message": self.message, "code": self.code, "status": self.status, "contextId": context_id}
        return fields | {"details": [], "errors": []}

    def response(self) -> web.Response:
        context_id = str(uuid.uuid4())
        headers = self.headers | {CORRELATION_HEADER: context_id}
        return web.json_response(self.body(context_id), status=self.status, headers=headers)


class OAuthError(ApiError):
    """An error that the token endpoint sends as an error response (RFC 6749 section 5.2).

    `code`: the value of the response's field `error`.
    """

    def body(self, context_id: str) -> dict[str, Any]:
        return {"error": self.code, "error_description": self.message}


def rate_limited(seconds: int) -> ApiError:
    """Return the error for a call that exceeds Genesys's rate limit.

    `seconds`: the value of the header Retry-After.
    """
    message = f"Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds"
    return ApiError(429, message, "too.many.requests", {"Retry-After": str(seconds)})


# -- Request validation --


def is_uuid(text: object) -> bool:
    """Return whether `text` is a string in the form of a UUID: 8, 4, 4, 4 and 12 hexadecimal digits, with hyphens.

    The digits a to f can be in upper or lower case.
    """
    return isinstance(text, str) and bool(re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text))


async def read_json(request: web.Request, keys: set[str]) -> dict[str, Any]:
    """Return the JSON object in the body of an HTTP request.

    Raises ApiError (415) if the content type is not application/json. Raises ApiError (400) if the body is not an
    object, if one of `keys` is missing, or if the object has another key.
    """
    if request.content_type != "application/json":
        raise ApiError(415, "Content-Type must be application/json.", "unsupported.media.type")
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise ApiError(400, "The body is not JSON.") from error
    if not isinstance(body, dict) or set(body) != keys:
        raise ApiError(400, f"The body must be an object with: {', '.join(sorted(keys))}.")
    return body


def check_create(body: Mapping[str, Any]) -> None:
    """Check the body of a call that creates a session.

    Raises ApiError (400) unless each of these fields is valid:

    - `sessionName`: a string.
    - `timeoutSeconds`: an integer of at least 1.
    - `metadata`: an object of strings.
    - `application`: an object in which `id` and `type` are strings.
    """
    seconds, metadata, application = body["timeoutSeconds"], body["metadata"], body["application"]
    if not isinstance(body["sessionName"], str):
        raise ApiError(400, "sessionName must be a string.")
    if type(seconds) is not int or seconds < 1:
        raise ApiError(400, "timeoutSeconds must be a whole number above 0.")
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ApiError(400, "metadata must be an object of strings.")
    if not isinstance(application, dict) or not all(isinstance(application.get(key), str) for key in ("id", "type")):
        raise ApiError(400, "application must be an object with id and type.")


def search_terms(body: Mapping[str, Any]) -> list[tuple[list[str], str, bool]]:
    """Return the search terms in the body of a call of `/api/v2/users/search`.

    Each search term is a tuple of the names of the fields to search, the searched text in lower case, and a flag. The
    flag is True if one of the fields must equal the text, False if one of the fields must contain the text.

    Raises ApiError (400) for a search that the sandbox does not support.
    """
    query, size = body["query"], body["pageSize"]
    if type(size) is not int or not 1 <= size <= 500 or not isinstance(query, list) or not query:
        raise ApiError(400, "pageSize must be 1 to 500 and query a list.")
    for term in query:
        if not isinstance(term, dict) or set(term) != {"fields", "value", "type"}:
            raise ApiError(400, "A query term has fields, value and type.")
        form = (term["fields"], term["type"])
        if form not in ((["email"], "EXACT"), (["name", "email"], "CONTAINS")) or not isinstance(term["value"], str):
            raise ApiError(400, "EXACT searches for an email and CONTAINS for name and email are known here.")
    return [(term["fields"], term["value"].lower(), term["type"] == "EXACT") for term in query]
