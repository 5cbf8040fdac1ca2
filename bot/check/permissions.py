"""Check permissions for calls that `check` must not send, because the calls have an effect.

These calls create co-browse offers and notification channels, and send SMS and emails. The check compares the roles of
the OAuth client with the permissions that the calls need.
"""

from dataclasses import dataclass

from bot.check.results import CheckResult, failed, ok, warning
from bot.config.settings import ServiceSettings
from bot.core import errors
from bot.core.errors import SignInRequiredError
from bot.core.use_cases.customer_messages import MessagingConfig
from bot.genesys.api.channels import ChannelsApi
from bot.genesys.api.conversations import ADD, ADD_VOICE
from bot.genesys.api.customer_messages import ANY_FOR_EMAIL, SEND_SMS
from bot.genesys.api.live_conversations import VIEW
from bot.genesys.api.permissions import ClientPermissions, fetch_permissions
from bot.genesys.client import GenesysClient

OAUTH_PAGE = "in Genesys Cloud under Integrations › OAuth"


@dataclass(frozen=True, slots=True)
class Need:
    """An action for which the bot needs a permission.

    - `any_of`: the permissions. Any one of them allows the action.
    - `to`: the action in words, such as "send SMS".
    """

    any_of: tuple[str, ...]
    to: str

    def __str__(self) -> str:
        return f"{' or '.join(self.any_of)} (to {self.to})"


def needs(service: ServiceSettings, sending: MessagingConfig | None) -> list[Need]:
    """Return the actions that the bot needs permissions for, and that `check` cannot test with a call.

    The settings decide which actions these are.

    - `service`: the settings of the session service.
    - `sending`: the settings of messages to customers. None if the settings have faults; the result then contains no
      action that sends messages.
    """
    needed = []
    if service.conversations:
        needed.append(Need((VIEW,), "look at a conversation"))
        needed += [Need((ADD,), "offer co-browse in chats"), Need((ADD_VOICE,), "offer it in calls")]
    if sending and sending.sms_from:
        needed.append(Need((SEND_SMS,), "send SMS"))
    if sending and sending.email_from:
        needed.append(Need(ANY_FOR_EMAIL, "send email"))
    return needed


async def check_roles(client: GenesysClient, needed: list[Need]) -> CheckResult:
    """Check whether the OAuth client's roles allow all actions in `needed`. Return the result.

    The result is a warning in these cases:

    - Genesys does not say what the roles allow.
    - Only the permission for co-browse in calls is missing.
    - The roles allow an action only in some divisions.

    The result is a failed result if any other permission is missing. Raises ServiceError if Genesys cannot be asked.
    """
    listed = "; ".join(map(str, needed))
    unseen = f"Genesys does not say what the client's roles allow, and trying would create something. Needed: {listed}."
    fix = f"Look at the client's roles, {OAUTH_PAGE}; the first session or message will show it, too."
    try:
        roles = await fetch_permissions(client)
    except (errors.BadRequestError, errors.PermissionMissingError, errors.UnusableAnswerError, SignInRequiredError):
        return warning("roles", unseen, fix)
    missing = [need for need in needed if not any(map(roles.allow, need.any_of))]
    named = ", ".join(roles.names)
    if not missing:
        return _in_divisions(roles, needed) or ok("roles", f"the client's roles ({named}) allow {listed}")
    if not roles.is_complete:
        return warning("roles", unseen, fix)
    message = f"the client's roles ({named}) lack {'; '.join(map(str, missing))}."
    if [need.any_of for need in missing] == [(ADD_VOICE,)]:
        return warning(
            "roles", message, f"If there are calls to co-browse in, give a role that permission, {OAUTH_PAGE}."
        )
    permissions = " and ".join(need.any_of[0] for need in missing)
    return failed("roles", message, f"Give the OAuth client a role with {permissions}, {OAUTH_PAGE}.")


async def check_notifications(client: GenesysClient, api_url: str) -> CheckResult:
    """Check whether the OAuth client may receive notifications about the conversations of hosts. Return the result.

    Compare the permissions that Genesys requires with the client's roles. Create no notification channel.

    `api_url`: the base URL of Genesys's API.

    The result is a warning if a permission is missing, or if Genesys does not say what it requires or what the roles
    allow. Raises ServiceError if Genesys cannot be asked.
    """
    unseen = "Genesys does not say who may subscribe to the conversations of agents."
    fix = "The log will show it: where Genesys refuses, the bot asks for the state of a session from time to time."
    try:
        needed = await ChannelsApi(client, api_url).required_permissions()
        roles = await fetch_permissions(client)
    except (errors.BadRequestError, errors.PermissionMissingError, errors.UnusableAnswerError, SignInRequiredError):
        return warning("notifications", unseen, fix)
    missing = [permission for permission in needed or () if not roles.allow(permission)]
    if needed is None or (missing and not roles.is_complete):
        return warning("notifications", unseen, fix)
    if missing:
        message = f"the client's roles lack {' and '.join(missing)} (to learn at once when a customer joins)."
        give = f"Give the OAuth client a role with that, {OAUTH_PAGE}."
        return warning("notifications", message, f"{give} Until then the bot asks Genesys from time to time.")
    named = " and ".join(needed) or "no permission"
    return ok("notifications", f"the client may subscribe to the conversations of agents ({named})")


def _in_divisions(roles: ClientPermissions, needed: list[Need]) -> CheckResult | None:
    """Return a warning if the client's roles allow an action in `needed` only in some divisions; otherwise None."""
    narrow = [need for need in needed if all(roles.divisions(one) or not roles.allow(one) for one in need.any_of)]
    if not narrow:
        return None
    names = sorted({name for need in narrow for one in need.any_of for name in roles.divisions(one)})
    message = f"the client's roles allow this in the division {', '.join(names)} only: {'; '.join(map(str, narrow))}."
    fix = f"If there are agents or customers in other divisions, give the role for all of them, {OAUTH_PAGE}."
    return warning("roles", message, fix)
