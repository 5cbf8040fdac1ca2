"""Find settings that are valid but have a risk or a gap, such as no administrators.

The Home tab of administrators shows the warnings.
"""

from bot.config.settings import Settings
from bot.slack.messages.catalogue import setup_warnings as words
from bot.slack.messages.catalogue.setup_warnings import SetupWarning
from bot.storage.open import MEMORY, POSTGRES


def config_warnings(settings: Settings) -> tuple[SetupWarning, ...]:
    """Return a warning for each setting that is valid but has a risk or a gap, such as an unencrypted database.

    The Home tab of administrators shows the warnings.
    """
    rules, database = settings.rules, settings.database
    listed = settings.listed_hosts
    found = (
        (words.NO_HOST_RULE, not settings.match_email and listed is None),
        (words.NOBODY_LISTED, listed is not None and not listed),
        (words.NO_MEMBERS, not rules.members),
        (words.NO_SUPERVISORS, not rules.supervisors),
        (words.NO_CONTACT, not rules.admins and not settings.slack.help_contact),
        (words.NO_SIGN_IN, bool(settings.connect.credentials.client_id and settings.connect.off)),
        (words.NOT_ENCRYPTED, database.url.startswith(POSTGRES) and not database.keys),
        (words.IN_MEMORY, database.url.startswith(MEMORY)),
    )
    return tuple(SetupWarning(sentence) for sentence, holds in found if holds)
