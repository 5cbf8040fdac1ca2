"""Replace secrets in the running bot when their files change.

config/reload/watcher.py notices changed files. Each function here subscribes one part of the bot: it gives the watcher
an async function that passes new secrets to this part. The async function returns "" if the part uses the new secrets.
Otherwise it returns an error code, and the part keeps the old secrets. factories.py subscribes the clients of Genesys.
"""

from collections.abc import Awaitable, Callable, Collection
from functools import partial

from bot.config.reload.watcher import SecretWatcher
from bot.config.settings import ProcessSettings, Settings
from bot.core.errors import SetupError, StorageUnavailableError
from bot.core.timing import SlackTiming
from bot.slack.api.identity import BotIdentity, identify
from bot.slack.api.token_watch import TokenWatch, WebClient
from bot.slack.receivers.http import HttpReceiver
from bot.slack.receivers.socket_mode import OTHER_APP, SocketModeReceiver
from bot.storage.open import MEMORY, Storage

SIGNING = "SLACK_SIGNING_SECRET"


def watch_storage(watcher: SecretWatcher[ProcessSettings], store: Storage) -> None:
    """Let `watcher` give `store` new encryption keys, or a new database user and password, when their files change.

    Do nothing if the database is in memory.
    """

    async def accept_keys(settings: ProcessSettings) -> str:
        return await _storage_code(partial(store.use_keys, settings.database.keys))

    async def accept_address(settings: ProcessSettings) -> str:
        return await _storage_code(partial(store.use_address, settings.database.url))

    if not watcher.settings.database.url.startswith(MEMORY):
        watcher.subscribe(["STORE_ENCRYPTION_KEY"], accept_keys)
        watcher.subscribe(["DATABASE_URL"], accept_address)


async def _storage_code(change: Callable[[], Awaitable[None]]) -> str:
    """Call and await `change`. Return "", or the code of the SetupError or StorageUnavailableError that it raises."""
    try:
        await change()
    except (SetupError, StorageUnavailableError) as error:
        return error.code
    return ""


def watch_bot_token(
    watcher: SecretWatcher[Settings],
    clients: Collection[WebClient],
    new_client: Callable[[str], WebClient],
    identity: BotIdentity,
    token_watch: TokenWatch,
    timing: SlackTiming,
) -> None:
    """Let `watcher` give `clients` the new bot token when the token's file changes.

    Keep the old token if Slack refuses the new token or does not answer, or if the new token belongs to another app or
    another Slack workspace.

    - `new_client`: returns a client with the given token, with which the bot tests the token.
    - `identity`: the app and the Slack workspace of the current token.
    - `token_watch`: records that Slack accepts the new token, and with which scopes.
    """

    async def accept(settings: Settings) -> str:
        token = settings.slack.bot_token
        try:
            found = await identify(new_client(token), tries=1, timing=timing)
        except SetupError as error:
            return error.code
        if (found.home, found.bot_user_id) != (identity.home, identity.bot_user_id):
            return OTHER_APP
        for client in clients:
            client.token = token
        token_watch.succeeded(found.scopes)
        return ""

    watcher.subscribe(["SLACK_BOT_TOKEN"], accept)


def watch_app_token(watcher: SecretWatcher[Settings], receiver: SocketModeReceiver) -> Callable[[], None]:
    """Let `watcher` give `receiver` the new app-level token when the token's file changes.

    Return a function that ends the subscription.
    """

    async def accept(settings: Settings) -> str:
        return await receiver.use_token(settings.slack.app_token)

    return watcher.subscribe(["SLACK_APP_TOKEN"], accept)


def watch_signing_secrets(watcher: SecretWatcher[Settings], receiver: HttpReceiver) -> None:
    """Let `watcher` give `receiver` the new signing secrets when their files change."""

    async def accept(settings: Settings) -> str:
        receiver.use_secrets(settings.slack.signing_secrets)
        return ""

    watcher.subscribe([SIGNING, f"{SIGNING}_NEXT"], accept)
