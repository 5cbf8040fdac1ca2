"""What our client's roles allow, as the service itself says: GET /api/v2/authorization/subjects/me.

https://developer.genesys.cloud/devapps/api-explorer (Authorization): the SDK's AuthzSubject. It takes no permission.
Only `check` asks; the bot learns it from a 403.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.validation.names import clean
from bot.genesys.client import GenesysClient
from bot.genesys.parsing import read_object

ME = "/api/v2/authorization/subjects/me?includeFullRoles=true"
Policy = tuple[str, str, str]
NEEDS = "the right to look at its own roles"


@dataclass(frozen=True, slots=True)
class ClientPermissions:
    """`names` of the roles; `policies` as (domain, entity, action), each of which may be `*`.

    `is_whole`: what every role allows was said, so that what is not in there is not allowed. `divided`: the name of the
    division with each policy that a grant gives in one division only.
    """

    names: tuple[str, ...]
    policies: frozenset[Policy]
    is_whole: bool
    divided: frozenset[tuple[Policy, str]] = frozenset()

    def allow(self, permission: str) -> bool:
        """Whether one of them does, in some division; `permission` is written domain:entity:action."""
        return any(_fits(one, permission) for one in self.policies) or bool(self._divisions(permission))

    def divisions(self, permission: str) -> tuple[str, ...]:
        """The names of the only divisions in which one of them allows it; empty for all divisions, and for none."""
        return () if any(_fits(one, permission) for one in self.policies) else self._divisions(permission)

    def _divisions(self, permission: str) -> tuple[str, ...]:
        return tuple(sorted({name for one, name in self.divided if _fits(one, permission)}))


async def view_roles(client: GenesysClient) -> ClientPermissions:
    """Those of the client that this call's token was given to. Raises ServiceError."""
    return read_roles(read_object(await client.call("GET", ME, needs=NEEDS, safe=True)))


def read_roles(body: dict[str, object]) -> ClientPermissions:
    """An AuthzSubject, whatever of it there is."""
    grants = [(grant.get("role"), _division(grant)) for grant in _objects(body.get("grants"))]
    known = [(role, division) for role, division in grants if isinstance(role, dict)]
    told = [(role, division) for role, division in known if isinstance(role.get("policies"), list)]
    policies = [(policy, division) for role, division in told for policy in _policies(role["policies"])]
    return ClientPermissions(
        names=tuple(dict.fromkeys(clean(str(role.get("name") or ""), 60) for role, _ in known)),
        policies=frozenset(policy for policy, division in policies if not division),
        is_whole=bool(grants) and len(told) == len(grants),
        divided=frozenset((policy, division) for policy, division in policies if division),
    )


def _division(grant: dict[str, object]) -> str:
    """The one division that a grant is for; "" for all of them, whose id is `*`."""
    division = grant.get("division")
    found = division if isinstance(division, dict) else {}
    named = str(found.get("name") or found.get("id") or "")[:60]
    return "" if str(found.get("id") or "*") == "*" else named


def _fits(policy: Policy, permission: str) -> bool:
    return all(has in ("*", part) for has, part in zip(policy, permission.split(":"), strict=True))


def _policies(listed: object) -> Iterator[Policy]:
    for policy in _objects(listed):
        actions = policy.get("actions")
        for action in actions if isinstance(actions, list) else ():
            yield str(policy.get("domain")), str(policy.get("entityName") or "*"), str(action)


def _objects(value: object) -> Iterator[dict[str, object]]:
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())
