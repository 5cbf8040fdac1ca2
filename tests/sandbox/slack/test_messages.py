"""The sandbox's Slack and messages: where they can be posted, who sees them, and the limits of their blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import SandboxSlack
from tests.support import sandbox_slack
from tests.support.sandbox_slack import ANA, BEN, BUTTON, OUTSIDER, error_of, section

slack, web_client = sandbox_slack.slack, sandbox_slack.web_client


async def test_a_direct_message_is_seen_by_its_person_alone(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    opened = (await web_client.conversations_open(users=[ANA]))["channel"]["id"]
    sent = await web_client.chat_postMessage(channel=opened, text="hello")
    assert (sent["channel"], sent["message"]["text"]) == (opened, "hello")
    assert (await web_client.chat_postMessage(channel=ANA, text="again"))["channel"] == opened
    assert [message.text for message in slack.seen_by(ANA)] == ["hello", "again"]
    assert slack.seen_by(BEN) == []


async def test_an_ephemeral_message_is_seen_by_its_person_alone(
    slack: SandboxSlack, web_client: AsyncWebClient
) -> None:
    await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="psst")
    assert [message.text for message in slack.seen_by(ANA)] == ["psst"]
    assert slack.seen_by(BEN) == []


async def test_channel_message_is_hidden_from_outsiders_unless_shared(
    slack: SandboxSlack, web_client: AsyncWebClient
) -> None:
    await web_client.chat_postMessage(channel="C0HELP", text="inside")
    await web_client.chat_postMessage(channel="C0EXT", text="shared")
    assert [message.text for message in slack.seen_by(OUTSIDER)] == ["shared"]
    assert [message.text for message in slack.seen_by(BEN)] == ["inside", "shared"]


async def test_an_update_changes_the_bots_own_message(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    sent = await web_client.chat_postMessage(channel="C0HELP", text="old")
    await web_client.chat_update(channel="C0HELP", ts=sent["ts"], text="new")
    assert [(message.text, message.replaced) for message in slack.messages] == [("new", True)]
    hidden = await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="psst")
    changed = web_client.chat_update(channel="C0HELP", ts=hidden["message_ts"], text="new")
    assert await error_of(changed) == "message_not_found"
    typed = slack.post_message(ANA, "C0HELP", "mine")
    assert await error_of(web_client.chat_update(channel="C0HELP", ts=typed.ts, text="x")) == "cant_update_message"
    assert await error_of(web_client.chat_update(channel="C0NONE", ts=typed.ts, text="x")) == "channel_not_found"


async def test_reply_belongs_to_the_thread_of_its_message(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    typed = slack.post_message(ANA, "C0HELP", "look")
    reply = await web_client.chat_postMessage(channel="C0HELP", text="one", thread_ts=typed.ts)
    assert reply["message"]["thread_ts"] == typed.ts
    await web_client.chat_postMessage(channel="C0HELP", text="two", thread_ts=reply["ts"])
    assert [message.thread_ts for message in slack.messages] == [None, typed.ts, typed.ts]
    hidden = await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="psst")
    for ts, error in ((hidden["message_ts"], "cannot_reply_to_message"), ("1.2", "thread_not_found")):
        posted = web_client.chat_postMessage(channel="C0HELP", text="x", thread_ts=ts)
        assert await error_of(posted) == error


async def test_an_update_leaves_the_blocks_it_does_not_name(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    sent = await web_client.chat_postMessage(channel=ANA, text="old", blocks=[section("a")])
    await web_client.chat_update(channel=sent["channel"], ts=sent["ts"], text="new")
    assert (slack.messages[0].text, len(slack.messages[0].blocks)) == ("new", 1)
    await web_client.chat_update(channel=sent["channel"], ts=sent["ts"], text="new", blocks=[])
    assert slack.messages[0].blocks == []


async def test_the_bot_deletes_its_own_messages_alone(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    sent = await web_client.chat_postMessage(channel="C0HELP", text="mine")
    typed = slack.post_message(ANA, "C0HELP", "hers")
    await web_client.chat_delete(channel="C0HELP", ts=sent["ts"])
    assert slack.seen_by(BEN) == [typed]
    assert await error_of(web_client.chat_delete(channel="C0HELP", ts=sent["ts"])) == "message_not_found"
    assert await error_of(web_client.chat_update(channel="C0HELP", ts=sent["ts"], text="x")) == "message_not_found"
    assert await error_of(web_client.chat_delete(channel="C0HELP", ts=typed.ts)) == "cant_delete_message"
    assert await error_of(web_client.chat_delete(channel="C0NONE", ts=typed.ts)) == "channel_not_found"


async def test_channel_says_who_shares_it_and_if_the_bot_is_in_it(
    slack: SandboxSlack, web_client: AsyncWebClient
) -> None:
    slack.api.scopes, granted = "chat:write", slack.api.scopes
    assert await error_of(web_client.conversations_info(channel="C0HELP")) == "missing_scope"
    slack.api.scopes = granted
    told = {
        name: (await web_client.conversations_info(channel=name))["channel"] for name in ("C0HELP", "C0OUT", "C0EXT")
    }
    assert [told[name]["is_ext_shared"] for name in told] == [False, False, True]
    assert [told[name]["is_member"] for name in told] == [True, False, True]
    im = (await web_client.conversations_open(users=ANA))["channel"]["id"]
    shown = (await web_client.conversations_info(channel=im))["channel"]
    assert (shown["is_im"], shown["user"]) == (True, ANA)
    for hidden in ("C0SECRET", "C0NONE"):
        assert await error_of(web_client.conversations_info(channel=hidden)) == "channel_not_found"
    assert await error_of(web_client.chat_postMessage(channel="C0SECRET", text="x")) == "channel_not_found"


async def test_places_the_bot_or_the_person_is_not_in_are_refused(
    slack: SandboxSlack, web_client: AsyncWebClient
) -> None:
    slack.api.scopes, granted = "chat:write,im:write", slack.api.scopes

    def whisper(channel: str, user: str) -> Awaitable[Any]:
        return web_client.chat_postEphemeral(channel=channel, user=user, text="x")

    assert await error_of(web_client.chat_postMessage(channel="C0NONE", text="x")) == "channel_not_found"
    assert await error_of(web_client.chat_postMessage(channel="C0OUT", text="x")) == "not_in_channel"
    assert await error_of(whisper("C0OUT", ANA)) == "not_in_channel"
    assert await error_of(whisper("C0HELP", OUTSIDER)) == "user_not_in_channel"
    assert await error_of(web_client.conversations_open(users="U0NOBODY")) == "user_not_found"
    assert await error_of(web_client.conversations_open(users="U0GONE")) == "user_disabled"
    slack.api.scopes = granted
    await web_client.chat_postMessage(channel="C0OUT", text="chat:write.public leads into a public one")
    assert await error_of(whisper("C0OUT", ANA)) == "not_in_channel"


async def test_waiting_for_a_message_ends_in_a_timeout(slack: SandboxSlack, web_client: AsyncWebClient) -> None:
    with pytest.raises(TimeoutError):
        await slack.next_message(ANA, timeout=0.05)
    waiting = asyncio.create_task(slack.next_message(ANA, after=1))
    await web_client.chat_postMessage(channel="C0HELP", text="first")
    await web_client.chat_postEphemeral(channel="C0HELP", user=BEN, text="not hers")
    await web_client.chat_postEphemeral(channel="C0HELP", user=ANA, text="second")
    assert (await waiting).text == "second"


# what Slack does not take


def button(**changes: Any) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": [{**BUTTON, **changes}]}]


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


CONFIRM = {"title": plain("Sure?"), "text": plain("Really."), "confirm": plain("Yes"), "deny": plain("No")}
LINES = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "https://x.example/j"}]}
TOO_MUCH: dict[str, Any] = {
    "51 blocks": [{"type": "divider"}] * 51,
    "no section text": [section("")],
    "3001 in a section": [section("x" * 3001)],
    "nothing in a section": [{"type": "section"}],
    "11 fields": [{"type": "section", "fields": [plain("x")] * 11}],
    "151 in a header": [{"type": "header", "text": plain("x" * 151)}],
    "mrkdwn in a header": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "76 on a button": button(text=plain("x" * 76)),
    "mrkdwn on a button": button(text={"type": "mrkdwn", "text": "x"}),
    "2001 in a value": button(value="x" * 2001),
    "3001 in a url": button(url="https://x.example/" + "x" * 3000),
    "a url without a scheme": button(url="x.example"),
    "256 in an action_id": button(action_id="x" * 256),
    "an unknown style": button(style="warning"),
    "one action_id twice": [{"type": "actions", "elements": [BUTTON, BUTTON]}],
    "one block_id twice": [section("x", block_id="a"), section("x", block_id="a")],
    "11 in a context": [{"type": "context", "elements": [plain("x")] * 11}],
    "a button in a context": [{"type": "context", "elements": [BUTTON]}],
    "no buttons": [{"type": "actions", "elements": []}],
    "a misspelt key": [section("x", acessory=BUTTON)],
    "an unknown block": [{"type": "card"}],
    "a confirm without text": button(confirm={**CONFIRM, "text": None}),
    "31 on confirm": button(confirm={**CONFIRM, "confirm": plain("x" * 31)}),
    "an empty rich text": [{"type": "rich_text", "elements": [{**LINES, "elements": [{"type": "text", "text": ""}]}]}],
    "a mention in preformatted": [
        {"type": "rich_text", "elements": [{**LINES, "elements": [{"type": "user", "user_id": ANA}]}]}
    ],
    "no array": {"type": "divider"},
}
ENOUGH: dict[str, Any] = {
    "50 blocks": [{"type": "divider"}] * 50,
    "3000 in a section": [section("x" * 3000, accessory=BUTTON)],
    "a full header": [{"type": "header", "text": plain("x" * 150)}],
    "a full button": button(text=plain("x" * 75), value="x" * 2000, action_id="x" * 255, style="danger"),
    "a link": button(url="https://x.example/" + "x" * 2982),
    "a confirm": button(confirm=CONFIRM),
    "ten in a context": [{"type": "context", "elements": [plain("x")] * 10}],
    "preformatted": [{"type": "rich_text", "elements": [LINES]}],
}


@pytest.mark.parametrize("blocks", TOO_MUCH.values(), ids=TOO_MUCH)
async def test_blocks_slack_would_refuse_are_refused(
    slack: SandboxSlack, web_client: AsyncWebClient, blocks: Any
) -> None:
    assert await error_of(web_client.chat_postMessage(channel="C0HELP", text="x", blocks=blocks)) == "invalid_blocks"
    assert slack.messages == []


@pytest.mark.parametrize("blocks", ENOUGH.values(), ids=ENOUGH)
async def test_blocks_at_the_limit_are_taken(slack: SandboxSlack, web_client: AsyncWebClient, blocks: Any) -> None:
    await web_client.chat_postMessage(channel="C0HELP", text="x", blocks=blocks)
    assert len(slack.messages) == 1


async def test_a_message_needs_text_or_blocks(web_client: AsyncWebClient) -> None:
    assert await error_of(web_client.api_call("chat.postMessage", json={"channel": "C0HELP"})) == "no_text"
    assert await error_of(web_client.api_call("chat.postMessage", json={"text": "x"})) == "invalid_arguments"
