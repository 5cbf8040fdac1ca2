"""Imitate the methods chat.* and conversations.* of Slack's Web API.

https://docs.slack.dev/reference/methods#chat
"""

from __future__ import annotations

from collections.abc import Callable

from bot.sandbox.slack.models import ApiError, Args, Message, invalid_arguments, required_argument
from bot.sandbox.slack.shapes import channel_object, message_object
from bot.sandbox.slack.validation.blocks import read_message
from bot.sandbox.slack.validation.limits import BlockError
from bot.sandbox.slack.workspace import SLACKBOT, Workspace


class ChatMethods:
    """Implements the Web API methods chat.* and conversations.*.

    `methods`: for the name of each method, the function that runs the method.
    """

    def __init__(self, workspace: Workspace, scopes: Callable[[], list[str]]) -> None:
        self._workspace = workspace
        self._scopes = scopes
        self.methods: dict[str, Callable[[Args], Args]] = {
            "conversations.open": self._conversations_open,
            "conversations.info": self._conversations_info,
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "chat.getPermalink": self._get_permalink,
        }

    def _conversations_open(self, args: Args) -> Args:
        wanted = [user for user in str(args.get("users", "")).split(",") if user]
        if not wanted:
            raise ApiError("users_list_not_supplied")
        if len(wanted) > 1:
            raise ApiError("too_many_users")
        user = self._workspace.require_user(wanted[0])
        if user.is_bot or user.id == SLACKBOT:
            raise ApiError("cannot_dm_bot")
        if user.deleted:
            raise ApiError("user_disabled")
        known = self._workspace.has_im(user.id)
        channel = {"id": self._workspace.open_im(user.id)}
        return {"no_op": True, "already_open": True, "channel": channel} if known else {"channel": channel}

    def _conversations_info(self, args: Args) -> Args:
        return {"channel": channel_object(self._workspace, self._channel(args))}

    def _post_message(self, args: Args) -> Args:
        channel = required_argument(args, "channel")
        if not self._workspace.exists(channel):
            user = self._workspace.users.get(channel)
            if user is None:
                raise ApiError("channel_not_found")
            if user.deleted:
                raise ApiError("user_disabled")
            channel = self._workspace.open_im(user.id)
        if "chat:write.public" not in self._scopes() or self._is_hidden(channel):
            self._check_membership(channel)
        text, blocks = _message(args)
        thread_ts = self._thread(channel, str(args["thread_ts"])) if args.get("thread_ts") else None
        message = self._workspace.add(channel, text, blocks, via="chat.postMessage", thread_ts=thread_ts)
        return {"channel": channel, "ts": message.ts, "message": message_object(self._workspace, message)}

    def _thread(self, channel: str, ts: str) -> str:
        """Return the `thread_ts` of a reply to the message `ts`: the id of the first message in the thread.

        Raises ApiError (`thread_not_found`) for an unknown or deleted message. Raises ApiError
        (`cannot_reply_to_message`) for an ephemeral message.
        """
        matches = (message for message in self._workspace.messages if message.ts == ts and message.channel == channel)
        message = next(matches, None)
        if message is None or message.deleted:
            raise ApiError("thread_not_found")
        if message.visible_to is not None:
            raise ApiError("cannot_reply_to_message")
        return message.thread_ts or message.ts

    def _post_ephemeral(self, args: Args) -> Args:
        channel, user_id = self._channel(args), required_argument(args, "user")
        self._check_membership(channel)
        if not self._workspace.is_member(user_id, channel):
            raise ApiError("user_not_in_channel")
        text, blocks = _message(args)
        message = self._workspace.add(channel, text, blocks, via="chat.postEphemeral", visible_to=user_id)
        return {"message_ts": message.ts}

    def _update(self, args: Args) -> Args:
        message = self._bot_message(args, "cant_update_message")
        if args.get("text") and args.get("blocks") is None:
            args = {**args, "blocks": message.blocks}  # an update without blocks keeps the old ones
        text, blocks = _message(args)
        self._workspace.replace(message, text, blocks)
        shape = message_object(self._workspace, message)
        return {"channel": message.channel, "ts": message.ts, "text": text, "message": shape}

    def _delete(self, args: Args) -> Args:
        message = self._bot_message(args, "cant_delete_message")
        self._workspace.delete(message)
        return {"channel": message.channel, "ts": message.ts}

    def _get_permalink(self, args: Args) -> Args:
        channel, ts = self._channel(args), required_argument(args, "message_ts")
        matches = (message for message in self._workspace.messages if message.ts == ts and message.channel == channel)
        message = next(matches, None)
        if message is None or message.deleted or message.visible_to is not None:
            raise ApiError("message_not_found")
        address = f"https://sandbox.slack.com/archives/{channel}/p{ts.replace('.', '')}"
        thread = f"?thread_ts={message.thread_ts}&cid={channel}" if message.thread_ts else ""
        return {"channel": channel, "permalink": f"{address}{thread}"}

    def _bot_message(self, args: Args, refusal: str) -> Message:
        """Return the bot's message that the arguments `channel` and `ts` select.

        Raises ApiError (`message_not_found`) for an unknown, deleted or ephemeral message. Raises ApiError with the
        code `refusal` for a message of another user.
        """
        channel, ts = self._channel(args), required_argument(args, "ts")
        matches = (message for message in self._workspace.messages if message.ts == ts and message.channel == channel)
        message = next(matches, None)
        if message is None or message.deleted or message.visible_to is not None:
            raise ApiError("message_not_found")
        if message.user != self._workspace.bot_user_id:
            raise ApiError(refusal)
        return message

    def _channel(self, args: Args) -> str:
        channel = required_argument(args, "channel")
        if not self._workspace.exists(channel) or self._is_hidden(channel):
            raise ApiError("channel_not_found")
        return channel

    def _check_membership(self, channel: str) -> None:
        known = self._workspace.channels.get(channel)
        if known is not None and not known.bot_is_member:
            raise ApiError("channel_not_found" if known.is_private else "not_in_channel")

    def _is_hidden(self, channel: str) -> bool:
        known = self._workspace.channels.get(channel)
        return known is not None and known.is_private and not known.bot_is_member


def _message(args: Args) -> tuple[str, list[Args]]:
    try:
        return read_message(args)
    except BlockError as error:
        if error.code == "no_text":
            raise ApiError("no_text") from error
        if error.code == "invalid_arguments":
            raise invalid_arguments(str(error)) from error
        errors = [str(error)]
        messages = {"messages": [f"[ERROR] {error}"]}
        raise ApiError(error.code, errors=errors, response_metadata=messages) from error
