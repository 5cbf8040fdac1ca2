"""Create notification channels, and subscribe them to the conversations of users.

Genesys's SDK names the types of the answers Channel, ChannelTopicEntityListing and AvailableTopicEntityListing:
https://developer.genesys.cloud/notificationsalerts/notifications/notifications-apis
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlsplit

from bot.core.errors import UnusableAnswerError
from bot.core.models import HostId
from bot.core.validation.display import LOCAL_HOSTS, url_host
from bot.genesys.api.live_conversations import VIEW, read_time_within
from bot.genesys.client import GenesysClient
from bot.genesys.parsing import answered_at, is_usable_id, objects, read_object, reference_of
from bot.genesys.rate_limit import LIVE
from bot.genesys.regions import DOMAINS

CHANNELS = "/api/v2/notifications/channels"
SUBSCRIPTIONS = CHANNELS + "/{}/subscriptions?ignoreErrors=true"
AVAILABLE_TOPICS = "/api/v2/notifications/availabletopics?expand=requiresPermissions"
TOPIC = "v2.users.{}.conversations"
ANY_TOPIC = TOPIC.format("{id}")
OPEN_CHANNEL, READ_TOPICS = "access to notification channels", "access to the list of notification topics"
NEEDS = (OPEN_CHANNEL, READ_TOPICS)
MAX_TOPICS = 1000
"""Genesys's limit of topics for one channel."""
CHANNEL_LIFETIME = timedelta(days=1)
"""The longest lifetime of a channel. The bot assumes this lifetime if Genesys's answer states no end, a later end, or
an end in the past."""
MAX_URL_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Channel:
    """A notification channel.

    - `url`: the URL of the channel's WebSocket. The URL is a secret: with it, anybody can read the channel's events.
    - `lasts_seconds`: the seconds from the channel's creation until Genesys deletes the channel.
    """

    id: str = field(repr=False)
    url: str = field(repr=False)
    lasts_seconds: float


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The result of a call that subscribes a channel to several hosts.

    - `accepted`: the hosts to which the channel is subscribed.
    - `refused`: the other hosts in the call.
    - `missing`: the permissions that Genesys names as missing.
    """

    accepted: frozenset[HostId]
    refused: frozenset[HostId]
    missing: tuple[str, ...] = ()


class ChannelsApi:
    """Creates and subscribes notification channels, with the bot's own token.

    `api_url`: the base URL of Genesys's API.
    """

    def __init__(self, client: GenesysClient, api_url: str) -> None:
        self._client, self._api_url = client, api_url

    async def create(self) -> Channel:
        """Create a notification channel. Raises ServiceError if the call fails."""
        response = await self._client.call("POST", CHANNELS, needs=OPEN_CHANNEL, share=LIVE)
        body = read_object(response)
        channel_id, url = str(body.get("id") or ""), str(body.get("connectUri") or "")
        if not is_usable_id(channel_id) or not is_channel_url(url, self._api_url):
            raise UnusableAnswerError(why="an answer in an unknown form", reference=reference_of(response))
        now = answered_at(response)
        expires = read_time_within(body.get("expires"), now, back=timedelta(0), ahead=CHANNEL_LIFETIME)
        lifetime = expires - now if expires else CHANNEL_LIFETIME
        return Channel(channel_id, url, lifetime.total_seconds())

    async def subscribe(self, channel_id: str, hosts: Iterable[HostId]) -> Subscriptions:
        """Subscribe a channel to the conversations of `hosts`, in place of all earlier subscriptions of the channel.

        `hosts`: MAX_TOPICS hosts at most. Raises BadRequestError with status 404 if the channel no longer exists, and
        another ServiceError if the call fails for another reason.
        """
        topics = {TOPIC.format(host.lower()): host for host in hosts}
        path = SUBSCRIPTIONS.format(quote(channel_id, safe=""))
        body = [{"id": topic} for topic in topics]
        response = await self._client.call("PUT", path, needs=VIEW, json=body, safe=True, share=LIVE)
        return read_subscriptions(read_object(response), topics)

    async def required_permissions(self) -> tuple[str, ...] | None:
        """Return the permissions that Genesys requires for `subscribe`; None if Genesys's answer does not list them.

        Raises ServiceError if the call fails.
        """
        response = await self._client.call("GET", AVAILABLE_TOPICS, needs=READ_TOPICS, safe=True)
        for topic in objects(read_object(response).get("entities")):
            listed = topic.get("requiresPermissions")
            if topic.get("id") == ANY_TOPIC and isinstance(listed, list):
                return tuple(each for each in listed if isinstance(each, str) and each.count(":") == 2)
        return None


def read_subscriptions(body: dict[str, object], topics: dict[str, HostId]) -> Subscriptions:
    """Read the result of a subscribe call from the body of Genesys's answer (pure).

    `topics`: maps each requested topic to its host. A host counts as refused if the answer rejects the host's topic, or
    does not mention it.
    """
    accepted: set[HostId] = set()
    missing: set[str] = set()
    for entity in objects(body.get("entities")):
        host = topics.get(str(entity.get("id")).lower())
        if host is None:
            continue
        if str(entity.get("state")).lower() != "rejected":
            accepted.add(host)
        elif isinstance(listed := entity.get("missingPermissions"), list):
            missing.update(each[:100] for each in listed if isinstance(each, str) and each.count(":") == 2)
    return Subscriptions(frozenset(accepted), frozenset(topics.values()) - accepted, tuple(sorted(missing)))


def is_channel_url(url: str, api_url: str) -> bool:
    """Return whether `url` is a valid URL for a channel's WebSocket (pure).

    A valid URL is one of these:

    - If `api_url` is an http URL of this machine (the sandbox): a ws URL with the network host of `api_url`.
    - Otherwise: a wss URL whose network host belongs to Genesys, or to the domain of `api_url`.

    A URL with a user or a password is never valid. A wss URL has at most MAX_URL_LENGTH characters.
    """
    try:
        parts = urlsplit(url)
        host, is_plain = (parts.hostname or "").lower(), parts.username is None and parts.password is None
    except ValueError:
        return False
    api_host = url_host(api_url)
    if api_host in LOCAL_HOSTS and api_url.startswith("http:"):
        return parts.scheme == "ws" and host == api_host and is_plain
    domains = {*DOMAINS.values(), api_host.partition(".")[2]}
    is_ours = host == api_host or any(domain.count(".") and host.endswith(f".{domain}") for domain in domains)
    return parts.scheme == "wss" and is_ours and is_plain and len(url) <= MAX_URL_LENGTH and url.isprintable()
