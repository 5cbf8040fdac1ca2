"""Build the responses that `cobrowse-bot check` reads.

The responses describe the access token, the roles of the OAuth client, and the server's time.
"""

import time
from collections.abc import Collection
from email.utils import formatdate

from aiohttp import web

from bot.sandbox.genesys.api.login import Login


def token_info(login: Login, request: web.Request) -> web.Response:
    """Return a description of the access token of an HTTP request, in the shape of the SDK's TokenInfo.

    The response has the organization, the OAuth client and the scopes of the token.
    """
    organization = {"id": login.org_id, "name": "Sandbox"}
    grant = login.grant(request)
    client = {"id": login.client_id, "name": "cobrowse-bot", "organization": organization}
    scopes = {"authorizedScope": sorted(grant.scopes) if grant else []}
    both = {"organization": organization, "homeOrganization": organization}
    return web.json_response({**both, "OAuthClient": client, **scopes})


PERMISSIONS = (
    "analytics:agentConversationDetail:view",
    "analytics:conversationDetail:view",
    "conversation:agentlessEmail:send",
    "conversation:cobrowse:add",
    "conversation:cobrowseVoice:add",
    "conversation:communication:view",
    "conversation:email:create",
    "conversation:message:create",
    "directory:user:view",
)
"""The permissions of the OAuth client's role. A test can declare some of them missing."""


def authorization_subject(
    login: Login, request: web.Request, missing_permissions: Collection[str], only_division: str = ""
) -> web.Response:
    """Return the OAuth client and its only role, in the shape of the SDK's AuthzSubject.

    If the HTTP request has the query `includeFullRoles=true`, the response also has the permissions of the role.

    - `missing_permissions`: the permissions that the role lacks. The response leaves them out.
    - `only_division`: the name of the only division in which the client has the role; "" if the client has the role in
      all divisions.
    """
    role: dict[str, object] = {"id": "b4ad8bd0-0000-4000-8000-000000000001", "name": "Co-browse bot", "default": False}
    if request.query.get("includeFullRoles") == "true":
        allowed = [permission.split(":") for permission in PERMISSIONS if permission not in missing_permissions]
        role["policies"] = [
            {"domain": domain, "entityName": entity, "actions": [action]} for domain, entity, action in allowed
        ]
    grant = {"subjectId": login.client_id, "division": {"id": "*", "name": ""}, "role": role}
    if only_division:
        grant["division"] = {"id": "7f64ac52-0000-4000-8000-000000000001", "name": only_division}
    fields = {"id": login.client_id, "name": "cobrowse-bot", "grants": [grant]}
    return web.json_response({**fields, "selfUri": "/api/v2/authorization/subjects/me"})


def date_header(offset_seconds: float) -> str:
    """Return a value of the HTTP header Date: the current time plus `offset_seconds`."""
    return formatdate(time.time() + offset_seconds, usegmt=True)
