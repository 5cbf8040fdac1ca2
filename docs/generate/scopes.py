"""Write docs/reference/scopes.md from bot/slack/manifest.py: the scopes that the Slack app requests, and why."""

from bot.slack.manifest import ALL_FEATURES, COMMENTS, FOR_EMAILS, FOR_GROUPS, NEEDED, build

WHEN = {
    FOR_GROUPS: "when a setting names a user group (`S…`)",
    FOR_EMAILS: "with `COBROWSE_MATCH_EMAIL=true`, the default",
}
"""The scopes that only some installations need."""


def page() -> str:
    """Return the text of docs/reference/scopes.md."""
    made = build(ALL_FEATURES)
    events = made["settings"]["event_subscriptions"]["bot_events"]
    (step,) = made["functions"].values()
    return "\n".join(
        [
            "# Slack scopes",
            "",
            "Everything that the Slack app asks for, and why. `make reference` writes this page from the manifest;",
            "do not edit it.",
            "",
            "`cobrowse-bot manifest` prints the manifest for your settings, and leaves out what they do not need.",
            "",
            "## Scopes of the bot token",
            "",
            "| Scope | Why | Needed |",
            "|---|---|---|",
            *(f"| `{scope}` | {why} | {WHEN.get(scope, 'always')} |" for scope, why in NEEDED.items()),
            "",
            "The app-level token needs `connections:write`, for Socket Mode only.",
            "",
            "## Events",
            "",
            "| Event | Why |",
            "|---|---|",
            *(f"| `{event}` | {COMMENTS[event]} |" for event in events),
            "",
            "## Commands, shortcuts and steps",
            "",
            "| Kind | Name | What it does |",
            "|---|---|---|",
            *(
                f"| slash command | `{each['command']}` | {each['description']} |"
                for each in made["features"]["slash_commands"]
            ),
            *(
                f"| {each['type']} shortcut | *{each['name']}* | {each['description']} |"
                for each in made["features"]["shortcuts"]
            ),
            f"| workflow step | *{step['title']}* | {step['description']} |",
            "",
        ]
    )
