"""The scopes of the bot's token, and what each is for.

manifest.yml asks Slack for exactly these (a test compares them); `check` asks Slack whether it granted them.
"""

NEEDED = {
    "commands": "the slash command itself",
    "chat:write": "answers, when the command's own way of answering is closed",
    "im:write": "telling an agent that a supervisor started a session for them",
    "users:read": "refusing guests, bots and outsiders",
    "users:read.email": "the same e-mail address as a rule",
    "usergroups:read": "supervisors, administrators and members by user group",
}
