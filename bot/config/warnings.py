"""List settings that work but deserve attention. Administrators see the list in the Home tab."""

from bot.config.settings import Settings
from bot.storage.open import MEMORY, POSTGRES


def config_warnings(settings: Settings) -> tuple[str, ...]:
    """Return one plain sentence for each setting that deserves attention. It names the variable to change."""
    rules, database = settings.rules, settings.database
    listed = settings.listed_hosts
    found = {
        "COBROWSE_MATCH_EMAIL is off and COBROWSE_HOSTS_FILE is not set: nobody has a host but who is linked to one.": (
            not settings.match_email and listed is None
        ),
        "COBROWSE_HOSTS_FILE lists nobody.": listed is not None and not listed,
        "COBROWSE_MEMBERS is empty: every full member of the workspace may start sessions.": not rules.members,
        "COBROWSE_SUPERVISORS is empty: only administrators may start sessions for others.": not rules.supervisors,
        "COBROWSE_HELP_CONTACT and COBROWSE_ADMINS are empty: nobody is told about faults, or named to ask.": (
            not rules.admins and not settings.slack.help_contact
        ),
        "GENESYS_CONNECT_CLIENT_ID is set, but nobody can connect their Genesys account: `check` says why.": (
            bool(settings.connect.credentials.client_id and settings.connect.off)
        ),
        "STORE_ENCRYPTION_KEY is empty: customers' links stand readable in Postgres.": (
            database.url.startswith(POSTGRES) and not database.keys
        ),
        "DATABASE_URL is memory: nothing is remembered across a restart.": database.url.startswith(MEMORY),
    }
    return tuple(sentence for sentence, holds in found.items() if holds)
