"""What our token may do, as the service itself says: GET /api/v2/tokens/me.

https://developer.genesys.cloud/devapps/api-explorer (Tokens). Only `check` asks; the bot learns it from a 403.
"""

from dataclasses import dataclass

from bot.genesys.client import GenesysClient
from bot.genesys.parsing import read_object

ME = "/api/v2/tokens/me"
NEEDS = "the right to look at its own token"


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """Empty where the service does not say. A client of roles, not scopes, has no scopes in its answer."""

    organization_id: str
    organization: str
    scopes: frozenset[str]


async def view_token(client: GenesysClient) -> TokenInfo:
    """What the service says of the token that this call carries. Raises ServiceError."""
    body = read_object(await client.call("GET", ME, needs=NEEDS, safe=True))
    organization, scopes = body.get("organization"), body.get("authorizedScope")
    named = organization if isinstance(organization, dict) else {}
    return TokenInfo(
        organization_id=str(named.get("id") or ""),
        organization=str(named.get("name") or "")[:60],
        scopes=frozenset(map(str, scopes)) if isinstance(scopes, list) else frozenset(),
    )
