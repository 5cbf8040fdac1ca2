"""What the sandbox's Genesys says of a token, and of the time: enough for `check`."""

import time
from email.utils import formatdate

from aiohttp import web

from bot.sandbox.genesys_login import Login


def token_info(login: Login, request: web.Request) -> web.Response:
    """Genesys Cloud's TokenInfo: the organisation, the client and the scopes that the token was granted."""
    organization = {"id": login.org_id, "name": "Sandbox"}
    grant = login.grant(request)
    client = {"id": login.client_id, "name": "cobrowse-bot", "organization": organization}
    scopes = {"authorizedScope": sorted(grant.scopes) if grant else []}
    both = {"organization": organization, "homeOrganization": organization}
    return web.json_response({**both, "OAuthClient": client, **scopes})


def date(ahead_seconds: float) -> str:
    """A Date header by a clock that is so far ahead."""
    return formatdate(time.time() + ahead_seconds, usegmt=True)
