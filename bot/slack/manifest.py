"""Build the manifest of the Slack app for one installation (pure).

https://docs.slack.dev/reference/app-manifest
"""

from dataclasses import dataclass
from typing import Any

NEEDED = {
    "commands": "the slash command and the shortcuts",
    "chat:write": "direct messages, posts that people ask for, and answers that come late",
    "chat:write.public": "posting a link, when asked to, in a public channel that the bot is not in",
    "channels:read": "the kind of a channel: no link is posted where people of other organizations read",
    "groups:read": "the same for private channels that the bot is in",
    "im:write": "opening a direct message with somebody whom the bot has to tell something",
    "users:read": "refusing guests, bots and outsiders; the language in which somebody uses Slack",
    "users:read.email": "finding the Genesys user with the same email address",
    "usergroups:read": "who is in the user groups that the settings name",
}
"""The scopes of an app with every feature, and the purpose of each."""
FOR_GROUPS, FOR_EMAILS = "usergroups:read", "users:read.email"
"""The scopes that only some installations need: for user groups in the settings, and for the rule that compares email
addresses."""
EVENTS_PATH = "/slack/events"
STEP_EVENT = "function_executed"
COMMENTS = NEEDED | {
    "functions": "a step for Workflow Builder; it starts nothing unless COBROWSE_WORKFLOW_STEPS is on",
    "messages_tab_enabled": "direct messages from the bot",
    "messages_tab_read_only_enabled": "it does not listen there",
    "app_home_opened": "the Home tab is made when somebody looks at it",
    STEP_EVENT: "a workflow has come to our step",
    "org_deploy_enabled": "workflow steps need it; one workspace is still where it is installed",
    "token_rotation_enabled": "the bot does not renew tokens",
}
"""The comments in manifest.yml, by the scope, event or key that they explain."""


@dataclass(frozen=True, slots=True)
class Features:
    """The features of one installation of the bot.

    - `command`: the slash command, with its slash.
    - `over_http`: True if Slack sends payloads over HTTP, False if over Socket Mode.
    - `path`: the path on the bot's HTTP server to which Slack sends payloads.
    - `url`: the full URL to which Slack sends payloads; "" for Socket Mode, or if the URL is not known yet.
    - `groups`: whether a setting names a user group.
    - `emails`: whether the host rule that compares email addresses is on.
    - `steps`: whether the step for Workflow Builder is on.
    """

    command: str = "/cobrowse"
    over_http: bool = False
    path: str = EVENTS_PATH
    url: str = ""
    groups: bool = True
    emails: bool = True
    steps: bool = True


ALL_FEATURES = Features()


def below(path: str, workspace: str) -> str:
    """Return the path of one workspace on the HTTP server: `path`, a slash, and the workspace's short name.

    `workspace`: the short name; "" if the process serves only one workspace. For "", return `path` itself.
    """
    return f"{path}/{workspace}" if workspace else path


def needed_scopes(*, groups: bool, emails: bool) -> dict[str, str]:
    """Return the Slack scopes that an installation needs, each with its purpose.

    - `groups`: whether a setting names a user group.
    - `emails`: whether the host rule that compares email addresses is on.
    """
    off = {*([] if groups else [FOR_GROUPS]), *([] if emails else [FOR_EMAILS])}
    return {scope: why for scope, why in NEEDED.items() if scope not in off}


def build(features: Features) -> dict[str, Any]:
    """Return the manifest as a dict that can be written as JSON or YAML."""
    step = {"functions": {"start_cobrowse_session": _step()}} if features.steps else {}
    return {
        "_metadata": {"major_version": 2},
        "display_information": _display(features.command),
        "features": _features(features),
        **step,
        "oauth_config": {"scopes": {"bot": list(needed_scopes(groups=features.groups, emails=features.emails))}},
        "settings": _settings(features),
    }


def _display(command: str) -> dict[str, Any]:
    about = (
        f"Type {command} with a customer on the line, or use the shortcut or the Home tab. The bot starts a Genesys"
        " Cloud co-browse session with you as the host and answers with a message that only you can see, holding the"
        " link for your customer. Supervisors can start sessions for their agents, who are told about it. Nobody else"
        " sees the link."
    )
    return {
        "name": "Co-browse",
        "description": "Starts a co-browse session with your customer and gives you the join link.",
        "long_description": about,
    }


def _features(features: Features) -> dict[str, Any]:
    address = {"url": features.url} if features.url else {}
    return {
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": True,
        },
        "bot_user": {"display_name": "cobrowse", "always_online": True},
        "slash_commands": [
            {
                "command": features.command,
                **address,
                "description": "Start a co-browse session and get the customer's link",
                "usage_hint": "[@agent] [phone or email] [session name] | last | status | end | new | help",
                "should_escape": True,
            }
        ],
        "shortcuts": [
            {
                "name": "Start co-browse session",
                "type": "global",
                "callback_id": "cobrowse_start",
                "description": "Opens a form for a co-browse session with your customer",
            },
            {
                "name": "Start co-browse session",
                "type": "message",
                "callback_id": "cobrowse_start_here",
                "description": "The same form, also in threads, where commands do not work",
            },
        ],
    }


def _step() -> dict[str, Any]:
    return {
        "title": "Start a co-browse session",
        "description": (
            "Starts a Genesys Cloud co-browse session with somebody as the host, and gives the customer's link."
        ),
        "input_parameters": {
            "properties": {
                "agent": {
                    "type": "slack#/types/user_id",
                    "title": "Agent",
                    "description": "Whose session it is. They are the host, and are told of it.",
                },
                "name": {
                    "type": "string",
                    "title": "Session name",
                    "description": (
                        "100 characters at most, without phone numbers and email addresses. Without a name it is called"
                        " after the agent."
                    ),
                },
            },
            "required": ["agent"],
        },
        "output_parameters": {
            "properties": {
                "session_id": {
                    "type": "string",
                    "title": "Session id",
                    "description": "Genesys's id of the session",
                },
                "ends_at": {
                    "type": "slack#/types/timestamp",
                    "title": "Ends at",
                    "description": "When the session ends by itself",
                },
                "link": {
                    "type": "string",
                    "title": "Link for the customer",
                    "description": "A person who has it joins as the customer. Show it to nobody else.",
                },
                "code": {
                    "type": "string",
                    "title": "Code for the customer",
                    "description": "Where the customer joins by a code, beside the link or instead of it",
                },
            },
            "required": ["session_id", "ends_at", "link"],
        },
    }


def _settings(features: Features) -> dict[str, Any]:
    address = {"request_url": features.url} if features.url else {}
    return {
        "event_subscriptions": {
            **address,
            "bot_events": ["app_home_opened", *([STEP_EVENT] if features.steps else [])],
        },
        "interactivity": {"is_enabled": True, **address},
        **({"function_runtime": "remote"} if features.steps else {}),
        "org_deploy_enabled": True,
        "socket_mode_enabled": not features.over_http,
        "token_rotation_enabled": False,
    }
