"""Imitate the methods of Slack's Web API that the bot uses: https://docs.slack.dev/reference/methods.

This module reads HTTP requests, checks tokens and scopes, and implements all methods except chat.*, conversations.*,
views.* and functions.*.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bot.sandbox.slack.api.chat import ChatMethods
from bot.sandbox.slack.api.views import ViewMethods
from bot.sandbox.slack.faults import Faults, apply_fault, error_response
from bot.sandbox.slack.models import APP_ID, BOT_NAME, ApiError, Args, CallLog, SlackUser
from bot.sandbox.slack.shapes import bot_id, user_object, workspace_user_object
from bot.sandbox.slack.views import Views
from bot.sandbox.slack.workflow_steps import Executions
from bot.sandbox.slack.workspace import Workspace

SCOPES = "commands,chat:write,chat:write.public,channels:read,groups:read,im:write," + (
    "users:read,users:read.email,usergroups:read"
)
"""The scopes of the bot's token, as in the app's manifest."""
REQUIRED_SCOPES = {
    "users.info": "users:read",
    "bots.info": "users:read",
    "users.list": "users:read",
    "usergroups.users.list": "usergroups:read",
    "conversations.open": "im:write",
    "conversations.info": "channels:read",
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
}


class WebApi:
    """Handles HTTP requests to `/api/<method>`: checks the token and the scopes, and runs the method."""

    def __init__(
        self,
        workspace: Workspace,
        views: Views,
        executions: Executions,
        faults: Faults,
        log: CallLog,
        *,
        bot_token: str,
        app_token: str,
        new_socket_url: Callable[[], str],
        config_token: str,
        manifest: Mapping[str, Any],
    ) -> None:
        self._workspace = workspace
        self._executions = executions
        self._faults = faults
        self._log = log
        self.bot_tokens = [bot_token]
        """The bot tokens that the server accepts. A token that is no longer in the list is revoked."""
        self.app_tokens = [app_token]
        """The app-level tokens that the server accepts."""
        self._new_socket_url = new_socket_url
        self._config_token = config_token
        self.manifest = manifest
        self.scopes = SCOPES
        self._methods: dict[str, Callable[[Args], Args]] = {
            "auth.test": self._auth_test,
            "auth.teams.list": self._teams_list,
            "bots.info": self._bots_info,
            "apps.manifest.export": self._manifest_export,
            "users.info": self._users_info,
            "users.list": self._users_list,
            "usergroups.users.list": self._usergroup_users,
            "apps.connections.open": self._connections_open,
            **ChatMethods(workspace, lambda: self.scopes.split(",")).methods,
            **ViewMethods(workspace, views, executions).methods,
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args, malformed = await _read(request)
        token = _token(request, args)
        call = self._log.begin(method, args)
        fault = self._faults.take(method)
        met = await apply_fault(fault, request) if fault is not None else None
        if met is not None and not (fault is not None and fault.options.get("processes")):
            self._log.end(call, met[0].status, met[1])
            return met[0]
        response: web.StreamResponse
        response, error = self._answer(method, args, token, malformed)
        if met is not None:  # the call was processed, but its response is lost
            response, error = met
        self._log.end(call, response.status, error)
        return response

    def _answer(self, method: str, args: Args, token: str | None, malformed: bool) -> tuple[web.Response, str | None]:
        try:
            if method not in self._methods:
                raise ApiError("unknown_method", req_method=method)
            self._check_token(method, token)
            self._check_scope(REQUIRED_SCOPES.get(method))
            if malformed:
                raise ApiError("invalid_json")
            body = {"ok": True, **self._methods[method](args)}
        except ApiError as error:
            return error_response(200, error.code, **error.more), error.code
        headers = {"X-OAuth-Scopes": self.scopes, "X-Slack-Req-Id": secrets.token_hex(8)}
        return web.json_response(body, headers=headers), None

    def _check_token(self, method: str, token: str | None) -> None:
        if not token:
            raise ApiError("not_authed")
        execution = self._executions.find_by_token(token) if method != "apps.connections.open" else None
        if execution is not None:  # the token of one step execution, valid until it ends
            if execution.status != "running" and not method.startswith("functions."):
                raise ApiError("token_expired")
            return
        tokens = {"apps.connections.open": self.app_tokens, "apps.manifest.export": [self._config_token]}
        wanted = tokens.get(method, self.bot_tokens)
        if not any(secrets.compare_digest(token.encode(), each.encode()) for each in wanted):
            known = [*self.app_tokens, self._config_token, *self.bot_tokens]
            raise ApiError("not_allowed_token_type" if token in known else "invalid_auth")

    def _check_scope(self, needed: str | None) -> None:
        if needed is not None and needed not in self.scopes.split(","):
            raise ApiError("missing_scope", needed=needed, provided=self.scopes)

    def _auth_test(self, args: Args) -> Args:
        return {
            "url": "https://sandbox.slack.com/",
            "team": "Sandbox",
            "user": BOT_NAME,
            "team_id": self._workspace.enterprise_id if self._workspace.is_org_wide else self._workspace.team_id,
            "user_id": self._workspace.bot_user_id,
            "bot_id": bot_id(self._workspace),
            "enterprise_id": self._workspace.enterprise_id,
            "is_enterprise_install": self._workspace.is_org_wide,
        }

    def _users_info(self, args: Args) -> Args:
        user_id = str(args.get("user", ""))
        if user_id == self._workspace.bot_user_id:
            bot = SlackUser(user_id, BOT_NAME, BOT_NAME, team_id=self._workspace.team_id, is_bot=True)
            return {"user": user_object(bot)}
        user, has_locale = (
            self._workspace.require_user(user_id),
            str(args.get("include_locale")).lower() in ("true", "1"),
        )
        return {"user": workspace_user_object(self._workspace, user, has_locale=has_locale)}

    def _users_list(self, args: Args) -> Args:
        team_id = self._team(args)
        users = [user for user in self._workspace.users.values() if team_id in (None, *user.team_ids)]
        return {"members": [workspace_user_object(self._workspace, user) for user in users]}

    def _teams_list(self, args: Args) -> Args:
        return {"teams": [{"id": team_id, "name": name} for team_id, name in self._workspace.teams.items()]}

    def _bots_info(self, args: Args) -> Args:
        self._team(args)
        if args.get("bot") != bot_id(self._workspace):
            raise ApiError("bot_not_found")
        return {"bot": {"id": args["bot"], "app_id": APP_ID, "name": BOT_NAME}}

    def _manifest_export(self, args: Args) -> Args:
        if args.get("app_id") != APP_ID:
            raise ApiError("app_not_found")
        return {"manifest": self.manifest}

    def _team(self, args: Args) -> str | None:
        """Return the argument `team_id` if the bot's token is org-wide; None for any other token.

        Raises ApiError if the token is org-wide, and `team_id` is missing or is not the id of a workspace of the
        organization.
        """
        if not self._workspace.is_org_wide:
            return None
        team_id = args.get("team_id")
        if not team_id:
            raise ApiError("missing_argument")
        if team_id not in self._workspace.teams:
            raise ApiError("team_not_found")
        return str(team_id)

    def _usergroup_users(self, args: Args) -> Args:
        team_id, group_id = self._team(args), str(args.get("usergroup", ""))
        members = self._workspace.usergroups.get(group_id)
        if members is None or team_id not in (None, self._workspace.group_teams.get(group_id, self._workspace.team_id)):
            raise ApiError("no_such_subteam")
        return {"users": list(members)}

    def _connections_open(self, args: Args) -> Args:
        return {"url": self._new_socket_url()}


async def _read(request: web.Request) -> tuple[Args, bool]:
    """Return the arguments in the query and the body of an HTTP request, and whether the body is malformed.

    A body with the content type JSON is malformed if the body is not a JSON object.
    """
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
    in_args: Any = args.pop("token", None)
    return token.strip() if scheme.lower() == "bearer" and token.strip() else in_args
