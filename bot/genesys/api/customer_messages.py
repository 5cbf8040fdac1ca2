"""Send SMS and emails to customers as "agentless" messages of the public API.

https://developer.genesys.cloud/commdigital/digital/agentless-sms-notifications/ . The bot never repeats a message: if
the outcome is unknown, the requester decides whether to send the message again. No log line and no error contains the
customer's phone number or email address.
"""

import re

from bot.core.errors import BadRequestError, ConversationActiveError, PermissionMissingError, UnusableAnswerError
from bot.core.ports import CallHooks
from bot.genesys.client import GenesysClient
from bot.genesys.parsing import read_object, reference_of

SMS, EMAIL = "/api/v2/conversations/messages/agentless", "/api/v2/conversations/emails/agentless"
SEND_SMS, SEND_EMAIL = "conversation:message:create", "conversation:agentlessEmail:send"
ANY_FOR_EMAIL = (SEND_EMAIL, "conversation:email:create")
"""The permissions of which Genesys needs one to send an email. SEND_EMAIL allows less than the other one."""
NEEDS = (SEND_SMS, SEND_EMAIL)
ACTIVE_STATUSES = (400, 409)
_ACTIVE = re.compile(
    r"\b(?:active|existing|ongoing|open)\b[^.;]{0,40}\bconversation"
    r"|\bconversation\b[^.;]{0,60}\b(?:active|ongoing|exists)\b|useExistingActiveConversation",
    re.IGNORECASE,
)
_NOT_ACTIVE = re.compile(r"\b(?:no|not an?|without an?|not|any)\s+(?:active|existing|ongoing|open)\b", re.IGNORECASE)
_ADDRESSES = re.compile(r"\S*@\S*|\+?[0-9][0-9\s.()-]{4,}[0-9]")


class CustomerMessagesApi:
    """Sends SMS and emails to customers."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    async def sms(self, sender: str, to: str, text: str, hooks: CallHooks) -> str | None:
        """Send an SMS. Return Genesys's correlation id; None if the answer has none.

        `sender`, `to`: phone numbers in E.164. Raises ConversationActiveError if the customer is in an SMS
        conversation, and another ServiceError if the call fails.
        """
        body = {"fromAddress": sender, "toAddress": to, "toAddressMessengerType": "sms", "textBody": text}
        try:
            return await self._send(SMS, SEND_SMS, body, hooks)
        except BadRequestError as error:
            if error.status in ACTIVE_STATUSES and is_about_active_conversation(error.words):
                raise ConversationActiveError(reference=error.reference) from None
            raise

    async def email(self, sender: str, to: str, subject: str, text: str, hooks: CallHooks) -> str | None:
        """Send a plain-text email to one address. Return Genesys's correlation id; None if the answer has none.

        `sender`, `to`: email addresses. Raises ServiceError if the call fails.
        """
        body = {
            "senderType": "Outbound",
            "fromAddress": {"email": sender},
            "toAddresses": [{"email": to}],
            "subject": subject,
            "textBody": text,
        }
        return await self._send(EMAIL, SEND_EMAIL, body, hooks)

    async def _send(self, path: str, needs: str, body: object, hooks: CallHooks) -> str | None:
        try:
            response = await self._client.call("POST", path, needs=needs, json=body, hooks=hooks, final=True)
        except BadRequestError as error:  # the store keeps its message, which may quote the customer's address
            words = without_addresses(error.words)
            raise BadRequestError(status=error.status, words=words, reference=error.reference) from None
        except PermissionMissingError as error:
            words = without_addresses(error.words)
            raise PermissionMissingError(needs=error.needs, words=words, reference=error.reference) from None
        try:
            read_object(response)
        except UnusableAnswerError as error:  # a gateway may have sent the answer
            raise UnusableAnswerError(why=error.why, acted=True, reference=error.reference) from None
        return reference_of(response)


def without_addresses(words: str) -> str:
    """Replace each phone number and email address in `words` by `…`.

    `words`: an error message of Genesys.
    """
    return _ADDRESSES.sub("…", words)


def is_about_active_conversation(words: str) -> bool:
    """Return whether `words`, an error message of Genesys, says that the phone number has an active conversation.

    Genesys refuses an SMS to such a number, because the bot leaves use_existing_active_conversation at its default,
    false (SDK 269, SendAgentlessOutboundMessageRequest).
    """
    return bool(_ACTIVE.search(words)) and not _NOT_ACTIVE.search(words)
