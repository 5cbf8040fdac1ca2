"""Comparison with the vendor's code: the official Python SDK calls the sandbox's Genesys.

The SDK's models also parse the requests of the bot and the answers of the sandbox. The SDK takes seconds to import, so
only this file imports it, once.
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import httpx
import pytest

from bot.config import settings
from bot.core.models import SessionId
from bot.genesys.api.customer_messages import CustomerMessagesApi
from bot.genesys.api.live_conversations import VIEW, query
from bot.genesys.api.permissions import fetch_permissions
from bot.genesys.api.users import UsersApi
from bot.genesys.auth.authorization_code import AuthorizationCodeClient
from bot.genesys.auth.client_credentials import TokenAuth
from bot.genesys.auth.credentials import SecretCredentials
from bot.sandbox.genesys.api.conversations import DEPLOYMENT_ID
from bot.sandbox.genesys.api.user_login import UserLoginClient
from tests.support import conversations as conversations_support
from tests.support import vendor_sdk
from tests.support.accounts import signs_in
from tests.support.app import Servers
from tests.support.conversations import HOST, PUBLIC, offer, talk
from tests.support.sessions_api import RecordingHooks, record_of
from tests.support.vendor_sdk import EMAIL, SEARCH, SEARCH_BY_NAME, SMS, Noting, Vendor, ours, times

servers, sdk = conversations_support.servers, vendor_sdk.sdk
PEOPLE = ("people-client", "people-secret")
NOW = datetime(2026, 10, 1, 10, 42, tzinfo=UTC)


@pytest.fixture
def vendor(sdk: ModuleType, servers: Servers) -> Vendor:
    return Vendor(sdk, servers.genesys.url)


async def run(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(work)


async def test_the_vendors_client_works_from_sign_in_to_withdrawal(
    sdk: ModuleType, servers: Servers, vendor: Vendor
) -> None:
    live = talk(servers, "Carla Customer", medium="call")

    def whole() -> None:
        client = vendor.sign_in().client
        found = sdk.AnalyticsApi(client).post_analytics_conversations_details_query(
            vendor.read(query(HOST, datetime.now(UTC)), "ConversationQuery")
        )
        assert [one.conversation_id for one in found.conversations] == [live.id]
        assert found.total_hits == 1
        talks = sdk.ConversationsApi(client)
        customer, agent = talks.get_conversation(live.id).participants
        assert (customer.purpose, customer.name, customer.calls[0].state) == ("customer", "Carla Customer", "connected")
        assert (agent.purpose, agent.user_id, agent.calls[0].state) == ("agent", HOST, "connected")
        made = talks.post_conversation_cobrowse(live.id)
        assert made.communication_type == "Call"
        assert made.date_offer_ends > datetime.now(UTC)
        deployments = sdk.WebDeploymentsApi(sdk.api_client.ApiClient(host=servers.genesys.url))  # without a token
        for name in (made.id, made.join_code):
            again = deployments.get_webdeployments_deployment_cobrowse_session_id(DEPLOYMENT_ID, name)
            assert (again.id, again.join_code) == (made.id, made.join_code)
        deployments.delete_webdeployments_deployment_cobrowse_session_id(DEPLOYMENT_ID, made.id)
        with pytest.raises(sdk.rest.ApiException) as gone:
            deployments.get_webdeployments_deployment_cobrowse_session_id(DEPLOYMENT_ID, made.id)
        assert gone.value.status == 404

    await run(whole)


async def test_the_vendors_client_finds_users_and_sends_messages(
    sdk: ModuleType, servers: Servers, vendor: Vendor
) -> None:
    def whole() -> None:
        client = vendor.sign_in().client
        people = sdk.UsersApi(client)
        (ana,) = sdk.SearchApi(client).post_users_search(vendor.read(SEARCH, "UserSearchRequest")).results
        assert (ana.id, ana.email, ana.state) == (HOST, "ana@example.com", "active")
        assert people.get_user(HOST).email == "ana@example.com"
        talks = sdk.ConversationsApi(client)
        sms = talks.post_conversations_messages_agentless(vendor.read(SMS, "SendAgentlessOutboundMessageRequest"))
        assert (sms.to_address, sms.messenger_type) == (SMS["toAddress"], "sms")
        mail = talks.post_conversations_emails_agentless(vendor.read(EMAIL, "AgentlessEmailSendRequestDto"))
        assert mail.to_addresses[0].email == "carla@example.com"
        with pytest.raises(sdk.rest.ApiException) as refused:
            people.get_users_me()
        assert refused.value.status == 400
        assert "user context" in refused.value.body
        client.access_token = servers.genesys.sign_in(HOST)
        assert people.get_users_me().id == HOST

    await run(whole)
    assert [(sent.kind, sent.to) for sent in servers.genesys.outbox.sent] == [
        ("SMS", SMS["toAddress"]),
        ("Email", "carla@example.com"),
    ]


async def test_the_vendors_client_subscribes_and_reads_the_events(
    sdk: ModuleType, servers: Servers, vendor: Vendor
) -> None:
    """The WebSocket itself is not in the SDK; its events are read with the SDK's models."""
    topic = f"v2.users.{HOST}.conversations"

    def subscribe() -> Any:
        channels = sdk.NotificationsApi(vendor.sign_in().client)
        (known,) = channels.get_notifications_availabletopics(expand=["requiresPermissions"]).entities
        assert (known.id, known.requires_permissions) == (topic.replace(HOST, "{id}"), [VIEW])
        channel = channels.post_notifications_channels()
        assert channel.expires > datetime.now(UTC) + timedelta(hours=23)
        assert [one.id for one in channels.get_notifications_channels().entities] == [channel.id]
        channels.head_notifications_channel(channel.id)
        body = [vendor.read({"id": topic}, "ChannelTopic")]
        for call in ("put", "post"):
            subscribed = getattr(channels, f"{call}_notifications_channel_subscriptions")(channel.id, body)
            assert [(one.id, one.state) for one in subscribed.entities] == [(topic, "Permitted")]
        channels.delete_notifications_channel_subscriptions(channel.id)
        assert channels.get_notifications_channel_subscriptions(channel.id).entities == []
        servers.genesys.notifications.refused_users.add(HOST)
        (refused,) = channels.put_notifications_channel_subscriptions(channel.id, body, ignore_errors=True).entities
        assert refused.state == "Rejected"
        with pytest.raises(sdk.rest.ApiException, match="403"):
            channels.put_notifications_channel_subscriptions(channel.id, body)
        servers.genesys.notifications.refused_users.clear()
        channels.put_notifications_channel_subscriptions(channel.id, body)
        return channel

    channel = await run(subscribe)
    async with aiohttp.ClientSession() as http, http.ws_connect(channel.connect_uri) as socket:
        servers.genesys.notifications.heartbeat_seconds = 0.05
        live = talk(servers)
        live.start_cobrowse(str(uuid.uuid4()))
        found: list[Any] = []
        async with asyncio.timeout(5):
            while len(found) < 2:
                message = await socket.receive_json()
                if message["topicName"] == topic:
                    found.append(vendor.read(message["eventBody"], "ConversationEventTopicConversation"))
    assert [one.id for one in found] == [live.id] * 2
    customer, host = found[1].participants
    assert (customer.cobrowsesessions[0].state, host.cobrowsesessions[0].cobrowse_role) == ("connected", "viewer")


async def test_roles_are_read_as_the_vendors_client_reads_them(
    sdk: ModuleType, servers: Servers, vendor: Vendor
) -> None:
    servers.genesys.conversations.missing_permissions.add("conversation:message:create")
    async with ours(servers) as (client, _, sent):
        roles = await fetch_permissions(client)

    api = sdk.AuthorizationApi((await run(vendor.sign_in)).client)
    subject = await run(lambda: api.get_authorization_subjects_me(include_full_roles=True))
    policies = [policy for grant in subject.grants for policy in grant.role.policies]
    assert roles.policies == {(one.domain, one.entity_name, action) for one in policies for action in one.actions}
    assert roles.names == tuple(grant.role.name for grant in subject.grants)
    assert roles.is_complete
    assert not roles.allow("conversation:message:create")
    assert roles.allow("conversation:cobrowse:add")
    assert sent[-1][1].partition("?")[0] == vendor.sent[-1][1]


async def test_a_refusal_has_the_shape_the_vendors_client_reads(
    sdk: ModuleType, servers: Servers, vendor: Vendor
) -> None:
    servers.genesys.conversations.missing_permissions.add("conversation:communication:view")

    def refused() -> Any:
        with pytest.raises(sdk.rest.ApiException) as error:
            sdk.ConversationsApi(vendor.sign_in().client).get_conversation(talk(servers).id)
        return error.value

    error = await run(refused)
    body = vendor.read(json.loads(error.body), "ErrorBody")
    assert (error.status, body.status, body.code) == (403, 403, "missing.any.permissions")
    assert body.context_id


async def test_our_calls_have_the_vendors_methods_paths_and_bodies(
    sdk: ModuleType, servers: Servers, vendor: Vendor
) -> None:
    live = talk(servers)
    async with ours(servers) as (client, service, sent):
        made = await offer(service)
        await service.read(made.id)
        await service.end(record_of(made))
        await UsersApi(client).by_email("ana@example.com")
        await CustomerMessagesApi(client).sms(SMS["fromAddress"], SMS["toAddress"], SMS["textBody"], RecordingHooks())
        await CustomerMessagesApi(client).email(
            "care@example.com", "carla@example.com", "Your link", "Hello", RecordingHooks()
        )
    asked = next(body for _, path, body in sent if path.endswith("/details/query"))

    def same() -> None:
        client = vendor.sign_in().client
        sdk.AnalyticsApi(client).post_analytics_conversations_details_query(vendor.read(asked, "ConversationQuery"))
        talks, deployments = sdk.ConversationsApi(client), sdk.WebDeploymentsApi(client)
        talks.get_conversation(live.id)
        talks.post_conversation_cobrowse(live.id)
        for call in ("get", "delete"):  # it was withdrawn above, so the answer is 404
            with pytest.raises(sdk.rest.ApiException, match="404"):
                getattr(deployments, f"{call}_webdeployments_deployment_cobrowse_session_id")(DEPLOYMENT_ID, made.id)
        sdk.SearchApi(client).post_users_search(vendor.read(SEARCH, "UserSearchRequest"))
        talks.post_conversations_messages_agentless(vendor.read(SMS, "SendAgentlessOutboundMessageRequest"))
        talks.post_conversations_emails_agentless(vendor.read(EMAIL, "AgentlessEmailSendRequestDto"))

    await run(same)
    assert sent[0][:2] == vendor.sent[0][:2] == ("POST", "/oauth/token")
    assert sent[1:] == [(method, path, vendor.write(body)) for method, path, body in vendor.sent[1:]]


async def test_our_sign_in_is_the_vendors(sdk: ModuleType, servers: Servers, vendor: Vendor) -> None:
    headers: list[httpx.Headers] = []
    loaded = settings.load_part(settings.read_service_alone, servers.environ | PUBLIC)

    def note(request: httpx.Request) -> None:
        headers.append(request.headers)
        assert request.content == b"grant_type=client_credentials"

    async with Noting(note) as http:
        auth = TokenAuth(http, loaded.login_url, loaded.credentials)
        await auth.ready()
        await auth.close()
    options: list[Any] = []
    vendor.client.get_http_client().pre_hook = lambda one: options.append(one) or one
    await run(vendor.sign_in)
    assert options[0].headers["Authorization"] == headers[0]["Authorization"]
    assert options[0].headers["Content-Type"] == headers[0]["Content-Type"]
    assert options[0].post_params == {"grant_type": "client_credentials"}


@pytest.mark.parametrize(
    ("body", "model"),
    [
        (query(HOST, NOW), "ConversationQuery"),
        (SEARCH, "UserSearchRequest"),
        (SEARCH_BY_NAME, "UserSearchRequest"),
        (SMS, "SendAgentlessOutboundMessageRequest"),
        (EMAIL, "AgentlessEmailSendRequestDto"),
    ],
    ids=["query", "search", "search by name", "sms", "email"],
)
def test_every_field_and_word_of_what_we_send_is_the_vendors(sdk: ModuleType, body: Any, model: str) -> None:
    """When the SDK writes a model again, it leaves out unknown fields and replaces unknown values."""
    vendor = Vendor(sdk, "http://127.0.0.1")
    assert vendor.write(vendor.read(body, model)) == body
    assert vendor.write(vendor.read({**body, "made": "up"}, model)) == body


def test_a_word_the_vendor_does_not_know_would_show(sdk: ModuleType) -> None:
    vendor = Vendor(sdk, "http://127.0.0.1")
    wrong = query(HOST, NOW) | {"order": "sideways"}
    assert vendor.write(vendor.read(wrong, "ConversationQuery")) != wrong


@pytest.mark.parametrize("medium", ["message", "call"])
async def test_every_field_and_word_the_sandbox_answers_is_the_vendors(
    sdk: ModuleType, servers: Servers, medium: str
) -> None:
    vendor = Vendor(sdk, "http://127.0.0.1")
    live = talk(servers, medium=medium)
    live.monitored_by = "22222222-2222-4222-8222-222222222222"
    async with ours(servers) as (_, service, _sent):
        made = await offer(service)
    for cause in ("client", "peer", "timeout"):
        live.start_cobrowse(made.id)
        live.stop_cobrowse(cause)
    live.start_cobrowse(made.id)
    ended = talk(servers, medium=medium)
    ended.start_cobrowse(made.id)
    ended.end()
    answers = [
        (
            {"conversations": [live.as_analytics(), ended.as_analytics()], "totalHits": 2},
            "AnalyticsConversationQueryResponse",
        ),
        ({}, "AnalyticsConversationQueryResponse"),
        (live.as_conversation(servers.genesys.url), "Conversation"),
        (ended.as_conversation(), "Conversation"),
        *((one.as_event(servers.genesys.url), "ConversationEventTopicConversation") for one in (live, ended)),
        (
            servers.genesys.conversations.offers[SessionId(made.id)].as_json(servers.genesys.url),
            "CobrowseWebMessagingSession",
        ),
    ]
    for body, model in answers:
        assert times(vendor.write(vendor.read(body, model))) == times(body)


async def test_users_sign_in_with_the_vendors_client_as_with_ours(
    sdk: ModuleType, servers: Servers, vendor: Vendor
) -> None:
    """With PKCE alone there is no refresh token.

    With the client's secret there is one, and a new one after each refresh.
    """
    client, uri = vendor.client, "https://bot.example.com/genesys/callback"
    servers.genesys.user_login.client = UserLoginClient(*PEOPLE, (uri,))
    verifier, sent, options = client.generate_pkce_code_verifier(128), [], []
    async with Noting(sent.append) as http:
        urls = {"login_url": servers.genesys.url, "api_url": servers.genesys.url, "redirect_uri": uri}
        login = AuthorizationCodeClient(http, credentials=SecretCredentials(*PEOPLE), **urls)
        address = login.address("s", verifier)
        assert f"code_challenge={client.compute_pkce_code_challenge(verifier)}&" in address
        by_us, by_pkce = await code(address), await code(address)
        by_secret = await code(address.partition("&code_challenge")[0])
        again = await login.refresh((await login.exchange(by_us, verifier)).refresh_token)
        assert (await login.host_of(again.token))[0] == HOST
        assert await login.revoke(again.token)
    client.get_http_client().pre_hook = lambda one: options.append(one) or one

    def whole() -> None:
        users = sdk.UsersApi(client)
        assert "refresh_token" not in client.get_pkce_token(PEOPLE[0], verifier, by_pkce, uri)[1]
        assert users.get_users_me().id == HOST
        client.get_code_authorization_token(*PEOPLE, by_secret, uri)
        first = client.refresh_token
        client.refresh_code_authorization_token(*PEOPLE, first)
        assert client.refresh_token not in ("", first)
        assert users.get_users_me().id == HOST
        second = client.refresh_token
        sdk.TokensApi(client).delete_tokens_me()
        assert users.get_users_me().id == HOST  # after a 401 the vendor's client renews it by itself
        assert client.refresh_token not in (first, second)

    await run(whole)
    pkce, _, secret, refresh, *_ = options
    exchanged, refreshed, *_ = (dict(parse_qsl(request.content.decode())) for request in sent)
    assert set(exchanged) == {*secret.post_params, *pkce.post_params} - {"client_id"}
    assert set(refreshed) == set(refresh.post_params)
    assert sent[0].headers["Authorization"] == secret.headers["Authorization"] == refresh.headers["Authorization"]
    assert [(one.method, one.url.path) for one in sent[2:]] == [
        ("GET", "/api/v2/users/me"),
        ("DELETE", "/api/v2/tokens/me"),
    ]


async def code(address: str) -> str:
    """Sign Ana in, and return the code that her browser brings back."""
    return dict(parse_qsl(urlsplit(await signs_in(address)).query))["code"]
