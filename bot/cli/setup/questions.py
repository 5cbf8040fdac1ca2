"""Ask a person the six questions of `cobrowse-bot init`, or read the answers from a file."""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path

import click

from bot.cli.setup import keys
from bot.config import environment, settings
from bot.config.reader import PREDICATE
from bot.config.session_service import CONVERSATIONS, SESSIONS
from bot.config.variables import VARIABLES
from bot.genesys.regions import DOMAINS
from bot.storage.encryption import new_key

KEY_SETTINGS = ("GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY", "GENESYS_PRIVATE_KEY_PASSPHRASE")
SLACK_SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
SIGNING_SECRET = re.compile(r"[0-9a-f]{32}")
NEITHER = "This is neither: an app-level token begins with xapp-, a signing secret has 32 characters 0-9 and a-f."
INTRO = """\
Six questions. Enter takes the answer in [brackets]; Ctrl+C ends this, and writes nothing.
What you type for a secret does not show.
"""


class AnswersError(Exception):
    """The file of answers has faults.

    `faults`: one text for each fault. The text names the setting and the fix, and contains no secret.
    """

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read_answers(path: str) -> dict[str, str]:
    """Read the answers from a file with lines NAME=value, as in .env. Return the values by name.

    Raises AnswersError if a line is malformed or a setting is unknown, or if the file cannot be read.
    """
    try:
        read = environment.read(path, {})
    except settings.SettingsError as error:
        raise AnswersError(error.faults) from None
    if not os.path.exists(path):
        raise AnswersError([f"{path}: there is no such file. Give a file with lines such as GENESYS_REGION=us-west-2."])
    if faults := [*read.remarks, *map(_unknown, filter(_is_unknown, read.values))]:
        raise AnswersError(faults)
    return read.values


def _is_unknown(name: str) -> bool:
    return name not in VARIABLES and not (name.endswith("_FILE") and name.removesuffix("_FILE") in VARIABLES)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, VARIABLES, 1, 0.8)
    hint = f"Did you mean {near[0]}?" if near else "docs/reference/settings.md lists them all."
    return f"{name}: no setting has this name. {hint}"


def faults_of(values: Mapping[str, str]) -> list[str]:
    """Return the faults of these settings. The command `run` reports the same faults."""
    try:
        settings.load(values)
    except settings.SettingsError as error:
        return error.faults
    return []


def without_slack(faults: list[str], values: Mapping[str, str]) -> list[str]:
    """Leave out the faults about missing Slack secrets if `values` contains no Slack secret. Return the other faults.

    A person who gives no Slack secret wants to set up Slack later.

    - `faults`: the faults of the settings.
    - `values`: the settings by name.
    """
    has_slack = any(values.get(form) for name in SLACK_SECRETS for form in _forms(name))
    return faults if has_slack else [fault for fault in faults if not _is_slack_missing(fault)]


def slack_missing(values: Mapping[str, str]) -> list[str]:
    """Return one fault for each Slack secret that the settings in `values` need and do not contain.

    The command `run` reports the same faults.
    """
    return list(filter(_is_slack_missing, faults_of(values)))


def _is_slack_missing(fault: str) -> bool:
    return fault.startswith(tuple(f"{name}: is missing" for name in SLACK_SECRETS))


def updated(current: Mapping[str, str], answers: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of `current` with `answers` added. The values in `answers` win.

    If `answers` contains NAME, leave out NAME_FILE of `current`. If `answers` contains NAME_FILE, leave out NAME.
    """
    replaced = {form for name in answers for form in (*_forms(name), name.removesuffix("_FILE"))}
    return {name: value for name, value in current.items() if name not in replaced} | dict(answers)


def store_key(answers: Mapping[str, str], current: Mapping[str, str]) -> dict[str, str]:
    """Create an encryption key if there is none yet, and return it as the value of STORE_ENCRYPTION_KEY.

    Return an empty dict if STORE_ENCRYPTION_KEY or STORE_ENCRYPTION_KEY_FILE has a value in `answers` or `current`.
    """
    if any(values.get(name) for values in (answers, current) for name in _forms("STORE_ENCRYPTION_KEY")):
        return {}
    return {"STORE_ENCRYPTION_KEY": new_key()}


def _forms(name: str) -> tuple[str, str]:
    return name, f"{name}_FILE"


class Interview:
    """Asks a person at a terminal for the settings.

    - `current`: the existing settings. Their values are the default answers.
    - `answers`: the settings that the person has given, by name.
    """

    def __init__(self, current: Mapping[str, str]) -> None:
        self._current = current
        self.answers: dict[str, str] = {}

    def ask_all(self) -> dict[str, str]:
        """Ask all questions, and return the answers as settings.

        Leave out a setting if the person skips the question, or keeps the existing secret. The value "" means that the
        setting in .env becomes empty.
        """
        click.echo(INTRO)
        self._service()
        self._region()
        self._client()
        self._sign_in()
        self._bot_token()
        self._connection()
        return self.answers

    def _service(self) -> None:
        click.echo("1/6  Which Genesys co-browse do you have?")
        click.echo("       1  public Genesys Cloud: a co-browse session belongs to a chat or call")
        click.echo("       2  a private session service, with POST /api/v2/conversations/cobrowse")
        now = self._current.get("GENESYS_COBROWSE_API", CONVERSATIONS)
        default = "2" if now == SESSIONS and self._current else "1"
        chosen = click.prompt("     Number", type=click.Choice(["1", "2"]), default=default, show_choices=False)
        self.answers["GENESYS_COBROWSE_API"] = CONVERSATIONS if chosen == "1" else SESSIONS

    def _region(self) -> None:
        click.echo("\n2/6  In which region is your organization? It is in the address of the Genesys web app.")
        click.echo(f"     {', '.join(DOMAINS)}")
        self._setting("GENESYS_REGION", "Region or domain", default="us-east-1")

    def _client(self) -> None:
        click.echo("\n3/6  Which OAuth client does the bot use? In Genesys Cloud: Admin › Integrations › OAuth.")
        self._setting("GENESYS_CLIENT_ID", "Client ID")

    def _sign_in(self) -> None:
        click.echo("\n4/6  Does this client have a secret (grant Client Credentials) or a private key?")
        has_key = any(self._current.get(name) for name in KEY_SETTINGS)
        public = self.answers["GENESYS_COBROWSE_API"] == CONVERSATIONS
        default = "secret" if not has_key and (public or self._current.get("GENESYS_CLIENT_SECRET")) else "key"
        if click.prompt("     Secret or key", type=click.Choice(["secret", "key"]), default=default) == "secret":
            self._setting("GENESYS_CLIENT_SECRET", "Client secret", hidden=True)
            self.answers |= dict.fromkeys(KEY_SETTINGS, "")
            return
        self.answers["GENESYS_CLIENT_SECRET"] = self.answers["GENESYS_PRIVATE_KEY"] = ""
        self._private_key()
        self._setting("GENESYS_ORG_ID", "Organization ID (Admin › Account Settings › Organization Settings)")

    def _private_key(self) -> None:
        name, passphrase = "GENESYS_PRIVATE_KEY_PATH", "GENESYS_PRIVATE_KEY_PASSPHRASE"
        while True:
            path = click.prompt("     Private key file", default=self._current.get(name) or keys.KEY_FILE)
            if not os.path.exists(Path(path).expanduser()):
                _offer_key_pair(path)
            self.answers |= {name: path, passphrase: ""}
            fault = self._fault(name)
            if "there is no passphrase" in fault:
                self.answers[passphrase] = click.prompt("     Its passphrase", hide_input=True)
                fault = self._fault(name)
            if not fault:
                return
            click.echo(f"     {fault}")

    def _bot_token(self) -> None:
        click.echo("\n5/6  Slack: what is the app's bot token? It is at https://api.slack.com/apps, in your app, under")
        click.echo(
            "     OAuth & Permissions. No app yet? `cobrowse-bot manifest --link` prints a link that creates it."
        )
        click.echo("     Enter leaves the question for later.")
        self._setting("SLACK_BOT_TOKEN", "Bot token (xoxb-…)", hidden=True, optional=True)

    def _connection(self) -> None:
        click.echo("\n6/6  How does Slack reach the bot? For Socket Mode, give the app-level token (xapp-…, scope")
        click.echo("     connections:write). For HTTP, give the signing secret. Both are under Basic Information.")
        click.echo("     Enter leaves the question for later.")
        kept = next((name for name in ("SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET") if self._has(name)), "")
        while True:
            value = self._prompt(kept, "App-level token or signing secret", hidden=True)
            if not value:
                return
            over_http = bool(SIGNING_SECRET.fullmatch(value))
            if not over_http and not value.startswith("xapp-"):
                click.echo(f"     {NEITHER}")
                continue
            token, secret = ("", value) if over_http else (value, "")
            self.answers |= {"SLACK_APP_TOKEN": token, "SLACK_SIGNING_SECRET": secret, "BOT_MODE": ""}
            fault = self._fault("SLACK_SIGNING_SECRET" if over_http else "SLACK_APP_TOKEN")
            if not fault:
                return
            click.echo(f"     {fault}")

    def _setting(
        self, name: str, text: str, *, default: str = "", hidden: bool = False, optional: bool = False
    ) -> None:
        """Ask for one setting until the answer is valid. Store the answer in `answers`.

        - `text`: the question.
        - `default`: the value that Enter gives if the existing settings contain no value.
        - `hidden`: whether the setting is a secret. The terminal does not show the answer, and Enter keeps the existing
          value.
        - `optional`: whether Enter skips the question if there is no value yet.
        """
        while True:
            value = self._prompt(name, text, default=default, hidden=hidden)
            if not value and (optional or (hidden and self._has(name))):
                return
            self.answers[name] = value
            fault = self._fault(name) if value else "An answer is needed."
            if not fault:
                return
            click.echo(f"     {fault}")

    def _prompt(self, name: str, text: str, *, default: str = "", hidden: bool = False) -> str:
        if hidden:
            keeps = " [Enter keeps the one that is set]" if name and self._has(name) else ""
            answer = click.prompt(f"     {text}{keeps}", default="", show_default=False, hide_input=True)
        else:
            shown = self._current.get(name) or default
            answer = click.prompt(f"     {text}", default=shown or None)
        return str(answer).strip()

    def _has(self, name: str) -> bool:
        return any(self._current.get(form) for form in _forms(name))

    def _fault(self, name: str) -> str:
        """Return a sentence that says what is wrong with the answer for a setting; "" for a correct answer."""
        found = [fault for fault in faults_of(updated(self._current, self.answers)) if fault.startswith(f"{name}: ")]
        fix = found[0].removeprefix(f"{name}: ") if found else ""
        return f"{name} {fix}" if PREDICATE.match(fix) else fix


def _offer_key_pair(path: str) -> None:
    """Ask the person whether to create a key pair.

    If the person agrees, write the private key to `path`, and print the public key.
    """
    if not click.confirm(f"     There is no file {path}. Make a key pair there?", default=True):
        return
    try:
        public = keys.make_key_pair(Path(path).expanduser())
    except OSError as error:
        click.echo(f"     {path} cannot be written: {error.strerror}.")
        return
    click.echo(f"     {keys.WHERE_PUBLIC}\n\n{public}")
