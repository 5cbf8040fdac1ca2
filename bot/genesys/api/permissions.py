"""Read the permissions that the roles of the bot's OAuth client grant: GET /api/v2/authorization/subjects/me.

Genesys's SDK names the type of the answer AuthzSubject: https://developer.genesys.cloud/devapps/api-explorer
(Authorization). The call needs no permission.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.core.validation.display import clean
from bot.genesys.client import GenesysClient
from bot.genesys.parsing import objects, read_object

ME = "/api/v2/authorization/subjects/me?includeFullRoles=true"
Policy = tuple[str, str, str]
NEEDS = "the right to look at its own roles"


@dataclass(frozen=True, slots=True)
class ClientPermissions:
    """The permissions that the roles of an OAuth client grant.

    - `names`: the names of the roles.
    - `policies`: the permissions that hold in all divisions, as (domain, entity, action). Each part may be `*`.
    - `by_division`: the permissions that are limited to divisions, as pairs of a permission and a division's name. A
      permission in several divisions has several pairs.
    - `is_complete`: False if Genesys's answer lacks the permissions of a role, or lists no role. The client may then
      have more permissions.
    """

    names: tuple[str, ...]
    policies: frozenset[Policy]
    is_complete: bool
    by_division: frozenset[tuple[Policy, str]] = frozenset()

    def allow(self, permission: str) -> bool:
        """Return whether the client has `permission` (`domain:entity:action`) in at least one division."""
        return any(_matches(one, permission) for one in self.policies) or bool(self._divisions(permission))

    def divisions(self, permission: str) -> tuple[str, ...]:
        """Return the sorted names of the divisions to which the client's `permission` is limited.

        Return () if the client has the permission in all divisions, or in no division.
        """
        return () if any(_matches(one, permission) for one in self.policies) else self._divisions(permission)

    def _divisions(self, permission: str) -> tuple[str, ...]:
        return tuple(sorted({name for one, name in self.by_division if _matches(one, permission)}))


async def fetch_permissions(client: GenesysClient) -> ClientPermissions:
    """Read the permissions of the bot's OAuth client from Genesys. Raises ServiceError if the call fails."""
    return read_permissions(read_object(await client.call("GET", ME, needs=NEEDS, safe=True)))


def read_permissions(body: dict[str, object]) -> ClientPermissions:
    """Read the permissions of an OAuth client from the body of Genesys's answer.

    Missing and malformed parts of the answer count as empty.
    """
    grants = [(grant.get("role"), _division(grant)) for grant in objects(body.get("grants"))]
    roles = [(role, division) for role, division in grants if isinstance(role, dict)]
    listed = [(role, division) for role, division in roles if isinstance(role.get("policies"), list)]
    policies = [(policy, division) for role, division in listed for policy in _policies(role["policies"])]
    return ClientPermissions(
        names=tuple(dict.fromkeys(clean(str(role.get("name") or ""), 60) for role, _ in roles)),
        policies=frozenset(policy for policy, division in policies if not division),
        is_complete=bool(grants) and len(listed) == len(grants),
        by_division=frozenset((policy, division) for policy, division in policies if division),
    )


def _division(grant: dict[str, object]) -> str:
    """Return the name of the division to which a grant is limited; "" if the grant holds in all divisions."""
    division = grant.get("division")
    found = division if isinstance(division, dict) else {}
    named = str(found.get("name") or found.get("id") or "")[:60]
    return "" if str(found.get("id") or "*") == "*" else named


def _matches(policy: Policy, permission: str) -> bool:
    parts = permission.split(":")
    return len(parts) == len(policy) and all(has in ("*", part) for has, part in zip(policy, parts, strict=True))


def _policies(listed: object) -> Iterator[Policy]:
    for policy in objects(listed):
        actions = policy.get("actions")
        for action in actions if isinstance(actions, list) else ():
            yield str(policy.get("domain")), str(policy.get("entityName") or "*"), str(action)
