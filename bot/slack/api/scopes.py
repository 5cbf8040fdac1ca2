"""The scopes of the bot's token, and what each is for.

manifest.yml asks Slack for exactly these (a test compares them); `check` asks Slack whether it granted them.
"""

NEEDED = {
    "commands": "the slash command itself",
    "chat:write": "answers, when the command's own way of answering is closed",
    "chat:write.public": "sharing a session in a public channel that the bot is not in",
    "channels:read": "refusing to share in a channel that people of other organisations read",
    "groups:read": "the same for private channels",
    "im:write": "telling an agent that a supervisor started a session for them",
    "users:read": "refusing guests, bots and outsiders",
    "users:read.email": "the same e-mail address as a rule",
    "usergroups:read": "supervisors, administrators and members by user group",
}


def missing(granted: frozenset[str]) -> tuple[str, ...]:
    """A sentence for each that Slack has not granted; none when it did not say what it granted."""
    lacking = [(scope, why) for scope, why in NEEDED.items() if granted and scope not in granted]
    return tuple(f"Slack has not granted the bot the scope {scope}: {why}." for scope, why in lacking)
