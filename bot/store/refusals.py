"""Why a database cannot be used at all, as a sentence for whoever started the bot."""


class StoreRefused(Exception):
    """The text is the sentence."""


NEWER = "The database is of a newer version ({found}) than this program ({known}). Install the newer program."
OTHER_KEY = (
    "STORE_ENCRYPTION_KEY does not fit this database: it was written with another key. "
    "Put the old key behind the new one, separated by a comma."
)
POOLED = (
    "Between this bot and Postgres stands a proxy that pools transactions, with which no replica can hold a lock. "
    "Give DATABASE_URL Postgres's own address, or let the proxy pool sessions."
)
NO_DRIVER = "DATABASE_URL names Postgres, whose driver is not installed. Install cobrowse-bot[postgres]."
