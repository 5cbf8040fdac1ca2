"""What our client's roles allow, as the service itself says: GET /api/v2/authorization/subjects/me.

https://developer.genesys.cloud/devapps/api-explorer (Authorization): the SDK's AuthzSubject. It takes no permission.
Only `check` asks; the bot learns it from a 403.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.desk.names import clean
from bot.genesys.answers import read_object
from bot.genesys.client import GenesysClient

ME = "/api/v2/authorization/subjects/me?includeFullRoles=true"
NEEDS = "the right to look at its own roles"


@dataclass(frozen=True, slots=True)
class Roles:
    """`names` of the roles; `policies` as (domain, entity, action), each of which may be `*`.

    `is_whole`: what every role allows was said, so that what is not in there is not allowed.
    """

    names: tuple[str, ...]
    policies: frozenset[tuple[str, str, str]]
    is_whole: bool

    def allow(self, permission: str) -> bool:
        """Whether one of them does; `permission` is written domain:entity:action."""
        wanted = permission.split(":")
        return any(all(has in ("*", part) for has, part in zip(one, wanted, strict=True)) for one in self.policies)


async def view_roles(client: GenesysClient) -> Roles:
    """Those of the client that this call's token was given to. Raises ServiceError."""
    return read_roles(read_object(await client.call("GET", ME, needs=NEEDS, safe=True)))


def read_roles(body: dict[str, object]) -> Roles:
    """An AuthzSubject, whatever of it there is."""
    roles = [grant.get("role") for grant in _objects(body.get("grants"))]
    known = [role for role in roles if isinstance(role, dict)]
    told = [role for role in known if isinstance(role.get("policies"), list)]
    return Roles(
        names=tuple(dict.fromkeys(clean(str(role.get("name") or ""), 60) for role in known)),
        policies=frozenset(policy for role in told for policy in _policies(role["policies"])),
        is_whole=bool(roles) and len(told) == len(roles),
    )


def _policies(listed: object) -> Iterator[tuple[str, str, str]]:
    for policy in _objects(listed):
        actions = policy.get("actions")
        for action in actions if isinstance(actions, list) else ():
            yield str(policy.get("domain")), str(policy.get("entityName") or "*"), str(action)


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())
