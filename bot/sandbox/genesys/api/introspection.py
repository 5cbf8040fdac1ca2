"""What the sandbox's Genesys says of a token, of its client's roles, and of the time: enough for `check`."""

import time
from collections.abc import Collection
from email.utils import formatdate

from aiohttp import web

from bot.sandbox.genesys.api.login import Login


def token_info(login: Login, request: web.Request) -> web.Response:
    """Genesys Cloud's TokenInfo: the organisation, the client and the scopes that the token was granted."""
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
"""What the client's role allows, unless it `lacks` some of it."""


def subject(login: Login, request: web.Request, lacks: Collection[str], division: str = "") -> web.Response:
    """Genesys Cloud's AuthzSubject: the client's grants, and what their roles allow when that is asked for.

    `division`: the name of the only one that the role is granted in.
    """
    role: dict[str, object] = {"id": "b4ad8bd0-0000-4000-8000-000000000001", "name": "Co-browse bot", "default": False}
    if request.query.get("includeFullRoles") == "true":
        allowed = [permission.split(":") for permission in PERMISSIONS if permission not in lacks]
        role["policies"] = [
            {"domain": domain, "entityName": entity, "actions": [action]} for domain, entity, action in allowed
        ]
    grant = {"subjectId": login.client_id, "division": {"id": "*", "name": ""}, "role": role}
    if division:
        grant["division"] = {"id": "7f64ac52-0000-4000-8000-000000000001", "name": division}
    told = {"id": login.client_id, "name": "cobrowse-bot", "grants": [grant]}
    return web.json_response({**told, "selfUri": "/api/v2/authorization/subjects/me"})


def date(ahead_seconds: float) -> str:
    """A Date header by a clock that is so far ahead."""
    return formatdate(time.time() + ahead_seconds, usegmt=True)
