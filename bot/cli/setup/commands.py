"""Define `cobrowse-bot init`, which writes the settings to .env, and `cobrowse-bot keygen`, which creates keys."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from bot.cli.terminal import examples

T = TypeVar("T")
ENV_FILE = Path(".env")
NEXT = """
Next:
  1. Start the bot:   cobrowse-bot run
  2. In Slack, type:  /cobrowse help
"""
CHECK_FIRST = """
Next:
  1. Check it:        cobrowse-bot check
  2. Start the bot:   cobrowse-bot run
"""
FIX_FIRST = """
Next:
  1. Fix what is marked ✗ above.
  2. Check again:     cobrowse-bot check
"""
STILL_MISSING = """
Still missing:
{}
Genesys can be checked without them: cobrowse-bot check. For Slack, run cobrowse-bot init again when you have them.
"""
SLACK_LATER = """
Next:
  1. Fix what is marked ✗ above, except for what Slack still lacks.
  2. With Slack's secrets: cobrowse-bot init
"""
NO_TERMINAL = (
    "There is no terminal to ask at. Put the answers into a file with lines NAME=value, as in .env.example, and run "
    "cobrowse-bot init --answers FILE."
)


@click.command(epilog=examples("cobrowse-bot init", "cobrowse-bot init --answers answers.env"))
@click.option("--answers", metavar="FILE", help="Ask nothing: read the settings from FILE, with lines NAME=value.")
@click.option("--update", is_flag=True, help="With --answers: change an existing .env. Its other lines stay.")
@click.option("--no-check", is_flag=True, help="Do not run `check` afterwards.")
def init(answers: str | None, update: bool, no_check: bool) -> None:
    """Ask for the settings that the bot needs, write them to .env, and check them."""
    from bot.check import as_text, check_environment, passed
    from bot.cli.setup import env_file as files
    from bot.cli.setup import questions

    text, current = _existing()
    values = _from_file(answers, text, current, update=update) if answers else _from_person(text, current)
    new_key = questions.store_key(values, current)
    try:
        files.replace_private(ENV_FILE, files.merge(text or "", values | new_key))
    except ValueError as error:
        _fail(f"{error}. Nothing was changed.")
    except OSError as error:
        _fail(f"{ENV_FILE} cannot be written: {error.strerror}. Nothing was changed.")
    click.echo(f"\nThe settings are in {ENV_FILE}, which only you can read.")
    if new_key:
        click.echo("STORE_ENCRYPTION_KEY is new. Back it up apart from the database: stored links need it.")
    if answers and Path(answers).is_file():
        click.echo(f"Delete {answers}: it holds secrets.")
    missing = questions.slack_missing(questions.updated(current, values | new_key))
    if no_check:
        click.echo(STILL_MISSING.format("\n".join(f"  {fault}" for fault in missing)) if missing else CHECK_FIRST)
        return
    results = check_environment()
    steps = SLACK_LATER if missing else NEXT if passed(results) else FIX_FIRST
    click.echo(f"\n{as_text(results)}\n{steps}")
    sys.exit(0 if passed(results) else 1)


def _existing() -> tuple[str | None, dict[str, str]]:
    """Return the text of the existing .env, and the variables in the file.

    If there is no such file, return None and no variables. Print the reason and exit with 1 if the file cannot be read.
    """
    from bot.config import environment, settings

    try:
        values = environment.read(str(ENV_FILE), {}).values
        return (ENV_FILE.read_text(encoding="utf-8-sig") if ENV_FILE.exists() else None), values
    except settings.SettingsError as error:
        _fail("\n".join(error.faults))


def _from_file(path: str, text: str | None, current: dict[str, str], *, update: bool) -> dict[str, str]:
    """Return the settings in the file of answers at `path`.

    - `text`: the text of the existing .env; None if there is no such file.
    - `current`: the variables in the existing .env.
    - `update`: whether an existing .env may be changed.

    Print the faults and exit with 1 if an answer has a fault, or if .env exists and `update` is False.
    """
    from bot.cli.setup import questions

    if text is not None and not update:
        _fail(f"There is a {ENV_FILE} already, and nothing was changed. Add --update to change these settings in it.")
    try:
        answers = questions.read_answers(path)
    except questions.AnswersError as error:
        _refuse(path, error.faults)
    whole = questions.updated(current, answers) | questions.store_key(answers, current)
    if faults := questions.without_slack(questions.faults_of(whole), whole):
        _refuse(path, faults)
    return answers


def _from_person(text: str | None, current: dict[str, str]) -> dict[str, str]:
    """Ask the person at the terminal for the settings, and return the settings.

    - `text`: the text of the existing .env; None if there is no such file.
    - `current`: the variables in the existing .env.

    Exit with 1 if there is no terminal, or if the person does not want to change the existing .env.
    """
    from bot.cli.setup import questions

    if not sys.stdin.isatty():
        _fail(NO_TERMINAL)
    if text is not None and not click.confirm(f"There is a {ENV_FILE} already. Change settings in it?"):
        _fail("Nothing was changed.")
    return questions.Interview(current).ask_all()


def _refuse(path: str, faults: list[str]) -> NoReturn:
    _fail("\n".join([f"{path} cannot be used, and nothing was changed:", *(f"  {fault}" for fault in faults)]))


@click.group(epilog=examples("cobrowse-bot keygen encryption", "cobrowse-bot keygen oauth --out genesys.pem"))
def keygen() -> None:
    """Make an encryption key for the database, or a key pair for an OAuth client."""


@keygen.command(epilog=examples("cobrowse-bot keygen encryption", "cobrowse-bot keygen encryption --out store.key"))
@click.option("--out", metavar="FILE", help="Write the key to a new file that only you can read, and print nothing.")
def encryption(out: str | None) -> None:
    """Make a key for STORE_ENCRYPTION_KEY. Without --out, print only the key, to standard output."""
    from bot.cli.setup.env_file import create_private
    from bot.storage.encryption import new_key

    key = new_key()
    if out is None:
        click.echo(key)
        click.echo("Set STORE_ENCRYPTION_KEY to it. Back it up apart from the database.", err=True)
        return
    _create(out, lambda path: create_private(path, f"{key}\n"))
    click.echo(f"Set STORE_ENCRYPTION_KEY_FILE={out}, and back the file up apart from the database.", err=True)


@keygen.command(epilog=examples("cobrowse-bot keygen oauth", "cobrowse-bot keygen oauth --type p256 --out genesys.pem"))
@click.option("--out", metavar="FILE", default="genesys.pem", show_default=True, help="The new private key file.")
@click.option("--type", "kind", type=click.Choice(["rsa", "p256"]), default="rsa", show_default=True, help="Its kind.")
def oauth(out: str, kind: str) -> None:
    """Make a key pair: write the private key to a new file that only you can read, print the public key."""
    from bot.cli.setup import keys

    public = _create(out, lambda path: keys.make_key_pair(path, kind))
    click.echo(public, nl=False)
    click.echo(f"\n{keys.WHERE_PUBLIC}\nThen set GENESYS_PRIVATE_KEY_PATH={out} and GENESYS_ORG_ID.", err=True)


def _create(out: str, write: Callable[[Path], T]) -> T:
    """Call `write` to create a file, and return the result of the call.

    - `out`: the path of the file.
    - `write`: a function that takes the path and creates the file.

    Print the reason and exit with 1 if the file cannot be created.
    """
    try:
        return write(Path(out).expanduser())
    except FileExistsError:
        _fail(f"There is a file {out} already. Nothing was changed. Give another name with --out.")
    except (OSError, RuntimeError) as error:
        _fail(f"{out} cannot be written: {getattr(error, 'strerror', None) or 'its home directory is not known'}.")


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(1)
