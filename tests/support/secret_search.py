"""Collect all secrets that the servers saw, and everything that a bot wrote, for the search for secrets."""

import asyncio
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from bot.sandbox import world
from bot.sandbox.slack.server import Delivery, Execution, Message
from bot.slack.listeners.workflow_step import CALLBACK_ID
from tests.support.app import ANA, Servers, is_failure, is_note
from tests.support.monitoring import get
from tests.support.session_buttons import COPY, confirms

MARK = "Zanzibar checkout"
"""In every session's name: payloads are not logged, so no word of one may be."""
NUMBER, EMAIL = "+14155550123", "carla.customer@example.net"


def _is_answer(message: Message, text: str) -> bool:
    """Return whether a message answers a command, and is no news of an earlier session or answer to an earlier command.

    The card of a start holds the session's name, which is different each time.
    """
    if MARK not in text:
        return not is_note(message)
    return is_failure(message) or text[text.index(MARK) :] in f"{message.text} {message.blocks}"


class Told:
    """Records what was sent to a bot, and all secrets that the bot must not show."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._deliveries: list[Delivery] = []
        self._tickets: list[str] = []
        self._executions: list[Execution] = []
        make = servers.slack.sockets.ticket

        def ticket() -> str:
            self._tickets.append(made := make())
            return made

        servers.slack.sockets.ticket = ticket  # type: ignore[method-assign]

    async def asks(self, text: str = MARK, *, who: str = ANA, channel_id: str | None = None) -> None:
        slack = self._servers.slack
        before = len(slack.messages)
        if MARK in text:  # with the same words they would be given the session of before
            text = f"{text} {len(self._deliveries)}"
            self._servers.genesys.conversations.set_live_count("one")  # else an open session is given back
        self._deliveries.append(await slack.command(who, text, channel_id=channel_id))
        await slack.workspace.until(lambda: any(_is_answer(each, text) for each in slack.messages[before:]), 15)

    async def presses(self) -> None:
        slack = self._servers.slack
        message = next(message for message in reversed(slack.seen_by(ANA)) if "try_again" in str(message.blocks))
        self._deliveries.append(await slack.press(ANA, message, "try_again"))
        await asyncio.sleep(0.2)

    async def presses_on(self, action: str) -> None:
        """Press a button of the newest card, and wait for the outcome."""
        slack = self._servers.slack
        before = len(slack.messages)
        message = next(each for each in reversed(slack.seen_by(ANA)) if each.visible_to and "card-" in str(each.blocks))
        if action == COPY:
            self._deliveries.append(await slack.press(ANA, message, "session_menu", chosen=action))
        else:
            self._deliveries.append(await confirms(slack, ANA, message, action))
        await slack.workspace.until(lambda: len(slack.messages) > before or message.replaced, 15)

    def _question(self, before: int) -> Message | None:
        new = self._servers.slack.messages[before:]
        return next((message for message in new if "send_link" in str(message.blocks)), None)

    async def asks_and_sends(self, address: str) -> None:
        """Ask twice to send the link to a customer. Confirm the second question, and leave the first open."""
        slack = self._servers.slack
        for _ in range(2):
            before = len(slack.messages)
            self._deliveries.append(await slack.command(ANA, f"send {address}"))
            question = await slack.workspace.until(partial(self._question, before), 15)
        self._deliveries.append(await slack.press(ANA, question, "send_link"))
        await slack.workspace.until(lambda: question.replaced, 15)

    async def joins(self) -> None:
        """Let the customer of the newest offer join, and wait until an agent is told. Do nothing without an offer."""
        slack, offers = self._servers.slack, self._servers.genesys.conversations.offers
        if not offers:
            return
        async with asyncio.timeout(15):
            while not [*offers.values()][-1].is_valid:  # noqa: ASYNC110 - the answer to an earlier command came first
                await asyncio.sleep(0.05)
        [*offers.values()][-1].join()
        await slack.workspace.until(lambda: any("customer joined" in each.text for each in slack.messages), 30)

    async def runs(self, **inputs: Any) -> None:
        """Run the workflow step, and wait for its end."""
        execution = await self._servers.slack.function_executed(CALLBACK_ID, inputs)
        self._executions.append(execution)
        await self._servers.slack.workspace.until(lambda: execution.status != "running", 15)

    async def sends(self, payload: dict[str, object], kind: str) -> None:
        self._deliveries.append(await self._servers.slack.send(payload, kind))  # type: ignore[arg-type]

    def secrets(self) -> dict[str, list[str]]:
        """Return every secret that was used, by its kind."""
        servers = self._servers
        keys: world.Keys = servers.keys
        urls = [str(each.payload["response_url"]) for each in self._deliveries if "response_url" in each.payload]
        joins = [session.join_url for session in servers.genesys.sessions.values()]
        codes = [offer.join_code for offer in servers.genesys.conversations.offers.values()]
        joins += [f"https://help.example.com/cobrowse#{code}" for code in codes]
        talks = [talk.as_conversation(servers.genesys.url) for talk in servers.genesys.conversations.live.values()]
        people = [person for talk in talks for person in talk["participants"]]
        parts = [part for person in people for part in person.get("cobrowsesessions", ())]
        viewers = [part["viewerUrl"].rpartition("#")[2] for part in parts if "viewerUrl" in part]
        return {
            "viewers": viewers or ["viewer#"],
            "keys": [keys.bot_token, keys.app_token, keys.signing_secret, "a-client-secret"],
            "private key": [line for line in keys.private_pem.splitlines() if line],
            "access tokens": [each.headers["Authorization"].split()[1] for each in servers.genesys.creates],
            "response_urls": [part for url in urls for part in (url, url.rsplit("/", 1)[1])],
            "join URLs": [part for url in joins for part in (url, url.rsplit("/", 1)[1])],
            "join codes": codes or ["cobrowse#"],
            "customers": [NUMBER[2:], NUMBER[-7:], EMAIL, EMAIL.partition("@")[0]],
            "addresses": [*(user.email for user in world.SLACK_USERS if user.email), "@example.com"],
            "tickets": [*self._tickets, "ticket="],
            "tokens of steps": [each.bot_access_token for each in self._executions],
            "trigger ids": [each.trigger_id for each in self._deliveries if each.trigger_id],
            "payloads": [MARK, "Zanzibar", "customer-care", "trigger_id"],
        }


async def shown(url: str) -> str:
    """Return everything that the bot serves without authentication."""
    return "\n".join([str(await get(url + path)) for path in ("/metrics", "/readyz", "/healthz")])


async def of_postgres(url: str) -> str:
    """Return all rows of the tables, and all bytes of the database's files. The files may hold deleted rows."""
    connection = await asyncpg.connect(url)
    names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    rows = [await connection.fetch(f'SELECT * FROM "{name}"') for (name,) in names]
    await connection.execute("CHECKPOINT")
    directory = await connection.fetchval("SHOW data_directory")
    number = await connection.fetchval("SELECT oid FROM pg_database WHERE datname = current_database()")
    await connection.close()
    assert len(rows) > 4
    files = [each for each in (Path(directory) / "base" / str(number)).iterdir() if each.is_file()]
    return "\n".join(map(str, rows)) + "".join(each.read_bytes().decode("latin-1") for each in files)


async def of_sqlite(path: Path) -> str:
    """Return all rows of the database, and all bytes of its files.

    The files may hold deleted rows and the write-ahead log.
    """
    connection = sqlite3.connect(path)
    text = "\n".join(connection.iterdump())
    connection.close()
    return text + "".join(each.read_bytes().decode("latin-1") for each in path.parent.glob(f"{path.name}*"))
