"""Answer the two hooks that Slack's CLI needs for `slack run`: get-manifest and start.

https://docs.slack.dev/tools/slack-cli/reference/hooks. Slack's own package of hooks reads a manifest.json and starts a
file app.py; this bot makes its manifest, and starts as `python -m bot run`. Any Python 3 runs this file; the bot itself
runs with the Python of .venv.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = (ROOT / ".venv" / "bin" / "python", ROOT / ".venv" / "Scripts" / "python.exe")
TOKENS = {"SLACK_CLI_XOXB": "SLACK_BOT_TOKEN", "SLACK_CLI_XAPP": "SLACK_APP_TOKEN"}
"""The variables in which Slack's CLI passes tokens, and the bot's settings for them."""


def main(hook: str, *arguments: str) -> None:
    """Answer one hook. `arguments`: what the CLI adds, such as --protocol=message-boundaries --boundary=…."""
    os.chdir(ROOT)
    if hook == "get-manifest":
        respond(manifest(), *arguments)
    elif hook == "start":
        start()
    else:
        sys.exit(f"There is no hook {hook}: get-manifest and start are all.")


def python() -> str:
    """Return the path of the Python that has the bot's libraries."""
    found = next((path for path in PYTHONS if path.exists()), None)
    if found is None:
        sys.exit("The bot's libraries are not installed yet. Run `make sandbox` once, and end it with Ctrl+C.")
    return str(found)


def manifest() -> str:
    """Return the manifest of this installation as JSON, for Socket Mode. Exit with the bot's own words on an error."""
    command = [python(), "-m", "bot", "manifest", "--socket", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own program
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout.decode()


def respond(text: str, *arguments: str) -> None:
    """Print the answer, between the boundaries that the CLI gave, if any."""
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    boundary = given.get("--boundary", "") if given.get("--protocol") == "message-boundaries" else ""
    print(f"{boundary}{text}{boundary}", flush=True)  # noqa: T201 - the protocol


def start() -> None:
    """Become the bot, with the tokens of the app that the CLI has installed. They win over those in .env."""
    environ = dict(os.environ)
    for given, setting in TOKENS.items():
        token = environ.pop(given, "")
        if not token:
            sys.exit(f"Slack's CLI has set no {given}. Start the bot by `slack run`, or by `cobrowse-bot run`.")
        environ.pop(f"{setting}_FILE", None)
        environ[setting] = token
    environ["BOT_MODE"] = "socket"
    command = [python(), "-m", "bot", "run"]
    if os.name == "nt":
        sys.exit(subprocess.call(command, env=environ))  # noqa: S603 - our own program
    os.execve(command[0], command, environ)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(*(sys.argv[1:] or [""]))
