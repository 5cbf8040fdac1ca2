"""The Web API of the sandbox's Slack, as far as a bot for commands uses it: https://docs.slack.dev/reference/methods.

Reads calls, checks the token, answers in Slack's shapes; what was said is kept by the workspace.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

from aiohttp import web

from bot.sandbox.slack_blocks import BlockProblem, read_message
from bot.sandbox.slack_faults import Faults, meet, problem
from bot.sandbox.slack_models import CallLog, SlackUser
from bot.sandbox.slack_shapes import bot_id, message_object, user_object
from bot.sandbox.slack_workspace import SLACKBOT, Workspace

SCOPES = "commands,chat:write,users:read,users:read.email,usergroups:read,im:write"
Args = dict[str, Any]


class ApiError(Exception):
    """An error code of Slack's, with what more its answer says."""

    def __init__(self, code: str, **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.more = more


class WebApi:
    """Answers `/api/<method>`."""

    def __init__(
        self,
        workspace: Workspace,
        faults: Faults,
        log: CallLog,
        *,
        bot_token: str,
        app_token: str,
        app_id: str,
        bot_name: str,
        new_socket_url: Callable[[], str],
    ) -> None:
        self._workspace = workspace
        self._faults = faults
        self._log = log
        self._bot_token = bot_token
        self._app_token = app_token
        self._app_id = app_id
        self._bot_name = bot_name
        self._new_socket_url = new_socket_url
        self.scopes = SCOPES
        self._methods: dict[str, Callable[[Args], Args]] = {
            "auth.test": self._auth_test,
            "users.info": self._users_info,
            "usergroups.users.list": self._usergroup_users,
            "conversations.open": self._conversations_open,
            "chat.postMessage": self._post_message,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.update": self._update,
            "apps.connections.open": self._connections_open,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args, malformed = await _read(request)
        token = _token(request, args)
        call = self._log.begin(method, args)
        fault = self._faults.take(method)
        met = await meet(fault, request) if fault is not None else None
        if met is not None and not (fault is not None and fault.how.get("acted")):
            self._log.end(call, met[0].status, met[1])
            return met[0]
        response, error = self._answer(method, args, token, malformed)
        if met is not None:  # the call was carried out, and its answer lost
            response, error = met
        self._log.end(call, response.status, error)
        return response

    def _answer(self, method: str, args: Args, token: str | None, malformed: bool) -> tuple[web.Response, str | None]:
        try:
            if method not in self._methods:
                raise ApiError("unknown_method", req_method=method)
            self._check_token(method, token)
            if malformed:
                raise ApiError("invalid_json")
            body = {"ok": True, **self._methods[method](args)}
        except ApiError as error:
            return problem(200, error.code, **error.more), error.code
        headers = {"X-OAuth-Scopes": self.scopes, "X-Slack-Req-Id": secrets.token_hex(8)}
        return web.json_response(body, headers=headers), None

    def _check_token(self, method: str, token: str | None) -> None:
        if not token:
            raise ApiError("not_authed")
        wanted = self._app_token if method == "apps.connections.open" else self._bot_token
        if not secrets.compare_digest(token.encode(), wanted.encode()):
            raise ApiError("not_allowed_token_type" if token in (self._app_token, self._bot_token) else "invalid_auth")

    # who

    def _auth_test(self, args: Args) -> Args:
        return {
            "url": "https://sandbox.slack.com/",
            "team": "Sandbox",
            "user": self._bot_name,
            "team_id": self._workspace.team_id,
            "user_id": self._workspace.bot_user_id,
            "bot_id": bot_id(self._workspace),
            "is_enterprise_install": False,
        }

    def _users_info(self, args: Args) -> Args:
        user_id = str(args.get("user", ""))
        if user_id == self._workspace.bot_user_id:
            bot = SlackUser(user_id, self._bot_name, self._bot_name, team_id=self._workspace.team_id, is_bot=True)
            return {"user": user_object(bot)}
        return {"user": user_object(self._person(user_id))}

    def _usergroup_users(self, args: Args) -> Args:
        members = self._workspace.usergroups.get(str(args.get("usergroup", "")))
        if members is None:
            raise ApiError("no_such_subteam")
        return {"users": list(members)}

    def _conversations_open(self, args: Args) -> Args:
        wanted = [user for user in str(args.get("users", "")).split(",") if user]
        if not wanted:
            raise ApiError("users_list_not_supplied")
        if len(wanted) > 1:
            raise ApiError("too_many_users")
        user = self._person(wanted[0])
        if user.is_bot or user.id == SLACKBOT:
            raise ApiError("cannot_dm_bot")
        if user.deleted:
            raise ApiError("user_disabled")
        known = self._workspace.has_im(user.id)
        channel = {"id": self._workspace.open_im(user.id)}
        return {"no_op": True, "already_open": True, "channel": channel} if known else {"channel": channel}

    # what is said

    def _post_message(self, args: Args) -> Args:
        channel = self._place(args, "channel")
        if not self._workspace.exists(channel):
            user = self._workspace.users.get(channel)
            if user is None:
                raise ApiError("channel_not_found")
            if user.deleted:
                raise ApiError("user_disabled")
            channel = self._workspace.open_im(user.id)
        if channel in self._workspace.channels and not self._workspace.channels[channel].bot_is_member:
            raise ApiError("not_in_channel")
        text, blocks = _message(args)
        message = self._workspace.add(channel, text, blocks, via="chat.postMessage")
        return {"channel": channel, "ts": message.ts, "message": message_object(self._workspace, message, self._app_id)}

    def _post_ephemeral(self, args: Args) -> Args:
        channel = self._place(args, "channel")
        user_id = self._place(args, "user")
        if not self._workspace.exists(channel):
            raise ApiError("channel_not_found")
        if channel in self._workspace.channels and not self._workspace.channels[channel].bot_is_member:
            raise ApiError("not_in_channel")
        if not self._workspace.is_member(user_id, channel):
            raise ApiError("user_not_in_channel")
        text, blocks = _message(args)
        message = self._workspace.add(channel, text, blocks, via="chat.postEphemeral", visible_to=user_id)
        return {"message_ts": message.ts}

    def _update(self, args: Args) -> Args:
        channel, ts = self._place(args, "channel"), self._place(args, "ts")
        if not self._workspace.exists(channel):
            raise ApiError("channel_not_found")
        found = (message for message in self._workspace.messages if message.ts == ts and message.channel == channel)
        message = next(found, None)
        if message is None or message.deleted or message.visible_to is not None:
            raise ApiError("message_not_found")
        if message.user != self._workspace.bot_user_id:
            raise ApiError("cant_update_message")
        text, blocks = _message(args)
        self._workspace.replace(message, text, blocks)
        shape = message_object(self._workspace, message, self._app_id)
        return {"channel": channel, "ts": ts, "text": text, "message": shape}

    def _connections_open(self, args: Args) -> Args:
        return {"url": self._new_socket_url()}

    def _person(self, user_id: str) -> SlackUser:
        user = self._workspace.users.get(user_id)
        if user is None:
            raise ApiError("user_not_found")
        return user

    def _place(self, args: Args, name: str) -> str:
        if not args.get(name):
            raise _arguments(f"[ERROR] missing required field: {name}")
        return str(args[name])


def _message(args: Args) -> tuple[str, list[Args]]:
    try:
        return read_message(args)
    except BlockProblem as found:
        if found.code == "no_text":
            raise ApiError("no_text") from found
        if found.code == "invalid_arguments":
            raise _arguments(str(found)) from found
        errors = [str(found)]
        messages = {"messages": [f"[ERROR] {found}"]}
        raise ApiError(found.code, errors=errors, response_metadata=messages) from found


def _arguments(sentence: str) -> ApiError:
    return ApiError("invalid_arguments", response_metadata={"messages": [sentence]})


async def _read(request: web.Request) -> tuple[Args, bool]:
    """Return the arguments, from query, form or JSON, and whether the JSON could not be read."""
    args: Args = dict(request.query)
    if request.content_type != "application/json":
        return args | {key: value for key, value in (await request.post()).items() if isinstance(value, str)}, False
    try:
        body = json.loads(await request.text())
    except ValueError:
        return args, True
    return (args | body, False) if isinstance(body, dict) else (args, True)


def _token(request: web.Request, args: Args) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    in_args = args.pop("token", None)
    return token.strip() if scheme.lower() == "bearer" and token.strip() else in_args
