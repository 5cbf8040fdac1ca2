"""SMS and e-mails to customers that no agent writes: the public API's agentless messages. Kept to desk.sending.Carrier.

https://developer.genesys.cloud/commdigital/digital/agentless-sms-notifications/ . Neither is sent twice: what is not
known to have gone out is for the person to ask for again. Whoever it goes to is in no log, error or refusal.
"""

import re

from bot.core.errors import BadRequestError, ConversationActiveError, PermissionMissingError, UnusableAnswerError
from bot.core.ports import CallHooks
from bot.genesys import faults
from bot.genesys.client import GenesysClient
from bot.genesys.parsing import read_object

SMS, EMAIL = "/api/v2/conversations/messages/agentless", "/api/v2/conversations/emails/agentless"
SEND_SMS, SEND_EMAIL = "conversation:message:create", "conversation:email:create"
SEND_AGENTLESS_EMAIL = "conversation:agentlessEmail:send"
"""What the API takes as well as SEND_EMAIL, and allows nothing else."""
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
    """Sends them."""

    def __init__(self, client: GenesysClient) -> None:
        self._client = client

    async def sms(self, sender: str, to: str, text: str, hooks: CallHooks) -> str | None:
        """`sender` and `to` are numbers in E.164. Genesys's reference, if there is one. Raises ServiceError."""
        body = {"fromAddress": sender, "toAddress": to, "toAddressMessengerType": "sms", "textBody": text}
        try:
            return await self._send(SMS, SEND_SMS, body, hooks)
        except BadRequestError as error:
            if error.status in ACTIVE_STATUSES and is_about_active_conversation(error.words):
                raise ConversationActiveError(reference=error.reference) from None
            raise

    async def email(self, sender: str, to: str, subject: str, text: str, hooks: CallHooks) -> str | None:
        """To one address, in plain text. Genesys's reference, if there is one. Raises ServiceError."""
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
        except BadRequestError as error:  # its words are kept for a while, and may quote whom it was for
            words = without_addresses(error.words)
            raise BadRequestError(status=error.status, words=words, reference=error.reference) from None
        except PermissionMissingError as error:
            words = without_addresses(error.words)
            raise PermissionMissingError(needs=error.needs, words=words, reference=error.reference) from None
        try:
            read_object(response)
        except UnusableAnswerError as error:  # from somebody else, perhaps
            raise UnusableAnswerError(why=error.why, acted=True, reference=error.reference) from None
        return faults.reference_of(response)


def without_addresses(words: str) -> str:
    """Somebody's words without what may be a number or an e-mail address."""
    return _ADDRESSES.sub("…", words)


def is_about_active_conversation(words: str) -> bool:
    """Whether Genesys refuses an SMS since a conversation with that number is active: SDK 269,
    SendAgentlessOutboundMessageRequest.use_existing_active_conversation, whose default is false."""
    return bool(_ACTIVE.search(words)) and not _NOT_ACTIVE.search(words)
