"""Read the organization and scopes of the bot's token: GET /api/v2/tokens/me.

https://developer.genesys.cloud/devapps/api-explorer (Tokens)
"""

from dataclasses import dataclass

from bot.genesys.client import GenesysClient
from bot.genesys.parsing import read_object

ME = "/api/v2/tokens/me"
NEEDS = "the right to look at its own token"


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """The organization and the scopes of a token.

    - `organization_id`, `organization`: the id and the name; "" if Genesys's answer has none.
    - `scopes`: empty if the OAuth client has roles and no scopes.
    """

    organization_id: str
    organization: str
    scopes: frozenset[str]


async def fetch_token_info(client: GenesysClient) -> TokenInfo:
    """Read the organization and scopes of the bot's own token from Genesys. Raises ServiceError if the call fails."""
    body = read_object(await client.call("GET", ME, needs=NEEDS, safe=True))
    organization, scopes = body.get("organization"), body.get("authorizedScope")
    named = organization if isinstance(organization, dict) else {}
    return TokenInfo(
        organization_id=str(named.get("id") or ""),
        organization=str(named.get("name") or "")[:60],
        scopes=frozenset(map(str, scopes)) if isinstance(scopes, list) else frozenset(),
    )
