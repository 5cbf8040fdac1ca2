"""Build responses that `cobrowse-bot check` reads: about the token, the roles of its client, and the server's clock."""

import time
from collections.abc import Collection
from email.utils import formatdate

from aiohttp import web

from bot.sandbox.genesys.api.login import Login


def token_info(login: Login, request: web.Request) -> web.Response:
    """Build the response about the request's token, in the shape of the SDK's TokenInfo.

    It holds the organization, the OAuth client and the scopes.
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
    """Build the response about the OAuth client's roles, in the shape of the SDK's AuthzSubject.

    If the query has `includeFullRoles=true`, the response holds the policies of the roles. `missing_permissions` are
    left out of them. `only_division` is the name of the only division in which the client has its role; "" means all
    divisions.
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
    """Return a value of the HTTP header Date, from a clock that is `offset_seconds` ahead of this machine's clock."""
    return formatdate(time.time() + offset_seconds, usegmt=True)
