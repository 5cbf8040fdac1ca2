"""Write docs/reference/settings.md and .env.example from the definitions in bot/config/variables.py."""

from collections.abc import Iterator

from bot.config.variables import GROUPS, Variable

INTRODUCTION = """\
# Settings

All settings are environment variables. `make reference` writes this page from `bot/config/variables.py`; do not
edit it.

## How to set them

- In the environment, or in `.env` in the current directory. The environment comes first. An empty value is the same
  as none.
- `cobrowse-bot init` writes `.env`. [`.env.example`](../../.env.example) has every setting with its default.
- Write each value as it is, on one line, without quotes. A `$` needs no escape. That is right in `.env`, in
  `docker run --env-file`, in `compose.yaml` (its `format: raw`) and in systemd's `EnvironmentFile`. Write a value with
  a backslash, or with a space before a `#`, in 'single quotes': systemd reads the backslash, and `.env` ends the value
  before the space. One pair of quotes around a value is taken off everywhere.
- Commas or spaces separate the items of a list.
- 🔑 marks a secret. Instead of `NAME`, you can set `NAME_FILE` to the path of a file that holds it. The bot reads a
  changed file again while it runs: [Changing a secret](../run/secrets.md#changing-a-secret). 📄 marks a setting that
  is no secret, and can stand in a file all the same.
- The bot lists all faults at once, each with an example. `cobrowse-bot check` does the same without starting.
- `start` and `applications` need only the Genesys settings, and `hosts` only those of the database.

In the image and the systemd unit, the current directory is `/etc/cobrowse-bot`. The bot reads no `.env` in the data
directory, which
`STATE_DIRECTORY` names (`/data`; systemd sets it itself). A program that can write beside the database must not
choose the settings.

**Proxies** come from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. The bot never reaches this machine
itself through one.

**TLS** is always verified, against the system's authorities. Behind a proxy that signs for others, name its
authorities in `SSL_CERT_FILE`. It
has to be in the environment itself, not in `.env`.

## Several workspaces

One process can serve several workspaces, each with a Slack app for itself. `COBROWSE_WORKSPACES` names a TOML file with
a table for each:

```toml
[acme]
slack_bot_token = {file = "/run/secrets/acme-bot-token"}
slack_signing_secret = {env = "ACME_SIGNING_SECRET"}
genesys_region = "us-west-2"
genesys_client_id = "11111111-2222-4333-8444-555555555555"
genesys_client_secret = {file = "/run/secrets/acme-client-secret"}
cobrowse_admins = ["U012AB3CD", "S0123ABCD"]
cobrowse_match_email = true
cobrowse_person_starts_per_minute = 6
```

- The name of a table is the short name of the workspace: lower-case letters, digits and hyphens, 31 at most.
- Its keys are the settings below in lower case. A value is a string, a whole number, `true` or `false`, or a list of
  strings.
- A secret 🔑 is in a file, `{file = "PATH"}`, or in a variable of the environment, `{env = "NAME"}`. It never stands in
  the table itself.
- The settings of [the database](#database), [the process](#process) and [the traces](#traces) stay in the environment.
  All other settings belong in the tables. Only `AUDIT_LOG` may be in both places: the table's wins.
- A setting that a table does not have gets its default. No table takes a value from another one.
- Over HTTP, a workspace receives at `/slack/events/NAME`. Sign-ins come back to `/genesys/callback/NAME`, below its
  `COBROWSE_PUBLIC_URL`.
- A fault in one table leaves the other workspaces alone. The bot reads a changed file again while it runs.

[Several workspaces](../run/workspaces.md) has a whole example, and says how to run them.

## Required

"""
HEADER = """\
# `cobrowse-bot init` asks for what is needed and writes .env. Or copy this file to .env and fill it in.
# An empty value is the same as none. A value that stands here already is the default.
# Instead of a secret's NAME, you can set NAME_FILE to the path of a file that holds it, as containers do. The bot reads
# a changed file again while it runs: docs/run/secrets.md
# Write each value as it is, on one line, without quotes: a `$` needs no escape. That is right in .env, in
# `docker run --env-file`, in compose.yaml (its `format: raw`) and in systemd's EnvironmentFile. But write a value with
# a backslash, or with a space before a #, in 'single quotes', which are taken off everywhere: systemd reads the
# backslash, and .env ends the value before the space.
# `make reference` writes this file from bot/config/variables.py. What the settings do: docs/reference/settings.md
"""
WIDTH = 120
SHARED = "All workspaces of a process share these settings."
NOTES = {
    "Public Genesys Cloud": "These count only with `GENESYS_COBROWSE_API=conversations`.",
    "Session service": "These count only with `GENESYS_COBROWSE_API=sessions`.",
    "People": "A list holds ids of Slack: `U…` or `W…` is a person, `S…` a user group, `C…` a channel.",
    "Messages to customers": "Without a sender, nothing is sent. Both senders need `STORE_ENCRYPTION_KEY`.",
    "Messages in other languages": "With more than one text, the agent chooses the customer's language.",
    "Limits": "Each process counts on its own, for each workspace.",
    "Database": SHARED,
    "Process": f"{SHARED} A workspace may have an audit log for itself.",
    "Traces": SHARED,
}
"""A sentence below the title of a group."""


def page() -> str:
    """Return the text of docs/reference/settings.md: the required settings first, then all settings by subject."""
    needed = [each for group in GROUPS.values() for each in group if each.required]
    needed.sort(key=lambda each: not each.required.startswith("always"))
    lines = ["| Setting | Required |", "|---|---|", *(f"| {_name(each)} | {_required(each)} |" for each in needed), ""]
    for title, group in GROUPS.items():
        lines += [f"## {title}", "", *([NOTES[title], ""] if title in NOTES else [])]
        lines += ["| Setting | Default | What it is for | Example |", "|---|---|---|---|"]
        lines += [*map(_row, group), ""]
    return INTRODUCTION + "\n".join(lines).rstrip() + "\n"


def env_example() -> str:
    """Return the text of .env.example."""
    lines = [HEADER.rstrip()]
    for title, group in GROUPS.items():
        lines += ["", f"# {title}"]
        for each in group:
            lines += [*_comment(each), f"{each.name}={each.default}"]
    return "\n".join(lines) + "\n"


def _name(variable: Variable) -> str:
    mark = " 🔑" if variable.secret else " 📄" if variable.in_file else ""
    return f"`{variable.name}`{mark}"


def _required(variable: Variable) -> str:
    return f"**{variable.required}**" if variable.required == "always" else variable.required


def _row(variable: Variable) -> str:
    default = f"`{variable.default}`" if variable.default else ""
    unit = f" {variable.unit}" if default and variable.unit else ""
    example = f"`{variable.example}`" if variable.example else ""
    about = variable.about.replace("|", "\\|")
    required = f" **Required {variable.required}.**" if variable.required else ""
    return f"| {_name(variable)} | {default}{unit} | {about}{required} | {example} |"


def _comment(variable: Variable) -> Iterator[str]:
    """Yield the lines of a variable's comment, each within the maximum width."""
    notes = [f"Required {variable.required}."] if variable.required else []
    notes += [f"In {variable.unit}." if not variable.unit.startswith("a ") else "In a minute."] if variable.unit else []
    notes += [f"Example: {variable.example}"] if variable.example and not variable.secret else []
    line = "#"
    for word in " ".join((variable.about, *notes)).split():
        if len(line) + 1 + len(word) > WIDTH:
            yield line
            line = "#"
        line += f" {word}"
    yield line
